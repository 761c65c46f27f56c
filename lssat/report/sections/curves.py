"""ROC and training curves: a line is the mean over a row's seeds."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lssat.report.kit import words
from lssat.report.kit.figures import Figure, Key, Plot, diagonal
from lssat.report.kit.results import Task
from lssat.report.kit.section import Part, Section, by_task
from lssat.report.kit.svg import DASHES, Axis, Trace
from lssat.report.sections import decoder
from lssat.tables.metric_tables import Curve

_FPR = np.linspace(0, 1, 101)
_BEST = "best on test of each backbone"
Pair = tuple[str, str]  # backbone, configuration


class MeanRoc(NamedTuple):
    """The ROC curve of a row, and the area below it in words."""

    backbone: str
    name: str
    tpr: list[float]  # at each of _FPR
    auc: str


def roc_lead(task: Task) -> str:
    """Say what a ROC curve of the task is."""
    if task.metrics["kind"] == "binary":
        return f"Positive is fake; one point per threshold on the {task.metrics['level']} score."
    return "Macro average of the one-vs-rest curves of all classes or attributes that vary."


def roc(task: Task) -> Figure | None:
    """Draw mean curves of the best row of each backbone; those of a backbone can be chosen."""
    curves = [curve for row in task.best_first if (curve := _mean_roc(task, words.pair(row)))]
    if not curves:
        return None
    caption = (
        f"{words.tested(task.metrics)} of the {task.metrics['split']} split; the true positive "
        "rate is averaged over seeds at each false positive rate; the dotted line is chance."
    )
    areas = "; ".join(f"{curve.name}: {curve.auc}" for curve in curves)
    plots = [
        _roc_plot(f"roc-{task.name}-{number}", title, chosen)
        for number, (title, chosen) in enumerate(_choices(task, curves).items())
    ]
    summary = f"AUC on the test split, {areas}."
    return Figure("Mean ROC curves", summary, [], plots, "Rows", caption)


def _mean_roc(task: Task, pair: Pair) -> MeanRoc | None:
    """Return the mean curve of a row; None unless each of its runs that are scored has one."""
    runs = {run["run"] for run in task.runs_of(*pair)}
    curves = [curve for curve in task.metrics["roc"] if curve["run"] in runs]
    if not curves or not all(curve["fpr"] for curve in curves):
        return None
    mean = np.mean([np.interp(_FPR, curve["fpr"], curve["tpr"]) for curve in curves], axis=0)
    return MeanRoc(pair[0], " · ".join(pair), mean.tolist(), _auc(task, pair, curves))


def _auc(task: Task, pair: Pair, curves: list[Curve]) -> str:
    wanted = (*pair, curves[0]["level"], "auc")
    for row in task.metrics["table"]:
        if (*words.pair(row), row["level"], row["metric"]) == wanted:
            return f"AUC {words.number(row['mean'])} {words.interval(row)}"
    values = [curve["auc"] for curve in curves if curve["auc"] is not None]
    return f"AUC {words.number(float(np.mean(values)) if values else None)} (no interval)"


def _choices(task: Task, curves: list[MeanRoc]) -> dict[str, list[MeanRoc]]:
    """Return which rows stand in which plot: the best of each backbone, then each backbone's."""
    names = dict.fromkeys([*task.backbones, *(curve.backbone for curve in curves)])
    by_name = {name: [curve for curve in curves if curve.backbone == name] for name in names}
    by_name = {name: of_backbone for name, of_backbone in by_name.items() if of_backbone}
    if len(by_name) == 1:
        return by_name
    return {_BEST: [of_backbone[0] for of_backbone in by_name.values()], **by_name}


def _roc_plot(id: str, title: str, curves: list[MeanRoc]) -> Plot:
    lines = [
        Trace(_FPR.tolist(), curve.tpr, number, name=curve.name, line="solid", width=2)
        for number, curve in enumerate(curves)
    ]
    keys = [Key(curve.name, number, curve.auc) for number, curve in enumerate(curves)]
    x = Axis("false positive rate", 0, 1, step=0.2)
    y = Axis("true positive rate", 0, 1.005, step=0.2)
    return Plot(id, title, [diagonal(), *lines], x, y, 400, 380, keys)


