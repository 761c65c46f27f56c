"""Calibration: a table of errors before and after one temperature, and reliability diagrams."""

import numpy as np

from lssat import grid, metrics
from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table, num
from lssat.report.kit.figures import Figure, Key, Plot, diagonal
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Part, Section
from lssat.report.kit.svg import Axis, Trace
from lssat.report.sections import headline

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
    columns = [
        *ROW,
        Column("Flag"),
        Column("ECE", "num", "0 is best"),
        Column("If calibrated", "num", _CHANCE),
        Column("ECE, scaled", "num"),
        Column("If calibrated, scaled", "num", _CHANCE),
        Column("Brier", "num", "0 is best"),
        Column("Brier, scaled", "num"),
        Column("Temperature", "num", "above 1: the model is too sure"),
    ]
    rows = [
        [*headline.named(task, pair), *_numbers(task, *pair)]
        for pair in map(words.pair, task.best_first)
    ]
    caption = f"{task.title}: calibration, {task.metrics['level']} level"
    return Table(f"calibration-{task.name}", caption, columns, rows, notes=_notes(task))


def _numbers(task: Task, backbone: str, configuration: str) -> list[Cell]:
    runs = [run.get("calibration") for run in task.runs_of(backbone, configuration)]
    raw = [run for run in runs if run is not None]
    if len(raw) < len(runs):  # scores that are not finite
        return [num(None)] * 7
    scaled = [run["scaled"] or {} for run in raw]
    errors = ("ece", "ece_if_calibrated")
    wanted = [(measured, key) for measured in (raw, scaled) for key in errors]
    wanted += [(raw, "brier"), (scaled, "brier"), (raw, "temperature")]
    return [num(_mean([each.get(key) for each in measured])) for measured, key in wanted]


def _notes(task: Task) -> list[str]:
    """Name the runs whose temperature is at a bound of its search."""
    about: dict[str, list[str]] = {}
    for run in task.metrics["runs"]:
        if note := metrics.at_bound((run.get("calibration") or {}).get("temperature")):
            name = f"{run['backbone']} {run['configuration']} seed {run['seed']}"
            about.setdefault(note, []).append(name)
    for run in task.metrics["runs"]:
        calibration = run.get("calibration") or {}
        if run["configuration"] == grid.EXTERNAL and calibration.get("temperature") is None:
            about.setdefault(str(calibration.get("note")), []).append(run["backbone"])
    return [f"{note[0].upper()}{note[1:]}: {words.listing(runs)}." for note, runs in about.items()]


def _mean(values: list) -> float | None:
    return None if any(value is None for value in values) else float(np.mean(values))


def diagram(task: Task) -> Figure | None:
    """Draw reliability: frequency against confidence, a plot a row, the best on test at first."""
    rows = [words.pair(row) for row in task.best_first]
    runs = {pair: [r["calibration"] for r in task.runs_of(*pair) if r.get("calibration")]
            for pair in rows}  # fmt: skip
    plots = [_reliability(task, n, pair, runs[pair]) for n, pair in enumerate(rows) if runs[pair]]
    if not plots:
        return None
    summary = "; ".join(f"{' · '.join(pair)}: {_errors(errors)}" for pair, errors in runs.items())
    caption = (
        f"Before scaling, {words.tested(task.metrics)}, the answers of all seeds together. "
        f"Bins of equal width are joined until each holds 1/{_PARTS} of "
        "the answers; a mark’s area is its bin’s share. On the dotted line probabilities mean "
        "what they say."
    )
    return Figure(
        "Reliability", f"Calibration on the test split, {summary}.", [], plots, "Row", caption
    )


def _reliability(task: Task, number: int, pair: tuple[str, str], runs: list[dict]) -> Plot:
    bins = adaptive([run["bins"] for run in runs])
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
    keys = [Key(" · ".join(pair), 0, _errors(runs), "circle")]
    title = " · ".join(pair)
    id = f"calibration-{task.name}-{number}"
    return Plot(id, title, [diagonal(), trace], x, y, 400, 380, keys)


def adaptive(runs: list[dict], parts: int = _PARTS) -> list[tuple[float, float, int]]:
    """Join the bins of a row's runs until each holds at least one of `parts` of the answers.

    Args:
        runs: bins of equal width of each run: `confidence`, `frequency` and `count`.

    Returns:
        mean confidence, share that was right, and answers of each bin, from left to right.
    """
    every = sorted(
        (confidence, frequency, n)
        for bins in runs
        for confidence, frequency, n in zip(
            bins["confidence"], bins["frequency"], bins["count"], strict=True
        )
        if n
    )
    least = sum(n for *_, n in every) / parts
    groups: list[list[tuple[float, float, int]]] = [[]]
    for one in every:
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


def _errors(runs: list[dict]) -> str:
    ece, chance = (
        words.number(_mean([run.get(name) for run in runs] or [None]))
        for name in ("ece", "ece_if_calibrated")
    )
    return f"ECE {ece}, {chance} if calibrated"


def content(page: Page) -> list[Part]:
    """Return a part for each task: diagrams, if any, and the table."""
    drawn = [(task, diagram(task)) for task in page.tasks]
    return [
        Part(task.title, figures=[f] if f else [], folded=[("Table of errors", table(task))])
        for task, f in drawn
    ]


SECTION = Section("calibration", "Calibration", content=content, lead=LEAD)
