"""Metrics that follow from an order alone, for many weightings of the samples at a time."""

from functools import cached_property
from typing import NamedTuple

import numpy as np


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
    at = places(labels[order.samples] == 1, order.ends)
    tp = np.append(0, at.positive_thresholds)
    fp = np.append(0, at.thresholds) - tp
    return fp / fp[-1], tp / tp[-1]


class Places(NamedTuple):
    """Where the positives stand in the ranking, and where their ties begin and end."""

    positive: np.ndarray  # (P,) index in the ranking
    start: np.ndarray  # (P,) samples that rank above the tie
    end: np.ndarray  # (P,) the same, and those in the tie
    positive_start: np.ndarray  # (P,) positives among them
    positive_end: np.ndarray
    thresholds: np.ndarray  # (T,) samples at or above each distinct score
    positive_thresholds: np.ndarray  # (T,) positives among them


def places(positive: np.ndarray, ends: np.ndarray) -> Places:
    """Return where positives (N,), by falling score, stand among the ends of ties."""
    starts = np.append(0, ends[:-1])
    hits = np.append(0, np.cumsum(positive))
    at = np.flatnonzero(positive)
    tie = np.repeat(np.arange(len(ends)), ends - starts)[at]
    start, end = starts[tie], ends[tie]
    return Places(at, start, end, hits[start], hits[end], ends, hits[ends])


class Ranking:
    """A two-class question under b weightings of the samples: sums over positives.

    Args:
        weights: (b, N), integers from 0.
        order: of the scores; ties are handled as scikit-learn does.
        places: of the positives in it.
    """

    def __init__(self, weights: np.ndarray, order: Order, places: Places):
        weights = np.take(weights, order.samples, axis=1)
        self._places, self.hits = places, weights[:, places.positive]
        self.every, self.true = _cumulated(weights), _cumulated(self.hits)
        self.positives = self.true[:, -1].astype(float)
        self.negatives = self.every[:, -1] - self.positives
        self.above, self.true_above = self.every[:, places.end], self.true[:, places.positive_end]

    @property
    def lost(self) -> np.ndarray:
        """(b, P), negatives above each positive; those in its tie count half."""
        lost, at = self.above - self.true_above, self._places
        if len(at.thresholds) == self.every.shape[1] - 1:
            return lost
        return (lost + self.every[:, at.start] - self.true[:, at.positive_start]) / 2

    @cached_property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """FPR and TPR (b, T + 1) from (0, 0), at each threshold."""
        true_above = self.true[:, self._places.positive_thresholds]
        false_above = self.every[:, self._places.thresholds] - true_above
        fpr, tpr = (
            np.pad(count / count[:, -1:], ((0, 0), (1, 0))) for count in (false_above, true_above)
        )
        return fpr, tpr


class Thresholds:
    """A two-class question, all weights one, by its distinct scores from the highest down."""

    def __init__(self, ones: np.ndarray, ends: np.ndarray):
        self.ends = ends  # (T,) samples at or above each score, as are the next two
        self.above = np.cumsum(ones)[ends - 1].astype(float)  # positives
        self.lost = ends - self.above
        self.hits, self.others = np.diff(self.above, prepend=0), np.diff(self.lost, prepend=0)
        self.positives, self.negatives = self.above[-1], self.lost[-1]


Moved = tuple[np.ndarray, np.ndarray]  # of a positive and of a negative at each score, (T,)


def auc(at: Ranking) -> np.ndarray:
    """Return the area under the ROC curve (b,)."""
    return 1 - _dot(at.hits, at.lost) / (at.positives * at.negatives)


def auc_moved(at: Thresholds) -> Moved:
    """Return DeLong's components: the share of the other class that is ranked rightly against."""
    of_one = 1 - (at.lost - at.others / 2) / at.negatives
    of_zero = (at.above - at.hits / 2) / at.positives
    area = at.hits @ of_one / at.positives
    return (of_one - area) / at.positives, (of_zero - area) / at.negatives


def ap(at: Ranking) -> np.ndarray:
    """Return the average precision (b,)."""
    precision = at.true_above / np.maximum(at.above, 1)  # nothing above: it has no weight itself
    return np.where(at.negatives > 0, _dot(at.hits, precision) / at.positives, np.nan)


def ap_moved(at: Thresholds) -> Moved:
    """Return the influence on AP: on the precision at a sample's own threshold and all below."""
    precision = at.above / at.ends
    mean = at.hits @ precision / at.positives
    changed = at.hits / at.ends, at.hits * precision / at.ends
    below, own = (np.cumsum(x[::-1])[::-1] for x in changed)
    return (precision - mean + below - own) / at.positives, -own / at.positives


def eer(at: Ranking) -> np.ndarray:
    """Return the error (b,) where FPR = 1 - TPR, linear between the points of the curve."""
    fpr, tpr = at.curve
    excess = fpr + tpr - 1  # rises from -1 to 1: its zero is the EER
    after = np.maximum(np.argmax(excess >= 0, axis=1), 1)
    rows = np.arange(len(after))
    (e0, e1), (f0, f1) = [(x[rows, after - 1], x[rows, after]) for x in (excess, fpr)]
    return f0 - e0 / (e1 - e0) * (f1 - f0)


def tpr_at_fpr01(at: Ranking) -> np.ndarray:
    """Return the largest TPR (b,) at a threshold with FPR <= 0.01, not interpolated."""
    fpr, tpr = at.curve
    best = np.where(fpr <= 0.01, tpr, 0).max(axis=1)
    return np.where(np.isnan((fpr + tpr)[:, -1]), np.nan, best)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.vecdot(a.astype(float), b.astype(float))


def _cumulated(weights: np.ndarray) -> np.ndarray:
    """Return the cumulative sums along the ranking, from 0: (b, N) -> (b, N + 1)."""
    total = np.zeros((len(weights), weights.shape[1] + 1), dtype=np.int32)
    np.cumsum(weights, axis=1, out=total[:, 1:])
    return total
