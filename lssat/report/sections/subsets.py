"""Results by subset: a table for each level and metric, of which the reader chooses one."""

from collections.abc import Mapping, Sequence
from typing import Any

from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Chooser, Table, flag_of
from lssat.report.kit.columns import score_in
from lssat.report.kit.results import Task
from lssat.report.sections import headline

_POOLED = "all together"


def chooser(task: Task) -> Chooser | None:
    """Make the tables: a row per backbone x configuration, a column per subset and the pooled one.

    Returns:
        None for a task without subsets.
    """
    rows = task.metrics["subsets"]
    if not rows:
        return None
    head = (task.metrics["level"], task.metrics["metric"])
    kinds = dict.fromkeys([head, *((row["level"], row["metric"]) for row in rows)])
    tables = [(f"{level} {words.metric(name)}", _table(task, level, name)) for level, name in kinds]
    return Chooser(f"subsets-{task.name}", "Level and metric", tables)


def _table(task: Task, level: str, metric: str) -> Table:
    rows = _of(task.metrics["subsets"], level, metric)
    pooled = [{**row, "subset": _POOLED} for row in _of(task.metrics["table"], level, metric)]
    by_subset: dict[str, list[Mapping[str, Any]]] = {}
    for row in (*pooled, *rows):
        by_subset.setdefault(row["subset"], []).append(row)
    firsts = {subset: rows_of[-1] for subset, rows_of in by_subset.items()}
    sizes = {subset: f"n = {words.number(row['n'])}" for subset, row in firsts.items()}
    baselines = [
        f"{subset} {words.number(row['baseline'])} ({sizes[subset]})"
        for subset, row in firsts.items()
    ]
    notes = [f"Trivial baseline: {words.listing(baselines)}."]
    notes += sorted({f"{row['subset']}: {note}" for row in rows for note in headline.parts(row)})
    what = f"{level} {words.metric(metric)}"
    return Table.of(
        f"subsets-{task.name}-{level}-{metric}",
        f"{what} of {task.title} by subset",
        [*ROW, flag_of(task), *(score_in(by_subset[name], name, sizes[name]) for name in firsts)],
        {words.pair(row): row for row in (*pooled, *rows)}.values(),
        foot=_coverage(task, list(firsts)),
        notes=notes,
    )


def _of(rows: Sequence[Mapping[str, Any]], level: str, metric: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if (row["level"], row["metric"]) == (level, metric)]


def _coverage(task: Task, names: list[str]) -> list[Cell]:
    """Make the last row: the share of each subset's listed test samples that have a crop."""
    shares = task.splits.get("subset_coverage", {}).get("test", {})
    present = task.splits.get("subset_coverage_present", {}).get("test", shares)
    reals = [words.percent(share) for name, share in shares.items() if name not in names]
    first = Cell(f"coverage (reals {words.listing(reals)})" if reals else "coverage")
    shares = {_POOLED: task.metrics["coverage"], **shares}
    present = {_POOLED: task.metrics["coverage_present"], **present}
    cells = [headline.covered(shares.get(name), present.get(name)) for name in names]
    return [first, Cell(""), Cell(""), *cells]


def lead(task: Task) -> str:
    """Say what the subsets are."""
    level = task.metrics["level"]
    sizes = dict.fromkeys(
        f"{row['subset']} n = {words.number(row['n'])}"
        for row in task.metrics["subsets"]
        if row["level"] == level
    )
    return (
        "Each subset against all reals, beside all subsets together; mean over seeds with its "
        f"{words.confidence(task.metrics)} below; {words.listing(list(sizes))} ({level}s)."
    )
