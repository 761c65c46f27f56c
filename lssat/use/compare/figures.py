"""Figures of two runs: their scores against each other, ROC, differences, training curves."""

from typing import Any

import numpy as np

from lssat import metrics
from lssat.evaluation.scores.levels import Level
from lssat.report.kit import words
from lssat.report.kit.figures import Figure, Key, Plot, diagonal
from lssat.report.kit.results import read_curve
from lssat.report.kit.svg import DASHES, SHAPES, Axis, Trace
from lssat.tables.project import RunFiles
from lssat.use.compare.runs import Arm

MOST = 5000  # points of the scatter; more are thinned evenly
_ROWS = 40  # bars of differences


def scores_lead(comparison: dict[str, Any]) -> str:
    """Say what the scatter shows."""
    what = {
        "binary": f"probability that the {comparison['level']} is of the positive class",
        "multiclass": "probability of the true class",
        "multilabel": "mean probability of the true value over the attributes",
    }[comparison["kind"]]
    return f"One point per test {comparison['level']}: the {what}. On the dotted line both agree."


def _scores(level: Level, run: str) -> np.ndarray:
    scores = level.scores[run]
    if level.kind == "multiclass":
        return scores[np.arange(len(scores)), level.labels]
    if level.kind == "multilabel":
        return np.where(level.labels == 1, scores, 1 - scores).mean(axis=1)
    return scores


def scatter(level: Level, comparison: dict[str, Any]) -> Figure:
    """Draw the scores of A against those of B, a colour per class."""
    one, two = (_scores(level, run) for run in _names(comparison))
    step = -(-len(one) // MOST)
    groups = _groups(level, comparison)
    traces, keys = [diagonal()], []
    for number, (name, mask) in enumerate(groups):
        at = np.flatnonzero(mask)[::step]
        shape = SHAPES[number % len(SHAPES)]
        x, y = _list(one[at]), _list(two[at])
        tips = [
            f"{level.ids[n]}, {name}: A {words.number(a)}, B {words.number(b)}"
            for n, a, b in zip(at, x, y, strict=True)
        ]
        traces.append(Trace(x, y, number, name, name, shape=shape, size=6, hints=tips))
        keys.append(Key(name, number, f"n = {int(mask.sum()):,}", shape))
    gaps = np.abs(one - two)
    known = gaps[np.isfinite(gaps)]
    gap = words.number(float(known.mean()) if len(known) else None)
    lead = f"Scores of B against A on {len(known):,} samples; their mean distance is {gap}."
    if step > 1:
        lead += f" One of {step} is drawn."
    of_a, of_b = (Axis(name, -0.02, 1.02, step=0.2) for name in "AB")
    plot = Plot("scores-plot", "", traces, of_a, of_b, 440, 420)
    return Figure("Scores of both", lead, keys, [plot], caption=lead)


def _names(comparison: dict[str, Any]) -> list[str]:
    return [f"{letter.upper()}/{comparison[letter]['run']}" for letter in "ab"]


def _groups(level: Level, comparison: dict[str, Any]) -> list[tuple[str, np.ndarray]]:
    """Group the samples: by subset where there are some, else by class."""
    if level.kind == "multilabel":
        return [("images", np.ones(len(level.ids), dtype=bool))]
    names = sorted(set(level.subsets[level.labels == 1]) - {""}) if level.kind == "binary" else []
    if names:
        reals = [("real", level.labels == 0)]
        return reals + [(str(n), (level.subsets == n) & (level.labels == 1)) for n in names]
    classes = [row["name"] for row in comparison["agreement"] if row["by"] == "class"]
    return [(name, level.labels == number) for number, name in enumerate(classes)]


def _list(values: np.ndarray) -> list[float | None]:
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]


