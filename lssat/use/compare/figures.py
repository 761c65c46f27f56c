"""Figures of two runs: their scores against each other, ROC, differences, training curves."""

from typing import Any

import numpy as np

from lssat import metrics
from lssat.evaluation.scores.levels import Level
from lssat.report.kit import words
from lssat.report.kit.figures import Figure, Key, Plot, plain, spec
from lssat.report.kit.results import read_curve
from lssat.tables.project import RunFiles
from lssat.use.compare.runs import Arm

MOST = 5000  # points of the scatter; more are thinned evenly
_ROWS = 40  # bars of differences
_LINE = {"mode": "lines", "meta": -1, "hoverinfo": "skip", "line": {"width": 1, "dash": "dot"}}


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
    traces = [{"x": [0, 1], "y": [0, 1], **_LINE}]
    keys = []
    for colour, (name, mask) in enumerate(groups):
        at = np.flatnonzero(mask)[::step]
        traces.append(
            {
                "type": "scattergl" if len(at) > 1000 else "scatter",
                "x": _list(one[at]), "y": _list(two[at]),
                "mode": "markers", "meta": colour, "name": plain(name),
                "legendgroup": plain(name), "marker": {"size": 6, "opacity": 0.65},
                "customdata": [plain(level.ids[number]) for number in at],
                "hovertemplate": "A %{x:.3f}, B %{y:.3f}<br>%{customdata}"
                "<extra>%{fullData.name}</extra>",
            }
        )  # fmt: skip
        keys.append(Key(name, colour, f"n = {int(mask.sum()):,}"))
    axis = {"range": [-0.02, 1.02], "dtick": 0.2, "constrain": "domain"}
    x, y = axis | {"title": {"text": "A"}}, axis | {"title": {"text": "B"}, "scaleanchor": "x"}
    gaps = np.abs(one - two)
    known = gaps[np.isfinite(gaps)]
    gap = words.number(float(known.mean()) if len(known) else None)
    lead = f"Scores of B against A on {len(known):,} samples; their mean distance is {gap}."
    if step > 1:
        lead += f" One of {step} is drawn."
    return Figure("Scores of both", lead, keys, [Plot("scores-plot", "", spec(traces, x, y))])


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
    traces = [{"x": [0, 1], "y": [0, 1], **_LINE}]
    keys = []
    for colour, run in enumerate(_names(comparison)):
        labels, scores = level.labels, level.scores[run]
        if level.kind == "multiclass":
            labels = metrics.one_hot(labels, scores.shape[1])
        curve: dict[str, Any] = metrics.roc(labels, scores)
        if curve["auc"] is None:
            return None
        letter = run[0]
        traces.append(
            {
                "x": _list(np.array(curve["fpr"])), "y": _list(np.array(curve["tpr"])),
                "mode": "lines", "name": letter, "meta": colour, "legendgroup": letter,
                "line": {"width": 1.8},
                "hovertemplate": "FPR %{x:.3f}, TPR %{y:.3f}<extra>%{fullData.name}</extra>",
            }
        )  # fmt: skip
        keys.append(Key(letter, colour, f"AUC {words.number(curve['auc'])}"))
    axis = {"range": [-0.01, 1.01], "dtick": 0.2, "constrain": "domain"}
    x = axis | {"title": {"text": "false positive rate"}}
    y = axis | {"title": {"text": "true positive rate"}, "scaleanchor": "x"}
    areas = "; ".join(f"{key.label}: {key.value}" for key in keys)
    return Figure("ROC", f"{areas}.", keys, [Plot("roc-plot", "", spec(traces, x, y))])


def gaps(comparison: dict[str, Any]) -> Figure | None:
    """Draw A - B by subset or class, with the interval where there is one."""
    rows = [row for row in comparison["subsets"] if row["difference"] is not None]
    rows = sorted(rows, key=lambda row: row["difference"])[:_ROWS]
    if not rows:
        return None
    names = [plain(row["name"]) for row in rows]
    values = [row["difference"] for row in rows]
    bars = [
        (0.0, 0.0) if row["low"] is None else (row["high"] - v, v - row["low"])
        for row, v in zip(rows, values, strict=True)
    ]
    trace = {
        "x": [round(value, 4) for value in values], "y": names, "mode": "markers", "meta": 0,
        "name": "A − B", "legendgroup": "A − B", "marker": {"size": 8},
        "error_x": {
            "type": "data", "symmetric": False, "thickness": 1.4, "width": 4,
            "array": [round(up, 4) for up, _ in bars],
            "arrayminus": [round(down, 4) for _, down in bars],
        },
        "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
    }  # fmt: skip
    zero = {"x": [0, 0], "y": [names[0], names[-1]], **_LINE}
    x = {"title": {"text": f"A − B, {words.metric(rows[0]['metric'])}"}}
    differences = "; ".join(f"{row['name']} {words.number(row['difference'])}" for row in rows)
    key = Key(
        "A − B", 0, words.confidence(comparison) if any(r["low"] is not None for r in rows) else ""
    )
    plot = Plot("gaps-plot", "", spec([zero, trace], x, {"type": "category"}))
    return Figure("Differences", f"A minus B: {differences}.", [key], [plot])


def curves(a: Arm, b: Arm, comparison: dict[str, Any]) -> Figure:
    """Draw the training curves of both: losses, and the metric that chose the epoch."""
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
            x = {"title": {"text": "epoch"}}
            plots.append(Plot(f"training-{number}", title, spec(traces, x, {})))
    keys = [Key(letter, colour) for colour, letter in enumerate("AB")]
    epochs = "; ".join(
        f"{arm.letter}: best epoch {arm.record['best_epoch']} of {arm.record['epochs']}"
        for arm in (a, b)
    )
    return Figure("Training", f"{epochs}.", keys, plots)


def _curve(curve: dict, column: str, dash: str, colour: int) -> dict[str, Any]:
    letter = "AB"[colour]
    return {
        "x": curve["epoch"],
        "y": [None if value is None else round(value, 5) for value in curve[column]],
        "name": f"{letter}, {'validation' if dash == 'dot' else 'training'}",
        "mode": "lines+markers",
        "marker": {"size": 4},
        "meta": colour,
        "legendgroup": letter,
        "line": {"width": 1.6, "dash": dash},
        "hovertemplate": "epoch %{x:d}: %{y:.4f}<extra>%{fullData.name}</extra>",
    }
