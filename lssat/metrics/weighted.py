"""The formulas, each written once for many weightings of the samples at a time.

Weights of one give a metric's value, the counts of a bootstrap its value in each resample. Each
equals scikit-learn's with `sample_weight` (tests).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

NAMES = {
    "binary": ("auc", "ap", "eer", "accuracy", "balanced_accuracy", "tpr_at_fpr01"),
    "multilabel": ("accuracy", "balanced_accuracy", "f1", "auc", "ap"),
    "multiclass": ("top1", "macro_f1", "balanced_accuracy", "mean_ovr_accuracy", "auc"),
}
LOWER_IS_BETTER = ("eer",)

# From weights (b, N), integers from 0, to metric -> (b,) float64, nan where undefined.
Measure = Callable[[np.ndarray], dict[str, np.ndarray]]


def prepare(
    kind: str, labels: np.ndarray, scores: np.ndarray, names: Sequence[str] | None = None
) -> Measure:
    """Return the function that computes a task's metrics from weights.

    Args:
        kind: `binary`, `multilabel` or `multiclass`.
        labels: (N,), or (N, A) for multilabel.
        scores: (N,), (N, A) or (N, K), finite probabilities.
        names: of `NAMES[kind]`; None for all of them.

    Returns:
        weights (b, N), how often each sample counts -> metric -> (b,) float64; nan where a
        weighting lacks a class. An attribute that is constant under the weights enters the
        mean accuracy alone.
    """
    names = NAMES[kind] if names is None else names
    if kind == "multilabel":
        each = attributes(labels, scores, names)
        return lambda weights: {n: mean_of_defined(v) for n, v in each(weights).items()}
    if kind == "binary":
        counted, ranked = _confusion(labels, predicted(kind, scores), 2), ranking(labels, scores)
        return lambda weights: counted(weights) | ranked(weights)
    return _classes(labels, scores, "auc" in names)


def predicted(kind: str, scores: np.ndarray) -> np.ndarray:
    """Return the predicted classes: the largest score's index, or 1 from a probability of 0.5."""
    return scores.argmax(axis=1) if kind == "multiclass" else (scores >= 0.5).astype(int)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return labels (N,) as indicators (N, classes) of 0 and 1."""
    return (labels[:, None] == np.arange(classes)).astype(int)


def ranking(
    labels: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str] = ("auc", "ap", "eer", "tpr_at_fpr01"),
) -> Measure:
    """Return the function that computes ranking metrics of a two-class task from weights.

    One sort serves all weightings; the rest are cumulative sums along the ranking.

    Args:
        labels: (N,) of 0 and 1.
        scores: (N,), finite; ties are handled as scikit-learn does.
        names: those wanted.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=float)
    order = np.argsort(-scores, kind="stable")
    places = _places(labels[order] == 1, scores[order])
    if len(np.unique(labels)) < 2:
        return lambda weights: {name: np.full(len(weights), np.nan) for name in names}
    return lambda weights: _ranking(np.take(weights, order, axis=1), places, names)


def roc(
    labels: np.ndarray, scores: np.ndarray, points: int = 200
) -> dict[str, list[float] | float | None]:
    """Return a ROC curve of at most `points` points, with the AUC of the whole curve.

    Args:
        labels: (N,) of 0 and 1, or (N, C) indicators for a macro average over columns.
        scores: of the same shape.
        points: how many to keep, at least 2; a macro average has so many, evenly spread in FPR.

    Returns:
        `fpr`, `tpr` (lists from (0, 0) to (1, 1)) and `auc`; the lists are empty and `auc` is
        None where the curve is undefined. Constant columns are left out of a macro average.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=float)
    columns = zip(np.atleast_2d(labels.T), np.atleast_2d(scores.T), strict=True)
    curves = [_curve(y, s) for y, s in columns if len(np.unique(y)) == 2]
    if not curves or not np.isfinite(scores).all():
        return {"fpr": [], "tpr": [], "auc": None}
    area = float(np.mean([np.trapezoid(tpr, fpr) for fpr, tpr in curves]))
    if labels.ndim == 1:
        fpr, tpr = curves[0]
        keep = np.unique(np.linspace(0, len(fpr) - 1, points).round().astype(int))
        fpr, tpr = fpr[keep], tpr[keep]
    else:
        fpr = np.linspace(0, 1, points)
        tpr = np.mean([np.interp(fpr, *curve) for curve in curves], axis=0)
        tpr[0] = 0  # where a curve starts upright, interpolation takes its upper end
    return {"fpr": fpr.tolist(), "tpr": tpr.tolist(), "auc": area}


def _curve(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(-scores, kind="stable")
    at = _places(labels[order] == 1, scores[order])
    tp = np.append(0, at.positive_thresholds)
    fp = np.append(0, at.thresholds) - tp
    return fp / fp[-1], tp / tp[-1]


class _Places(NamedTuple):
    """Where the positives stand in the ranking, and where their ties begin and end."""

    positive: np.ndarray  # (P,) index in the ranking
    start: np.ndarray  # (P,) samples that rank above the tie
    end: np.ndarray  # (P,) the same, and those in the tie
    positive_start: np.ndarray  # (P,) positives among them
    positive_end: np.ndarray
    thresholds: np.ndarray  # (T,) samples at or above each distinct score
    positive_thresholds: np.ndarray  # (T,) positives among them


def _places(positive: np.ndarray, scores: np.ndarray) -> _Places:
    ends = np.append(np.flatnonzero(np.diff(scores)) + 1, len(scores))
    starts = np.append(0, ends[:-1])
    hits = np.append(0, np.cumsum(positive))
    at = np.flatnonzero(positive)
    tie = np.searchsorted(ends, at, side="right")
    start, end = starts[tie], ends[tie]
    return _Places(at, start, end, hits[start], hits[end], ends, hits[ends])


def _ranking(weights: np.ndarray, at: _Places, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Compute the metrics from weights (b, N) in the order of the ranking: sums over positives."""
    hits = weights[:, at.positive]
    every, true = _cumulated(weights), _cumulated(hits)
    positives = true[:, -1].astype(float)
    negatives = every[:, -1] - positives
    above, true_above = every[:, at.end], true[:, at.positive_end]
    found = {}
    with np.errstate(invalid="ignore"):  # 0/0 where a class is absent: nan, as promised
        if "auc" in names:  # negatives above a positive are lost; those in its tie count half
            lost = above - true_above
            if len(at.thresholds) < weights.shape[1]:
                lost = (lost + every[:, at.start] - true[:, at.positive_start]) / 2
            found["auc"] = 1 - _dot(hits, lost) / (positives * negatives)
        if "ap" in names:  # where nothing is above, the positive itself has no weight
            precision = true_above / np.maximum(above, 1)
            found["ap"] = np.where(negatives > 0, _dot(hits, precision) / positives, np.nan)
        if "eer" in names:
            true_above = true[:, at.positive_thresholds]
            found |= _on_curve(every[:, at.thresholds] - true_above, true_above)
    return found


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.vecdot(a.astype(float), b.astype(float))


