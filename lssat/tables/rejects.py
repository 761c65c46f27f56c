"""What a step left out, and why: the rows of its table, and the end where there are too many."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from lssat.tables.errors import DataError
from lssat.tables.rows import RejectRow
from lssat.tables.schemas import REASONS

_SHOWN = 3  # samples of each reason, in a message


def reject(dataset: str, id: str, path: str, step: str, reason: str, detail: str = "") -> RejectRow:
    """Return a row of the rejects table; the reason must be one of `REASONS`."""
    if reason not in REASONS:
        raise ValueError(f"unknown reason {reason!r}: the closed list is {REASONS}")
    return dict(dataset=dataset, id=id, path=path, step=step, reason=reason, detail=detail)


def reasons(rows: Sequence[RejectRow]) -> str:
    """Say of rejected samples how many there are of each reason, and the first of each.

    Args:
        rows: of schema REJECTS; of a sample with several rows the first counts.
    """
    first: dict[str, RejectRow] = {}
    for row in rows:
        first.setdefault(row["id"], row)
    groups: dict[str, list[RejectRow]] = defaultdict(list)
    for row in first.values():
        groups[row["reason"]].append(row)
    most = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return "; ".join(f"{len(rejected):,} {reason} ({_some(rejected)})" for reason, rejected in most)


def _some(rows: list[RejectRow]) -> str:
    shown = [row["id"] + (f": {row['detail']}" if row["detail"] else "") for row in rows[:_SHOWN]]
    return ", ".join(shown) + (", ..." if len(rows) > _SHOWN else "")


def check_rejects(
    step: str,
    rejected: int,
    total: int,
    limit: float,
    file: str | Path,
    rows: Sequence[RejectRow] = (),
) -> None:
    """Stop the step when more than the share `limit` (0 to 1) of its samples was rejected.

    Args:
        file: the table that holds them, and stays.
        rows: what was rejected, of schema REJECTS; the first of each reason are named.
    """
    if not total or rejected / total <= limit:
        return
    why = f": {reasons(rows)}" if rows else ""
    share = 100 * rejected / total
    raise DataError(
        file,
        f"{step}: {rejected:,} of {total:,} rejected "
        f"({share:.{1 if share >= 0.1 else 4}f} %, limit {100 * limit:g} %){why}",
        f"{_ways_out(step, file, rows)}mend the data or raise rejects_limit",
    )


def _ways_out(step: str, file: str | Path, rows: Sequence[RejectRow]) -> str:
    """Say how all of them are read: the manifest has one table, the faces one a shard."""
    if step == "manifest" or not rows:
        return f"`lssat rejects {file}` lists them all; "
    task = rows[0]["dataset"]
    return f"`lssat rejects --task {task}` lists them all, and the crops stay; "