def roc(level: Level, comparison: dict[str, Any]) -> Figure | None:
    """Draw both ROC curves; macro average one-vs-rest unless there are two classes."""
    traces, keys = [diagonal()], []
    for colour, run in enumerate(_names(comparison)):
        labels, scores = level.labels, level.scores[run]
        if level.kind == "multiclass":
            labels = metrics.one_hot(labels, scores.shape[1])
        curve: dict[str, Any] = metrics.roc(labels, scores)
        if curve["auc"] is None:
            return None
        letter = run[0]
        line = list(DASHES)[2 * colour]
        fpr, tpr = (_list(np.array(curve[name])) for name in ("fpr", "tpr"))
        traces.append(Trace(fpr, tpr, colour, letter, letter, line, 1.8))
        keys.append(Key(letter, colour, f"AUC {words.number(curve['auc'])}", line=line))
    x = Axis("false positive rate", 0, 1, step=0.2)
    y = Axis("true positive rate", 0, 1.005, step=0.2)
    areas = "; ".join(f"{key.label}: {key.value}" for key in keys)
    return Figure("ROC", f"{areas}.", keys, [Plot("roc-plot", "", traces, x, y, 400, 380)])


def gaps(comparison: dict[str, Any]) -> Figure | None:
    """Draw A - B by subset or class, with the interval where there is one."""
    rows = [row for row in comparison["subsets"] if row["difference"] is not None]
    rows = sorted(rows, key=lambda row: row["difference"])[:_ROWS]
    if not rows:
        return None
    names = [row["name"] for row in rows]
    values = [row["difference"] for row in rows]
    trace = Trace(
        values,
        names,
        0,
        shape="circle",
        size=8,
        spans=[None if row["low"] is None else (row["low"], row["high"]) for row in rows],
        along="x",
        hints=[f"{row['name']}: {words.spanned(row['difference'], row)}" for row in rows],
    )
    zero = Trace([0, 0], [names[0], names[-1]], line="dot", width=1)
    x = Axis(f"A − B, {words.metric(rows[0]['metric'])}")
    differences = "; ".join(f"{row['name']} {words.number(row['difference'])}" for row in rows)
    spanned = any(row["low"] is not None for row in rows)
    key = Key("A − B", 0, words.confidence(comparison) if spanned else "", "circle")
    plot = Plot(
        "gaps-plot", "", [zero, trace], x, Axis(names=names, grid=False), 520, 80 + 24 * len(rows)
    )
    return Figure("Differences", f"A minus B: {differences}.", [key], [plot])


def curves(a: Arm, b: Arm) -> Figure | None:
    """Draw the training curves of both: losses, and the metric that chose the epoch.

    Another program's scores have none, and then there is no figure.
    """
    if a.external or b.external:
        return None
    read = [read_curve(RunFiles(arm.folder).curve, arm.record) for arm in (a, b)]
    panels = [("Classification loss", [("loss_cls", "solid"), ("val_loss_cls", "dot")])]
    panels += [("Reconstruction loss", [("loss_rec", "solid"), ("val_loss_rec", "dot")])]
    chosen = list(dict.fromkeys(arm.record["select_metric"] for arm in (a, b)))
    panels += [(f"Validation {words.metric(n.removeprefix('val_'))}", [(n, "dot")]) for n in chosen]
    plots = []
    for number, (title, columns) in enumerate(panels):
        traces = [
            _curve(curve, column, dash, colour)
            for colour, curve in enumerate(read)
            for column, dash in columns
            if any(value is not None for value in curve.get(column, []))
        ]
        if traces:
            plots.append(Plot(f"training-{number}", title, traces, Axis("epoch"), Axis(), 340, 240))
    keys = [Key(letter, colour, shape=SHAPES[colour]) for colour, letter in enumerate("AB")]
    epochs = "; ".join(
        f"{arm.letter}: best epoch {arm.record['best_epoch']} of {arm.record['epochs']}"
        for arm in (a, b)
    )
    return Figure("Training", f"{epochs}.", keys, plots)


def _curve(curve: dict, column: str, dash: str, colour: int) -> Trace:
    letter, part = "AB"[colour], "validation" if dash == "dot" else "training"
    known = [value is not None for value in curve[column]]
    tips = [
        f"{letter}, {part}, epoch {epoch:g}: {words.number(value, 4)}"
        for epoch, value in zip(curve["epoch"], curve[column], strict=True)
    ]
    sizes = [5 * is_known for is_known in known]
    return Trace(
        curve["epoch"], curve[column], colour, letter, f"{letter}, {part}", dash,
        shape=SHAPES[colour], size=sizes, hints=tips,
    )  # fmt: skip
