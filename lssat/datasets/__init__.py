"""The readers of the official releases: a raw tree becomes a manifest and a list of rejects."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from lssat import grid, params
from lssat.datasets import affectnet, celeba, celebdf, dfd, dfdc, ffpp, own
from lssat.tables import (
    MANIFEST,
    REJECTS,
    DataError,
    check_rejects,
    reject,
    together,
    write_table,
)

READERS: dict[str, Callable] = {
    "ffpp": ffpp.read,
    "celeba": celeba.read,
    "affectnet": affectnet.read,
    "celebdf": celebdf.read,
    "dfdc": dfdc.read,
    "dfd": dfd.read,
}


def manifest(dataset: str, options: params.Dataset, out: Path, rejects: Path) -> None:
    """Read a raw tree and write its manifest and rejects, both sorted by id.

    Args:
        dataset: a key of `READERS`, or the name of a data set of your own.
        options: the data set's section of params.yaml.
        out: path of the table of schema MANIFEST; its header says what the task is.
        rejects: path of the table of schema REJECTS.

    Raises:
        DataError: the root or a list is absent or wrong, one id has two labels, or more samples
            were rejected than `rejects_limit` allows (both tables are then kept).
    """
    found, rejected = READERS.get(dataset, partial(own.read, dataset))(options)
    rows, doubles = _once(found, Path(options.root))
    rejected = sorted([*rejected, *doubles], key=lambda row: (row["id"], row["path"]))
    with together():
        write_table(out, rows, MANIFEST, task(dataset, options).header())
        write_table(rejects, rejected, REJECTS)
    # Classes are excluded on request, and are no loss.
    lost = sum(row["reason"] != "excluded_class" for row in rejected)
    check_rejects("manifest", lost, len(rows) + lost, options.rejects_limit, rejects)


def task(dataset: str, options: params.Dataset) -> grid.Task:
    """Say what the task of a data set is: its kind, headline and classes."""
    if isinstance(options, params.Own):
        return own.task(dataset, options)
    known = {**grid.TASKS, **grid.CROSS}[dataset]
    return known._replace(classes=known.classes[: getattr(options, "classes", None)])


def _once(found: list[dict], root: Path) -> tuple[list[dict], list[dict]]:
    """Keep one row an id; identical ones are rejected, differing ones are an error."""
    kept: dict[str, dict] = {}
    doubles, conflicts = [], []
    for row in found:
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
