"""Trained on one thing, tested on another: manipulations and data sets as matrices."""

from dataclasses import replace
from typing import Any

from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table, measured
from lssat.report.kit.columns import score_in
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Part, Section
from lssat.tables import Metrics, Row
from lssat.tables.metric_tables import SubsetRow

_METHODS = (
    "A row is what was trained on, a column the fakes that were tested, against all reals of the "
    "test set. In a cell marked unseen no fake of that method was in training, in validation, or "
    "in what a temperature was fitted to. Columns share their reals, so that their errors are "
    "correlated; no test compares two cells."
)
_SETS = (
    "A row is what was trained on, a column what was tested: the test split at home, and data sets "
    "that nothing was trained, chosen or calibrated on."
)


def content(page: Page) -> list[Part]:
    """Return a part for each task with methods left out of a training, or with several test sets.

    The cells are those of metrics.json: means over seeds with their intervals.
    """
    parts = []
    for task in page.tasks:
        sets = [cross for cross in page.across if cross.metrics["task"] == task.name]
        tested = [(task.name, task.metrics), *((cross.name, cross.metrics) for cross in sets)]
        paragraphs, tables = [], []
        if any(methods(task, run) for run in task.records):
            paragraphs.append(_METHODS)
            tables += [_methods(task, *one) for one in tested if _of_methods(one[1])]
        if len(sets) > 1:
            paragraphs.append(_SETS)
            tables.append(_sets(task, tested))
        if tables:
            parts.append(Part(task.title, paragraphs, tables))
    return parts


def methods(task: Task, run: str) -> list[str] | None:
    """Return the manipulations that a run was trained on; None: all, or another program's."""
    return _recipe(task, run).get("methods")


def _recipe(task: Task, run: str) -> dict[str, Any]:
    record = task.records.get(run)  # none of results of other programs
    return record["params"]["train"] if record else {}


def _trained_on(task: Task, row: Row) -> str:
    """Say what the runs of a row were trained on."""
    run = row["runs"][0]
    if run not in task.records:
        return words.DASH
    names = ", ".join(methods(task, run) or ["all"])
    blend = _recipe(task, run).get("blend", "none")  # docs/rivals.md
    return names if blend == "none" else f"{blend} of reals, chosen by {names}"


def _methods(task: Task, name: str, metrics: Metrics) -> Table:
    """Make a matrix of one test set: training down, the method of the fakes across."""
    rows = _of_methods(metrics)
    sizes = {row["subset"]: row["n"] for row in rows}
    by_cell = {(words.pair(row), row["subset"]): row for row in rows}
    trained = {row["subset"] for row in task.metrics["subsets"]}
    trained |= task.splits.get("subsets", {}).get("train", {}).keys()  # and is not tested

    def column(method: str) -> Column:
        def cell(row: Row) -> Cell:
            names = methods(task, row["runs"][0])
            seen = method in (trained if names is None else names)
            return _value(by_cell.get((words.pair(row), method)), seen)

        return Column(method, "num", f"n = {words.number(sizes[method])}", cell)

    columns = [
        *ROW,
        Column("Trained on", "key", value=lambda row: _trained_on(task, row)),
        *map(column, sorted(sizes)),
        Column("all together", "num", "all fakes of this test set", measured),
    ]
    head = [row for row in metrics["table"] if words.is_headline(row, metrics)]
    what = f"{words.measure(metrics)} on {name}"
    caption = f"{what}, by what was trained on and the method of the fakes"
    return Table.of(f"protocol-{task.name}-{name}", caption, columns, head)


def _sets(task: Task, tested: list[tuple[str, Metrics]]) -> Table:
    """Make the matrix of test sets: training down, the data set across."""
    metric = task.metrics["metric"]
    every: list[Row] = []
    columns = [*ROW]
    for name, metrics in tested:
        level = metrics["level"]
        rows = [r for r in metrics["table"] if (r["level"], r["metric"]) == (level, metric)]
        every += rows
        hint = f"n = {words.number(metrics['n'][level])} {level}s"
        if metrics.get("unasked"):
            hint += f", {len(metrics['classes'])} of {len(task.metrics['classes'])} classes"
        columns.append(score_in(rows, name, hint))
    caption = f"{words.metric(metric)} of the runs of {task.name}, by data set"
    by_pair = {words.pair(row): row for row in every}
    return Table.of(f"protocol-sets-{task.name}", caption, columns, by_pair.values())


def _of_methods(metrics: Metrics) -> list[SubsetRow]:
    """Return the rows of the headline by method; none of fakes whose method nobody tells."""
    rows = [row for row in metrics["subsets"] if words.is_headline(row, metrics)]
    return [row for row in rows if row["subset"]]


def _value(row: SubsetRow | None, seen: bool) -> Cell:
    cell = measured(row)
    return cell if seen or row is None else replace(cell, small=f"{cell.small} unseen")


SECTION = Section(
    "protocols",
    "Unseen",
    "Unseen manipulations and data",
    content,
    ask="train.methods of a variant, or two data sets in benchmark.cross",
)
