"""Calibration: a table of errors before and after one temperature, and reliability diagrams."""

import numpy as np

from lssat.report import results, words
from lssat.report.cells import Cell, Column, Table, num
from lssat.report.figures import Figure, Key, Plot, plain, spec
from lssat.report.read import Task

LEAD = (
    "Expected calibration error (15 bins of equal width) and Brier score on the test split, as "
    "they are and with logits divided by one temperature fitted on validation; means over seeds."
)


def table(task: Task) -> Table:
    """Make the table: a row per backbone x configuration."""
    columns = [
        Column("Backbone"),
        Column("Configuration"),
        Column("Flag"),
        Column("ECE", "num", "0 is best"),
        Column("ECE, scaled", "num"),
        Column("Brier", "num", "0 is best"),
        Column("Brier, scaled", "num"),
        Column("Temperature", "num", "above 1: the model is too sure"),
    ]
    rows = [
        [*results.named(task, (backbone, configuration)), *_numbers(task, backbone, configuration)]
        for backbone in task.backbones
        for configuration in task.configurations
        if task.runs_of(backbone, configuration)
    ]
    caption = f"{task.title}: calibration, {task.metrics['level']} level"
    return Table(f"calibration-{task.name}", caption, columns, rows)


def _numbers(task: Task, backbone: str, configuration: str) -> list[Cell]:
    runs = [run.get("calibration") for run in task.runs_of(backbone, configuration)]
    if any(run is None for run in runs):  # scores that are not finite
        return [num(None)] * 5
    scaled = [run["scaled"] or {} for run in runs if run]
    columns = [[run[key] for run in runs if run] for key in ("ece", "brier", "temperature")]
    after = [[run.get(key) for run in scaled] for key in ("ece", "brier")]
    return [num(_mean(each)) for each in (columns[0], after[0], columns[1], after[1], columns[2])]


def _mean(values: list) -> float | None:
    return None if any(value is None for value in values) else float(np.mean(values))


def diagrams(task: Task) -> list[Figure]:
    """Draw one reliability diagram per backbone: frequency against confidence, a line a run."""
    return [_diagram(task, backbone) for backbone in task.backbones]


def _diagram(task: Task, backbone: str) -> Figure:
    right = {"x": [0, 1], "y": [0, 1], "mode": "lines", "meta": -1, "hoverinfo": "skip"}
    traces: list[dict] = [right | {"line": {"width": 1, "dash": "dot"}}]
    keys = []
    for colour, configuration in enumerate(task.configurations):
        runs = [run for run in task.runs_of(backbone, configuration) if run.get("calibration")]
        traces += [_trace(run, configuration, colour) for run in runs]
        errors = [run["calibration"]["ece"] for run in runs]
        keys.append(Key(configuration, colour, f"ECE {words.number(_mean(errors or [None]))}"))
    axis = {"range": [-0.01, 1.01], "dtick": 0.2}
    x = axis | {"title": {"text": "confidence"}, "constrain": "domain"}
    y = axis | {"title": {"text": "frequency"}, "scaleanchor": "x", "constrain": "domain"}
    plot = Plot(f"calibration-{task.name}-{backbone}", backbone, spec(traces, x, y))
    summary = "; ".join(f"{key.label}: {key.value}" for key in keys)
    return Figure(backbone, f"Calibration on the test split, {summary}.", keys, [plot])


def _trace(run: dict, configuration: str, colour: int) -> dict:
    bins = run["calibration"]["bins"]
    return {
        "x": [round(value, 4) for value in bins["confidence"]],
        "y": [round(value, 4) for value in bins["frequency"]],
        "mode": "lines+markers",
        "name": plain(f"{configuration}, seed {run['seed']}"),
        "meta": colour,
        "legendgroup": plain(configuration),
        "line": {"width": 1.6},
        "marker": {"size": 5},
        "customdata": bins["count"],
        "hovertemplate": "confidence %{x:.3f}, frequency %{y:.3f}<br>%{customdata} in this bin"
        "<extra>%{fullData.name}</extra>",
    }