def training(task: Task) -> Figure:
    """Draw losses and the validation metric by epoch: for each backbone, a line a configuration."""
    metrics = {record["select_metric"] for record in task.records.values()}
    columns = {
        "loss_cls": "classification loss, training",
        "val_loss_cls": "classification loss, validation",
        "loss_rec": "auxiliary loss, training",
    }
    if len(metrics) == 1:
        (metric,) = metrics
        columns[metric] = f"{words.metric(metric.removeprefix('val_'))}, validation"
    constants = {pair: decoder.constant_loss(errors) for pair, errors in decoder.rows(task).items()}
    panels = [
        panel
        for column, title in columns.items()
        for panel in _panels(task, column, title, constants if column == "loss_rec" else {})
    ]
    keys = [
        Key(name, number, line=_dash(number)) for number, name in enumerate(task.configurations)
    ]
    n = words.seeds(task.trained)
    caption = (
        f"Means over {n}; a run that ended early is carried on at its last value. Losses are "
        "unweighted and have no unit. A dot is the median of the epochs that were kept. "
        f"Training: {_size(task, 'train')}; validation: {_size(task, 'val')}."
    )
    if any(constants.values()):
        caption += " The flat dotted line is the auxiliary loss of a constant: of a decoder that "
        caption += "has learnt nothing of the image."
    return Figure("Losses by epoch", _kept(task), keys, panels, "Backbone", caption)


def _size(task: Task, split: str) -> str:
    samples, groups = task.splits["samples"][split], task.splits["groups"][split]
    return words.sized(samples, task.metrics["level"], groups)


def _dash(number: int) -> str:
    """Return the dashes of a configuration, so that colour does not tell it alone."""
    return list(DASHES)[number % len(DASHES)]


def _panels(
    task: Task, column: str, title: str, constants: Mapping[Pair, float | None]
) -> list[Plot]:
    """Make a plot of a column for each backbone, all on one scale.

    Args:
        constants: what a constant loses in each row, drawn beside its line.
    """
    lines = {
        (backbone, configuration): _mean_curve(task, (backbone, configuration), column)
        for backbone in task.backbones
        for configuration in task.configurations
    }
    values = [value for line in lines.values() for value in line]
    if not values:
        return []
    values += [value for value in constants.values() if value is not None]
    pad = 0.04 * (max(values) - min(values)) or 0.05
    y = Axis("", min(values) - pad, max(values) + pad)
    x = Axis("epoch", 0, max(1, *(len(line) - 1 for line in lines.values())))
    name = column.removeprefix("val_") if column != "val_loss_cls" else column
    traces: dict[str, list[Trace]] = {backbone: [] for backbone in task.backbones}
    for pair, line in lines.items():
        traces[pair[0]] += _line(task, pair, line, column)
        traces[pair[0]] += _level(task, pair, len(line), constants.get(pair))
    return [
        Plot(f"train-{name}-{task.name}-{backbone}", title, drawn, x, y, 320, 230, group=backbone)
        for backbone, drawn in traces.items()
    ]


def _line(task: Task, pair: Pair, line: list[float], column: str) -> list[Trace]:
    """Draw the mean curve of a row, with a dot on validation at the epoch that was kept."""
    name, number = pair[1], task.configurations.index(pair[1])
    kept = [task.records[run["run"]]["best_epoch"] for run in task.runs_of(*pair)]
    at = int(np.median(kept)) if kept and column.startswith("val_") else -1
    sizes = [7 * (epoch == at) for epoch in range(len(line))]
    x, dash = range(len(line)), _dash(number)
    return [Trace(x, line, number, name, name, dash, shape="circle", size=sizes)] if line else []


def _level(task: Task, pair: Pair, epochs: int, constant: float | None) -> list[Trace]:
    if constant is None:
        return []
    x, label = [0, max(1, epochs - 1)], f"{pair[1]}: a constant"
    number = task.configurations.index(pair[1])
    return [Trace(x, [constant, constant], number, pair[1], label, "dot", width=1)]


def _mean_curve(task: Task, pair: Pair, column: str) -> list[float]:
    """Return the mean over seeds by epoch; empty where no run has the column."""
    curves = [task.curves[run["run"]].get(column, []) for run in task.runs_of(*pair)]
    known = [[value for value in curve if value is not None] for curve in curves]
    known = [curve for curve in known if curve]
    longest = max(map(len, known), default=0)
    padded = [curve + [curve[-1]] * (longest - len(curve)) for curve in known]
    return np.mean(padded, axis=0).tolist() if padded else []


def _kept(task: Task) -> str:
    """Say at which validation value and epoch each run was kept."""
    parts = []
    for pair in map(words.pair, sorted(task.trained, key=words.standing)):
        records = [task.records[run["run"]] for run in task.runs_of(*pair)]
        values = [f"{words.number(r['best_value'])} (epoch {r['best_epoch']})" for r in records]
        parts.append(f"{', '.join(pair)}: {words.listing(values)}")
    name = words.metric(next(iter(task.records.values()))["select_metric"].removeprefix("val_"))
    return f"Best {name} on validation by seed, {'; '.join(parts)}."


def _roc_part(task: Task) -> Part | None:
    figure = roc(task)
    return Part(task.title, figures=[figure], lead=roc_lead(task)) if figure else None


def _training_part(task: Task) -> Part:
    return Part(task.title, figures=[training(task)])


ROC = Section("roc", "ROC", "ROC curves", by_task(_roc_part))
TRAINING = Section("training", "Training", "Training curves", by_task(_training_part))
