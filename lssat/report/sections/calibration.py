"""Calibration: a table of errors before and after one temperature, and reliability diagrams."""

import numpy as np

from lssat import metrics
from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Column, Table, num
from lssat.report.kit.figures import Figure, Key, Plot, plain, spec
from lssat.report.kit.results import Task
from lssat.report.sections import headline
from lssat.tables import RunMetrics

LEAD = (
    "Expected calibration error (ECE, 15 bins of equal width) and Brier score on the test split, "
    "as they are and with logits divided by one temperature, fitted on validation at the same "
    "level; means over seeds. Few samples make an error of their own: beside each ECE stands the "
    "mean that a perfectly calibrated model with the same probabilities would have on as many "
    "samples. Only what lies clearly above it is miscalibration. The ECE of several attributes is "
    "the mean of theirs; their diagrams draw all together, where errors of some may cancel those "
    "of others."
)
_CHANCE = "the mean ECE if labels were drawn from these very probabilities"


def table(task: Task) -> Table:
    """Make the table: a row per backbone x configuration."""
    columns = [
        Column("Backbone"),
        Column("Configuration"),
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
        [*headline.named(task, (backbone, configuration)), *_numbers(task, backbone, configuration)]
        for backbone in task.backbones
        for configuration in task.configurations
        if task.runs_of(backbone, configuration)
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
    found: dict[str, list[str]] = {}
    for run in task.metrics["runs"]:
        if note := metrics.at_bound((run.get("calibration") or {}).get("temperature")):
            name = f"{run['backbone']} {run['configuration']} seed {run['seed']}"
            found.setdefault(note, []).append(name)
    return [f"{note[0].upper()}{note[1:]}: {words.listing(runs)}." for note, runs in found.items()]


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
        keys.append(Key(configuration, colour, _key([run["calibration"] for run in runs])))
    axis = {"range": [-0.01, 1.01], "dtick": 0.2}
    x = axis | {"title": {"text": "confidence"}, "constrain": "domain"}
    y = axis | {"title": {"text": "frequency"}, "scaleanchor": "x", "constrain": "domain"}
    plot = Plot(f"calibration-{task.name}-{backbone}", backbone, spec(traces, x, y))
    summary = "; ".join(f"{key.label}: {key.value}" for key in keys)
    return Figure(backbone, f"Calibration on the test split, {summary}.", keys, [plot])


def _key(found: list[dict]) -> str:
    ece, chance = (
        words.number(_mean([each.get(name) for each in found] or [None]))
        for name in ("ece", "ece_if_calibrated")
    )
    return f"ECE {ece}, {chance} if calibrated"


def _trace(run: RunMetrics, configuration: str, colour: int) -> dict:
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
