"""One row for each id: a row that stands twice is a reject, and two that differ are an error."""

from pathlib import Path

from lssat.data.datasets import tree
from lssat.tables import DataError, reject
from lssat.tables.rows import SampleRow


def without_repeats(rows: list[SampleRow], root: Path) -> tree.Reading:
    """Keep one row per id; identical ones are rejected, differing ones are an error."""
    kept: dict[str, SampleRow] = {}
    doubles, conflicts = [], []
    for row in rows:
        first = kept.setdefault(row["id"], row)
        if first is row:
            continue
        if first != row:
            conflicts.append(row["id"])
        doubles.append(reject(row["dataset"], row["id"], row["path"], "manifest", "duplicate"))
    if conflicts:
        some = ", ".join(conflicts[:5])
        problem = f"{len(conflicts):,} ids stand twice with different content: {some}"
        raise DataError(root, problem, "Keep the right row of each in the release's lists")
    return [kept[id] for id in sorted(kept)], doubles
