"""ROC and training curves: a line is the mean over a row's seeds."""

from collections.abc import Mapping, Sequence

import numpy as np

from lssat.report.kit import words
from lssat.report.kit.figures import Figure, Key, Plot, diagonal
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Part, Section
from lssat.report.kit.svg import DASHES, Axis, Trace
from lssat.report.sections import decoder

_FPR = np.linspace(0, 1, 101)
_BEST = "best on test of each backbone"
Pair = tuple[str, str]  # backbone, configuration


def roc_lead(task: Task) -> str:
    """Say what a ROC curve of the task is."""
    if task.metrics["kind"] == "binary":
        return f"Positive is fake; one point per threshold on the {task.metrics['level']} score."
    return "Macro average of the one-vs-rest curves of all classes or attributes that vary."


def roc(task: Task) -> Figure | None:
    """Draw mean curves of the best row of each backbone; those of a backbone can be chosen."""
    curves = {curve["run"]: curve for curve in task.metrics["roc"]}
    drawn = {pair: _mean_roc(task, pair, curves) for pair in pairs(task)}
    means = {pair: mean for pair, mean in drawn.items() if mean is not None}
    if not means:
        return None
    plots = [
        _roc(task, f"roc-{task.name}-{number}", title, {pair: means[pair] for pair in chosen})
        for number, (title, chosen) in enumerate(_choices(task, list(means)).items())
    ]
    areas = "; ".join(f"{_label(pair)}: {_auc(task, pair, curves)}" for pair in means)
    return Figure(
        "Mean ROC curves",
        f"AUC on the test split, {areas}.",
        [],
        plots,
        choose="Rows",
        caption=f"{words.tested(task.metrics)} of the {task.metrics['split']} split; the true "
        "positive rate is averaged over seeds at each false positive rate; the dotted line is "
        "chance.",
    )


def pairs(task: Task) -> list[Pair]:
    """Return the rows of the grid, those of the best mean first."""
    return [words.pair(row) for row in task.best_first]


def _label(pair: Pair) -> str:
    return " · ".join(pair)


def _choices(task: Task, drawn: list[Pair]) -> dict[str, list[Pair]]:
    """Return which rows stand in which plot: the best of each backbone, then each backbone's."""
    names = dict.fromkeys([*task.backbones, *(name for name, _ in drawn)])
    of = {name: [pair for pair in drawn if pair[0] == name] for name in names}
    of = {name: own for name, own in of.items() if own}
    if len(of) == 1:
        return of
    return {_BEST: [own[0] for own in of.values()], **of}


def _mean_roc(task: Task, pair: Pair, curves: dict[str, dict]) -> np.ndarray | None:
    of_row = [curves[run["run"]] for run in task.runs_of(*pair) if run["run"] in curves]
    drawn = [np.interp(_FPR, c["fpr"], c["tpr"]) for c in of_row if c["fpr"]]
    return np.mean(drawn, axis=0) if drawn and len(drawn) == len(of_row) else None


def _roc(task: Task, id: str, title: str, means: dict[Pair, np.ndarray]) -> Plot:
    curves = {curve["run"]: curve for curve in task.metrics["roc"]}
    lines = [
        Trace(_FPR.tolist(), mean.tolist(), number, name=_label(pair), line="solid", width=2)
        for number, (pair, mean) in enumerate(means.items())
    ]
    keys = [
        Key(_label(pair), number, _auc(task, pair, curves)) for number, pair in enumerate(means)
    ]
    x = Axis("false positive rate", 0, 1, step=0.2)
    y = Axis("true positive rate", 0, 1.005, step=0.2)
    return Plot(id, title, [diagonal(), *lines], x, y, 400, 380, keys)


def _auc(task: Task, pair: Pair, curves: dict[str, dict]) -> str:
    of_row = [curves[run["run"]] for run in task.runs_of(*pair) if run["run"] in curves]
    level = of_row[0]["level"] if of_row else task.metrics["level"]
    for row in task.metrics["table"]:
        if (*words.pair(row), row["level"], row["metric"]) == (*pair, level, "auc"):
            return f"AUC {words.number(row['mean'])} {words.interval(row)}"
    values = [curve["auc"] for curve in of_row if curve["auc"] is not None]
    return f"AUC {words.number(float(np.mean(values)) if values else None)} (no interval)"


