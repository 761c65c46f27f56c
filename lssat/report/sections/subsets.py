"""Results by subset: a table for each level and metric, of which the reader chooses one."""

from collections.abc import Mapping, Sequence
from typing import Any

from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Chooser, Column, Table
from lssat.report.kit.results import Task
from lssat.report.sections import headline

_POOLED = "all together"


def chooser(task: Task) -> Chooser | None:
    """Make the tables: a row per backbone x configuration, a column per subset and the pooled one.

    Returns:
        None for a task without subsets.
    """
    table = task.metrics.get("subsets", [])
    if not table:
        return None
    head = (task.metrics["level"], task.metrics["metric"])
    kinds = dict.fromkeys((row["level"], row["metric"]) for row in table)
    order = [head, *(kind for kind in kinds if kind != head)]
    tables = [(f"{level} {words.metric(name)}", _table(task, level, name)) for level, name in order]
    return Chooser(f"subsets-{task.name}", "Level and metric", tables)


def _table(task: Task, level: str, metric: str) -> Table:
    rows = _of(task.metrics["subsets"], level, metric)
    pooled = [{**row, "subset": _POOLED} for row in _of(task.metrics["table"], level, metric)]
    every = [*pooled, *rows]
    names = list(dict.fromkeys(row["subset"] for row in every))
    found = {(row["backbone"], row["configuration"], row["subset"]): row for row in every}
    first = {row["subset"]: row for row in every}
    columns = [*ROW, Column("Flag")]
    columns += [Column(n, "num", f"n = {words.number(first[n]['n'])}") for n in names]
    cells = [
        [*headline.named(task, pair), *[headline.measured(found.get((*pair, n))) for n in names]]
        for pair in headline.row_pairs(every)
    ]
    notes = [_baselines(first)]
    notes += sorted({f"{row['subset']}: {note}" for row in rows for note in _notes(row)})
    what = f"{level} {words.metric(metric)}"
    caption = f"{what} of {task.title} by subset"
    place = f"subsets-{task.name}-{level}-{metric}"
    return Table(place, caption, columns, cells, foot=_coverage(task, names), notes=notes)


def _of(rows: Sequence[Mapping[str, Any]], level: str, metric: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if (row["level"], row["metric"]) == (level, metric)]


def _baselines(first: dict[str, Mapping[str, Any]]) -> str:
    said = [
        f"{name} {words.number(row['baseline'])} (n = {words.number(row['n'])})"
        for name, row in first.items()
    ]
    return f"Trivial baseline: {words.listing(said)}."


def _notes(row: Mapping[str, Any]) -> list[str]:
    """Return the notes of a row; why it collapsed stands below the headline."""
    notes = (row["note"] or "").split("; ")
    return [note for note in notes if note and not note.startswith("collapsed:")]


def _coverage(task: Task, names: list[str]) -> list[Cell]:
    """Make the last row: the share of each subset's listed test samples that have a crop."""
    shares = task.splits.get("subset_coverage", {}).get("test", {})
    present = task.splits.get("subset_coverage_present", {}).get("test", shares)
    reals = [words.percent(share) for name, share in shares.items() if name not in names]
    first = Cell(f"coverage (reals {words.listing(reals)})" if reals else "coverage")
    shares = {_POOLED: task.metrics["coverage"], **shares}
    present = {_POOLED: task.metrics.get("coverage_present", shares[_POOLED]), **present}
    cells = [headline.covered(shares.get(name), present.get(name)) for name in names]
    return [first, Cell(""), Cell(""), *cells]


def lead(task: Task) -> str:
    """Say what the subsets are, or that there are none."""
    table = task.metrics.get("subsets", [])
    if not table:
        return "The metrics of this task name no subsets, so there are no results by subset."
    sizes = dict.fromkeys(
        f"{row['subset']} n = {words.number(row['n'])}"
        for row in table
        if row["level"] == task.metrics["level"]
    )
    return (
        "Each subset against all reals, beside all subsets together; mean over seeds with its "
        f"{words.confidence(task.metrics)} below; {words.listing(list(sizes))} "
        f"({task.metrics['level']}s)."
    )