def _cumulated(weights: np.ndarray) -> np.ndarray:
    """Return the cumulative sums along the ranking, from 0: (b, N) -> (b, N + 1)."""
    total = np.zeros((len(weights), weights.shape[1] + 1), dtype=np.int32)
    np.cumsum(weights, axis=1, out=total[:, 1:])
    return total


def _on_curve(false_above: np.ndarray, true_above: np.ndarray) -> dict[str, np.ndarray]:
    """Compute what is read off the ROC curve from its counts at each threshold (b, T)."""
    fpr, tpr = [np.pad(each / each[:, -1:], ((0, 0), (1, 0))) for each in (false_above, true_above)]
    excess = fpr + tpr - 1  # rises from -1 to 1: its zero is the EER
    after = np.maximum(np.argmax(excess >= 0, axis=1), 1)
    rows = np.arange(len(after))
    (e0, e1), (f0, f1) = [(x[rows, after - 1], x[rows, after]) for x in (excess, fpr)]
    undefined = np.isnan(excess[:, -1])
    best = np.where(fpr <= 0.01, tpr, 0).max(axis=1)
    return {
        "eer": f0 - e0 / (e1 - e0) * (f1 - f0),
        "tpr_at_fpr01": np.where(undefined, np.nan, best),
    }


def _confusion(labels: np.ndarray, chosen: np.ndarray, classes: int) -> Measure:
    """Return the function for the metrics of a confusion matrix; labels and chosen (N,)."""
    cells = one_hot(np.asarray(labels).astype(int) * classes + chosen, classes**2).astype(float)

    def compute(weights: np.ndarray) -> dict[str, np.ndarray]:
        table = (weights.astype(float) @ cells).reshape(-1, classes, classes)
        hits, support = np.einsum("bkk->bk", table), table.sum(axis=2)
        top1 = hits.sum(axis=1) / support.sum(axis=1)
        with np.errstate(invalid="ignore"):  # 0/0 in an absent class: nan, as promised
            recall = hits / support
            f1 = np.where(support > 0, 2 * hits / (support + table.sum(axis=1)), np.nan)
        return {
            **{"accuracy": top1, "top1": top1, "mean_ovr_accuracy": 1 - 2 * (1 - top1) / classes},
            **{"balanced_accuracy": recall.mean(axis=1), "macro_f1": f1.mean(axis=1)},
        }

    return compute


def _classes(labels: np.ndarray, scores: np.ndarray, with_auc: bool) -> Measure:
    counted = _confusion(labels, predicted("multiclass", scores), scores.shape[1])
    if not with_auc:
        return counted
    truth = one_hot(labels, scores.shape[1])
    each = [ranking(y, s, ("auc",)) for y, s in zip(truth.T, scores.T, strict=True)]
    return lambda weights: (
        counted(weights) | {"auc": np.mean([one(weights)["auc"] for one in each], axis=0)}
    )


def attributes(labels: np.ndarray, scores: np.ndarray, names: Sequence[str]) -> Measure:
    """Return the function for the metrics of each attribute: weights (b, N) -> (b, A)."""
    chosen = predicted("multilabel", scores)
    sums = np.hstack([labels, chosen, labels * chosen]).astype(float)
    wanted = [name for name in ("auc", "ap") if name in names]
    ranked = [ranking(y, s, wanted) for y, s in zip(labels.T, scores.T, strict=True)]

    def compute(weights: np.ndarray) -> dict[str, np.ndarray]:
        real = weights.astype(float)
        total = real.sum(axis=1, keepdims=True)
        positive, said, tp = np.split(real @ sums, 3, axis=1)
        tn = total - positive - said + tp
        with np.errstate(invalid="ignore"):  # 0/0 in a constant attribute: nan, as promised
            recall = (tp / positive + tn / (total - positive)) / 2
            f1 = np.where(np.isnan(recall), np.nan, 2 * tp / (positive + said))
        found = {"accuracy": (tp + tn) / total, "balanced_accuracy": recall, "f1": f1}
        each = [one(weights) for one in ranked]
        return found | {name: np.stack([one[name] for one in each], axis=1) for name in wanted}

    return compute


def mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Average (b, A) over the attributes that are not nan; nan where all are."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=1)
    total = np.where(defined, values, 0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
