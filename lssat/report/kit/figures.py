"""Interactive figures as plotly specifications; colours come from the page, so themes can switch.

Each trace says in `meta` which colour of the page's palette it takes (-1: the muted one), and in
`legendgroup` which key of the HTML legend shows and hides it.
"""

import html
import json
from dataclasses import dataclass
from typing import Any

from lssat.report.kit import words
from lssat.report.kit.results import Task


@dataclass(frozen=True)
class Key:
    """One entry of a legend."""

    label: str
    colour: int
    value: str = ""

    @property
    def group(self) -> str:
        """The `legendgroup` of its traces."""
        return plain(self.label)


@dataclass(frozen=True)
class Plot:
    """One drawing area: an id, a title, and the specification for plotly.js."""

    id: str
    title: str
    spec: dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """Plots that share a legend, with a summary in words for those who do not see them."""

    title: str
    summary: str
    keys: list[Key]
    plots: list[Plot]
    choose: str = ""  # what the reader chooses one of the plots by; empty: all are shown


def plain(text: str) -> str:
    """Escape text for plotly.js, which reads a small HTML in names and labels."""
    return html.escape(text, quote=False).replace("\n", " ")


def spec(traces: list[dict], x: dict, y: dict) -> dict[str, Any]:
    """Return plotly's specification of a plot, its names and types checked; x, y: the axes."""
    import plotly.graph_objects as go  # a third of a second, only needed when a page is written

    axis = {"zeroline": False, "ticks": "outside", "ticklen": 4, "automargin": True}
    layout = {
        "template": "none",
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"l": 52, "r": 12, "t": 26, "b": 44},
        "xaxis": axis | x,
        "yaxis": axis | y,
    }
    # plotly's own classes check names and types; the browser would ignore a mistake in silence
    made = json.loads(
        go.Figure(data=[{"type": "scatter"} | t for t in traces], layout=layout).to_json()
    )
    made["layout"].pop("template", None)
    return made


def _round(values: list[float | None], digits: int = 4) -> list[float | None]:
    return [None if value is None else round(value, digits) for value in values]


def roc(task: Task) -> list[Figure]:
    """Draw one panel per backbone: a curve per run, AUC over seeds with interval in the legend."""
    return [_roc(task, backbone) for backbone in task.backbones if task.metrics["roc"]]


def _roc(task: Task, backbone: str) -> Figure:
    curves = {curve["run"]: curve for curve in task.metrics["roc"]}
    chance = {
        "x": [0, 1],
        "y": [0, 1],
        "mode": "lines",
        "meta": -1,
        "hoverinfo": "skip",
    }
    traces: list[dict] = [chance | {"line": {"width": 1, "dash": "dot"}}]
    keys = []
    for colour, configuration in enumerate(task.configurations):
        found = [c for r in task.runs_of(backbone, configuration) if (c := curves.get(r["run"]))]
        for curve in found:
            traces.append(_roc_trace(curve, configuration, colour))
        keys.append(Key(configuration, colour, _auc(task, backbone, configuration, found)))
    axis = {"range": [-0.01, 1.01], "dtick": 0.2}
    square = {
        "title": {"text": "true positive rate"},
        "scaleanchor": "x",
        "constrain": "domain",
    }
    x = axis | {"title": {"text": "false positive rate"}, "constrain": "domain"}
    plot = Plot(f"roc-{task.name}-{backbone}", backbone, spec(traces, x, axis | square))
    summary = "; ".join(f"{key.label}: {key.value}" for key in keys)
    return Figure(backbone, f"AUC on the test split, {summary}.", keys, [plot])


def _roc_trace(curve: dict, configuration: str, colour: int) -> dict:
    seed = curve["run"].rsplit("/", 1)[-1]
    label = plain(f"{configuration}, {seed}")
    return {
        "x": _round(curve["fpr"]),
        "y": _round(curve["tpr"]),
        "mode": "lines",
        "name": label,
        "meta": colour,
        "legendgroup": plain(configuration),
        "line": {"width": 1.6},
        "customdata": [words.number(curve["auc"])] * len(curve["fpr"]),
        "hovertemplate": "FPR %{x:.3f}, TPR %{y:.3f}<br>AUC of this run %{customdata}"
        "<extra>%{fullData.name}</extra>",
    }