def training(task: Task) -> Figure:
    """Draw losses and the validation metric by epoch: for each backbone, a line a configuration."""
    select = sorted({task.records[run]["select_metric"] for run in task.records})
    metric = select[0].removeprefix("val_") if len(select) == 1 else ""
    columns = {
        "loss_cls": "classification loss, training",
        "val_loss_cls": "classification loss, validation",
        "loss_rec": "auxiliary loss, training",
        **({f"val_{metric}": f"{words.metric(metric)}, validation"} if metric else {}),
    }
    constants = {pair: decoder.constant_loss(errors) for pair, errors in decoder.rows(task).items()}
    panels = [
        panel
        for name, title in columns.items()
        for panel in _panels(task, name, title, constants if name == "loss_rec" else {})
    ]
    keys = [
        Key(name, number, line=_dash(number)) for number, name in enumerate(task.configurations)
    ]
    n = words.count(len(task.seeds), "seed")
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
    samples, groups = (task.splits[name][split] for name in ("samples", "groups"))
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
    lines = {(b, c): _mean_curve(task, (b, c), column)
             for b in task.backbones for c in task.configurations}  # fmt: skip
    values = [value for line in lines.values() for value in line]
    if not values:
        return []
    values += [value for value in constants.values() if value is not None]
    pad = 0.04 * (max(values) - min(values)) or 0.05
    y = Axis("", min(values) - pad, max(values) + pad)
    across = Axis("epoch", 0, max(1, *(len(line) - 1 for line in lines.values())))
    plots = []
    for backbone in task.backbones:
        traces = []
        for number, configuration in enumerate(task.configurations):
            line = lines[backbone, configuration]
            kept = [task.records[run["run"]]["best_epoch"]
                    for run in task.runs_of(backbone, configuration)]  # fmt: skip
            at = int(np.median(kept)) if kept else -1
            sizes = [7 * (epoch == at and column.startswith("val_")) for epoch in range(len(line))]
            if line:
                name, dash = configuration, _dash(number)
                x = range(len(line))
                traces.append(Trace(x, line, number, name, name, dash, shape="circle", size=sizes))
            if (constant := constants.get((backbone, configuration))) is not None:
                ends, label = [0, max(1, len(line) - 1)], f"{configuration}: a constant"
                level = [constant, constant]
                traces.append(Trace(ends, level, number, configuration, label, "dot", width=1))
        name = column.removeprefix("val_") if column != "val_loss_cls" else column
        id = f"train-{name}-{task.name}-{backbone}"
        plots.append(Plot(id, title, traces, across, y, 320, 230, group=backbone))
    return plots


def _mean_curve(task: Task, pair: Pair, column: str) -> list[float]:
    """Return the mean over seeds by epoch; empty where no run has the column."""
    curves: list[Sequence[float | None]] = [
        task.curves[run["run"]].get(column, []) for run in task.runs_of(*pair)
    ]
    known = [[value for value in curve if value is not None] for curve in curves]
    known = [curve for curve in known if curve]
    longest = max(map(len, known), default=0)
    padded = [curve + [curve[-1]] * (longest - len(curve)) for curve in known]
    return [float(value) for value in np.mean(padded, axis=0)] if padded else []


def _kept(task: Task) -> str:
    """Say at which validation value and epoch each run was kept."""
    parts = []
    for backbone, configuration in map(words.pair, sorted(task.trained, key=words.standing)):
        records = [task.records[run["run"]] for run in task.runs_of(backbone, configuration)]
        values = [f"{words.number(r['best_value'])} (epoch {r['best_epoch']})" for r in records]
        parts.append(f"{backbone}, {configuration}: {words.listing(values)}")
    name = words.metric(next(iter(task.records.values()))["select_metric"].removeprefix("val_"))
    return f"Best {name} on validation by seed, {'; '.join(parts)}."


def roc_content(page: Page) -> list[Part]:
    """Return a part for each task that has ROC curves."""
    drawn = [(task, roc(task)) for task in page.tasks]
    return [Part(task.title, figures=[f], lead=roc_lead(task)) for task, f in drawn if f]


def training_content(page: Page) -> list[Part]:
    """Return a part for each task."""
    return [Part(task.title, figures=[training(task)]) for task in page.tasks]


ROC = Section("roc", "ROC", "ROC curves", roc_content)
TRAINING = Section("training", "Training", "Training curves", training_content)
