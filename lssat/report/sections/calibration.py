"""Calibration: a table of errors before and after one temperature, and reliability diagrams."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lssat import grid
from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Column, Table, flag_of
from lssat.report.kit.figures import Figure, Key, Plot, diagonal
from lssat.report.kit.results import Task
from lssat.report.kit.section import Part, Section, by_task
from lssat.report.kit.svg import Axis, Trace
from lssat.tables.metric_tables import Number, Row, RunMetrics

LEAD = (
    "Expected calibration error (ECE, 15 bins of equal width) and Brier score on the test split, "
    "as they are and with logits divided by one temperature, fitted on validation at the same "
    "level; means over seeds. Few samples make an error of their own: beside each ECE stands the "
    "mean that a perfectly calibrated model with the same probabilities would have on as many "
    "samples. Only what lies clearly above it is miscalibration. The ECE of several attributes is "
    "the mean of theirs; their diagrams draw all together, where errors of some may cancel those "
    "of others."
)
_PARTS = 8  # of the answers, of which each bin of a diagram holds one at least
_CHANCE = "the mean ECE if labels were drawn from these very probabilities"


def table(task: Task) -> Table:
    """Make the table: a row per backbone x configuration."""

    def mean(*keys: str) -> Callable[[Row], Number]:
        return lambda row: _mean(task.runs_of(*words.pair(row)), *keys)

    columns = [
        *ROW,
        flag_of(task),
        Column("ECE", "num", "0 is best", mean("ece")),
        Column("If calibrated", "num", _CHANCE, mean("ece_if_calibrated")),
        Column("ECE, scaled", "num", "", mean("scaled", "ece")),
        Column("If calibrated, scaled", "num", _CHANCE, mean("scaled", "ece_if_calibrated")),
        Column("Brier", "num", "0 is best", mean("brier")),
        Column("Brier, scaled", "num", "", mean("scaled", "brier")),
        Column("Temperature", "num", "above 1: the model is too sure", mean("temperature")),
    ]
    caption = f"{task.title}: calibration, {task.metrics['level']} level"
    id, notes = f"calibration-{task.name}", _notes(task)
    return Table.of(id, caption, columns, task.best_first, notes=notes)


def _mean(runs: list[RunMetrics], *keys: str) -> Number:
    """Average a number over runs; None unless all have it: some scores are not finite."""
    values = []
    for run in runs:
        value: Any = run.get("calibration")
        for key in keys:
            value = None if value is None else value.get(key)
        values.append(value)
    return None if not values or None in values else float(np.mean(values))


def _notes(task: Task) -> list[str]:
    """Name the runs whose temperature is at a bound of its search, or could not be fitted."""
    about: dict[str, list[str]] = {}
    for run in task.metrics["runs"]:
        if note := run.get("calibration", {}).get("note"):
            name = f"{run['backbone']} {run['configuration']} seed {run['seed']}"
            external = run["configuration"] == grid.EXTERNAL
            about.setdefault(note, []).append(run["backbone"] if external else name)
    return [f"{words.capital(note)}: {words.listing(runs)}." for note, runs in about.items()]


def diagram(task: Task) -> Figure | None:
    """Draw reliability: frequency against confidence, a plot a row, the best on test at first."""
    runs_of = {
        " · ".join(pair): [run for run in task.runs_of(*pair) if run.get("calibration")]
        for pair in map(words.pair, task.best_first)
    }
    plots = [
        _reliability(f"calibration-{task.name}-{number}", name, runs)
        for number, (name, runs) in enumerate(runs_of.items())
        if runs
    ]
    if not plots:
        return None
    errors = "; ".join(f"{name}: {_errors(runs)}" for name, runs in runs_of.items())
    caption = (
        f"Before scaling, {words.tested(task.metrics)}, the answers of all seeds together. "
        f"Bins of equal width are joined until each holds 1/{_PARTS} of "
        "the answers; a mark’s area is its bin’s share. On the dotted line probabilities mean "
        "what they say."
    )
    summary = f"Calibration on the test split, {errors}."
    return Figure("Reliability", summary, [], plots, "Row", caption)


def _errors(runs: list[RunMetrics]) -> str:
    ece, chance = words.number(_mean(runs, "ece")), words.number(_mean(runs, "ece_if_calibrated"))
    return f"ECE {ece}, {chance} if calibrated"


def _reliability(id: str, name: str, runs: list[RunMetrics]) -> Plot:
    bins = adaptive([run["calibration"]["bins"] for run in runs])
    total = sum(n for *_, n in bins)
    trace = Trace(
        [confidence for confidence, _, _ in bins],
        [frequency for _, frequency, _ in bins],
        0,
        line="solid",
        shape="circle",
        size=[max(6.0, 22 * (n / total) ** 0.5) for *_, n in bins],
        hints=[
            f"confidence {words.number(confidence)}, frequency {words.number(frequency)}, "
            f"{words.count(n, 'answer')} in this bin"
            for confidence, frequency, n in bins
        ],
    )
    x, y = Axis("confidence", 0, 1, step=0.2), Axis("frequency", 0, 1.005, step=0.2)
    key = Key(name, 0, _errors(runs), "circle")
    return Plot(id, name, [diagonal(), trace], x, y, 400, 380, [key])


def adaptive(runs: list[dict], parts: int = _PARTS) -> list[tuple[float, float, int]]:
    """Join the bins of a row's runs until each holds at least one of `parts` of the answers.

    Args:
        runs: bins of equal width of each run: `confidence`, `frequency` and `count`.

    Returns:
        mean confidence, share that was right, and answers of each bin, from left to right.
    """
    bins_of_all = sorted(
        (confidence, frequency, n)
        for bins in runs
        for confidence, frequency, n in zip(
            bins["confidence"], bins["frequency"], bins["count"], strict=True
        )
        if n
    )
    least = sum(n for *_, n in bins_of_all) / parts
    groups: list[list[tuple[float, float, int]]] = [[]]
    for one in bins_of_all:
        if sum(n for *_, n in groups[-1]) >= least:
            groups.append([])
        groups[-1].append(one)
    if len(groups) > 1 and sum(n for *_, n in groups[-1]) < least:
        groups[-2:] = [groups[-2] + groups[-1]]
    return [_joined(group) for group in groups if group]


def _joined(group: list[tuple[float, float, int]]) -> tuple[float, float, int]:
    total = sum(n for *_, n in group)
    confidence = sum(c * n for c, _, n in group) / total
    return confidence, sum(f * n for _, f, n in group) / total, total


def _part(task: Task) -> Part:
    figures = [figure] if (figure := diagram(task)) else []
    return Part(task.title, figures=figures, folded=[("Table of errors", table(task))])


SECTION = Section("calibration", "Calibration", content=by_task(_part), lead=LEAD)
