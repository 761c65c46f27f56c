"""Metrics that follow from an order alone, for many weightings of the samples at a time."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

# From weights (b, N), integers from 0, to metric -> float64, nan where undefined: (b,), or
# (b, A) for metrics of each attribute or class.
Measure = Callable[[np.ndarray], dict[str, np.ndarray]]
RANKED = ("auc", "ap", "eer", "tpr_at_fpr01")


class Order(NamedTuple):
    """Samples by falling score."""

    samples: np.ndarray  # (N,) which sample stands at each place; of a tie any order does
    ends: np.ndarray  # (T,) samples at or above each distinct score


def in_order(scores: np.ndarray) -> list[Order]:
    """Sort the columns of scores (N,) or (N, A), finite: once for all that an order decides."""
    return [_order(column) for column in columns(np.asarray(scores, dtype=float))]


def columns(values: np.ndarray) -> np.ndarray:
    """Return the columns of (N,) or (N, A) as rows (A, N), each in one piece of memory."""
    return np.ascontiguousarray(np.atleast_2d(values.T))


def _order(scores: np.ndarray) -> Order:
    samples = np.argsort(-scores)
    ends = np.flatnonzero(np.diff(scores[samples])) + 1
    return Order(samples, np.append(ends, len(scores)))


def ranking(labels: np.ndarray, order: Order, names: Sequence[str] = RANKED) -> Measure:
    """Return the function that computes ranking metrics of a two-class task from weights.

    One sort serves all weightings; the rest are cumulative sums along the ranking.

    Args:
        labels: (N,) of 0 and 1.
        order: of their scores; ties are handled as scikit-learn does.
        names: those wanted.
    """
    places = _places(np.asarray(labels)[order.samples] == 1, order.ends)
    if len(places.positive) in (0, len(labels)):
        return lambda weights: {name: np.full(len(weights), np.nan) for name in names}
    return lambda weights: _ranking(np.take(weights, order.samples, axis=1), places, names)


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
    order = _order(scores)
    at = _places(labels[order.samples] == 1, order.ends)
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


def _places(positive: np.ndarray, ends: np.ndarray) -> _Places:
    starts = np.append(0, ends[:-1])
    hits = np.append(0, np.cumsum(positive))
    at = np.flatnonzero(positive)
    tie = np.repeat(np.arange(len(ends)), ends - starts)[at]
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
        if "eer" in names or "tpr_at_fpr01" in names:
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