def _auc(task: Task, backbone: str, configuration: str, curves: list[dict]) -> str:
    level = curves[0]["level"] if curves else task.metrics["level"]
    wanted = (backbone, configuration, level, "auc")
    for row in task.metrics["table"]:
        if (
            row["backbone"],
            row["configuration"],
            row["level"],
            row["metric"],
        ) == wanted:
            return f"AUC {words.number(row['mean'])} {words.interval(row)}"
    values = [curve["auc"] for curve in curves if curve["auc"] is not None]
    mean = sum(values) / len(values) if values else None
    return f"AUC {words.number(mean)} (no interval)"


def training(task: Task) -> list[Figure]:
    """Draw per backbone: classification loss, reconstruction loss, validation metric by epoch."""
    return [_training(task, backbone) for backbone in task.backbones]


def _training(task: Task, backbone: str) -> Figure:
    select = sorted({task.records[run]["select_metric"] for run in task.records})
    metric = f"val_{select[0].removeprefix('val_')}" if len(select) == 1 else ""
    name = metric.removeprefix("val_")
    losses = [("loss_cls", "train", "solid"), ("val_loss_cls", "validation", "dot")]
    panels = [
        ("cls", "classification loss", losses),
        ("rec", "reconstruction loss", [("loss_rec", "train", "solid")]),
        ("metric", f"validation {words.metric(name)}", [(metric, "validation", "solid")]),
    ]
    plots = []
    for name, title, columns in panels:
        traces = _curves(task, backbone, columns, marked=name == "metric")
        if traces:
            x = {"title": {"text": "epoch"}, "tickformat": "d"}
            made = spec(traces, x, {})  # the panel's heading names the ordinate
            plots.append(Plot(f"train-{name}-{task.name}-{backbone}", title, made))
    keys = [Key(text, colour) for colour, text in enumerate(task.configurations)]
    return Figure(backbone, _training_summary(task, backbone), keys, plots)


def _curves(task: Task, backbone: str, columns: list, marked: bool) -> list[dict]:
    traces = []
    for colour, configuration in enumerate(task.configurations):
        for run in task.runs_of(backbone, configuration):
            curve, record = task.curves[run["run"]], task.records[run["run"]]
            for column, part, dash in columns:
                if any(value is not None for value in curve.get(column, [])):
                    name = plain(f"{configuration}, seed {run['seed']}, {part}")
                    traces.append(_curve(curve, column, name, dash, colour, configuration))
                    if marked:
                        traces[-1] |= _marks(curve["epoch"], record["best_epoch"])
    return traces


def _curve(curve: dict, column: str, name: str, dash: str, colour: int, group: str) -> dict:
    return {
        "x": curve["epoch"],
        "y": _round(curve[column], 5),
        "name": name,
        "mode": "lines",
        "meta": colour,
        "legendgroup": plain(group),
        "line": {"width": 1.6, "dash": dash},
        "hovertemplate": "epoch %{x:d}: %{y:.4f}<extra>%{fullData.name}</extra>",
    }


def _marks(epochs: list, best: int) -> dict:
    sizes = [8 if epoch == best else 0 for epoch in epochs]
    return {"mode": "lines+markers", "marker": {"size": sizes, "opacity": 1}}


def _training_summary(task: Task, backbone: str) -> str:
    parts = []
    for configuration in task.configurations:
        records = [task.records[run["run"]] for run in task.runs_of(backbone, configuration)]
        values = [f"{words.number(r['best_value'])} (epoch {r['best_epoch']})" for r in records]
        parts.append(f"{configuration}: {words.listing(values)}" if values else "")
    name = words.metric(next(iter(task.records.values()))["select_metric"].removeprefix("val_"))
    return f"Best validation {name} by seed, {'; '.join(filter(None, parts))}."
