"""Trained on one thing, tested on another: manipulations and data sets as matrices."""

from collections.abc import Mapping, Sequence
from typing import Any

from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table
from lssat.report.kit.results import Cross, Task
from lssat.report.kit.section import Page, Part, Section
from lssat.tables import Metrics

_METHODS = (
    "A row is what was trained on, a column the fakes that were tested, against all reals of the "
    "test set. In a cell marked unseen no fake of that method was in training, in validation, or "
    "in what a temperature was fitted to. Columns share their reals, so that their errors go "
    "together; nothing here is a test between cells."
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
        sets = [each for each in page.across if each.metrics["task"] == task.name]
        said, tables = [], []
        if any(methods(task, run) for run in task.records):
            tested = [(task.name, task.metrics), *((each.name, each.metrics) for each in sets)]
            matrices = [_methods(task, *each) for each in tested if _of_methods(each[1])]
            said, tables = [_METHODS], matrices
        if len(sets) > 1:
            said, tables = [*said, _SETS], [*tables, _sets(task, sets)]
        if tables:
            parts.append(Part(task.title, said, tables))
    return parts


def methods(task: Task, run: str) -> list[str] | None:
    """Return the manipulations that a run was trained on; None: all, or another program's."""
    return _recipe(task, run).get("methods")


def _recipe(task: Task, run: str) -> dict[str, Any]:
    record = task.records.get(run)  # none of results of other programs
    return record["params"]["train"] if record else {}


def _about(task: Task, run: str) -> str:
    """Say what a run was trained on."""
    if run not in task.records:
        return words.DASH
    about = ", ".join(methods(task, run) or ["all"])
    blend = _recipe(task, run).get("blend", "none")  # docs/rivals.md
    return about if blend == "none" else f"{blend} of reals, chosen by {about}"


def _methods(task: Task, name: str, metrics: Metrics) -> Table:
    """Make a matrix of one test set: training down, the method of the fakes across."""
    found = _of_methods(metrics)
    names = sorted({row["subset"] for row in found})
    trained = {row["subset"] for row in task.metrics["subsets"]}
    trained |= task.splits.get("subsets", {}).get("train", {}).keys()  # and is not tested
    sizes = {row["subset"]: row["n"] for row in found}
    columns = [*ROW, Column("Trained on", "key")]
    columns += [Column(n, "num", f"n = {words.number(sizes[n])}") for n in names]
    columns += [Column("all together", "num", "all fakes of this test set")]
    cells = {(*words.pair(row), row["subset"]): row for row in found}
    rows = []
    for row in _of(metrics["table"], metrics):
        own = methods(task, row["runs"][0])
        seen = trained if own is None else {*own}
        line = [_value(cells.get((*words.pair(row), each)), each in seen) for each in names]
        named = [Cell(text) for text in (*words.pair(row), _about(task, row["runs"][0]))]
        rows.append([*named, *line, _value(row, True)])
    caption = (
        f"{words.where(metrics)} on {name}, by what was trained on and the method of the fakes"
    )
    return Table(f"protocol-{task.name}-{name}", caption, columns, rows)


def _sets(task: Task, sets: Sequence[Cross]) -> Table:
    """Make the matrix of test sets: training down, the data set across."""
    metric = task.metrics["metric"]
    tested = [(task.name, task.metrics), *((each.name, each.metrics) for each in sets)]
    cells = {
        (*words.pair(row), name): row
        for name, metrics in tested
        for row in metrics["table"]
        if (row["level"], row["metric"]) == (metrics["level"], metric)
    }
    columns = [*ROW]
    columns += [_column(name, metrics, task) for name, metrics in tested]
    rows = [
        [*map(Cell, pair), *[_value(cells.get((*pair, name)), True) for name, _ in tested]]
        for pair in dict.fromkeys(key[:2] for key in cells)
    ]
    caption = f"{words.metric(metric)} of the runs of {task.name}, by data set"
    return Table(f"protocol-sets-{task.name}", caption, columns, rows)


def _column(name: str, metrics: Metrics, task: Task) -> Column:
    level = metrics["level"]
    hint = f"n = {words.number(metrics['n'][level])} {level}s"
    if metrics.get("unasked"):
        hint += f", {len(metrics['classes'])} of {len(task.metrics['classes'])} classes"
    return Column(name, "num", hint)


def _of_methods(metrics: Metrics) -> list[Mapping[str, Any]]:
    """Return the rows of the headline by method; none of fakes whose method nobody tells."""
    return [row for row in _of(metrics.get("subsets", []), metrics) if row["subset"]]


def _of(rows: Sequence[Mapping[str, Any]], metrics: Metrics) -> list[Mapping[str, Any]]:
    head = (metrics["level"], metrics["metric"])
    return [row for row in rows if (row["level"], row["metric"]) == head]


def _value(row: Mapping[str, Any] | None, seen: bool) -> Cell:
    if row is None:
        return Cell(words.DASH)
    small = words.interval(row) if seen else f"{words.interval(row)} unseen"
    return Cell(words.number(row["mean"]), row["mean"], small)


SECTION = Section(
    "protocols",
    "Unseen",
    "Unseen manipulations and data",
    content,
    ask="train.methods of a variant, or two data sets in benchmark.cross",
)
