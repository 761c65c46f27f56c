"""Intervals: a bootstrap over clusters and seeds, in weights instead of copies. Pure numpy.

A resample of whole clusters is a vector of counts (how often each cluster was drawn), so each
metric is computed from weights: ranking metrics by one sort and cumulative sums for all
resamples at once, counting metrics by one matrix product with the clusters' confusion tables.
Each equals scikit-learn's value with these counts as `sample_weight` (tests).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

_BLOCK = 1 << 18  # numbers in a block of work: bounds memory and stays near the cache
_MOST_UNDEFINED = 0.05  # share of undefined resamples above which there is no interval


class Resamples(NamedTuple):
    """How often each cluster was drawn, shared by all runs that are compared."""

    counts: np.ndarray  # (B, G) uint16: resamples x clusters
    member: np.ndarray  # (N,) the cluster of each sample

    @property
    def clusters(self) -> int:
        """Clusters that have a sample."""
        return len(np.unique(self.member))

    def of(self, mask: np.ndarray) -> "Resamples":
        """Return the same draws for a part of the samples (mask (N,) of bool)."""
        return Resamples(self.counts, self.member[mask])


class Interval(NamedTuple):
    """A percentile interval; None with a note where there is none."""

    low: float | None
    high: float | None
    note: str | None = None


def draw(
    groups: Sequence[str], resamples: int, seed: int, strata: np.ndarray | None = None
) -> Resamples:
    """Draw clusters with replacement.

    Args:
        groups: N names; samples with one name (an identity, a pair of identities) are drawn
            together, since they are not independent.
        resamples: how many resamples, B.
        seed: the result is a function of this number and the other arguments.
        strata: (N,) labels. Clusters are drawn within the set of labels that they hold, as many
            as there are: each resample then has every class, no ranking metric is undefined,
            and class shares count as fixed by design.

    Returns:
        the draws, for `resampled` and `bootstrap`.
    """
    names, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    rng = np.random.default_rng((seed, 0))
    counts = np.zeros((resamples, len(names)), dtype=np.uint16)
    for members in _strata(index, len(names), strata):
        size = len(members)
        for block in _blocks(resamples, size):
            height = block.stop - block.start
            drawn = rng.integers(size, size=(height, size), dtype=np.int32)
            drawn += size * np.arange(height, dtype=np.int32)[:, None]
            counts[block, members] = np.bincount(drawn.ravel(), minlength=height * size).reshape(
                height, size
            )
    return Resamples(counts, index)


def _strata(index: np.ndarray, clusters: int, labels: np.ndarray | None) -> list[np.ndarray]:
    if labels is None:
        return [np.arange(clusters)]
    values, code = np.unique(labels, return_inverse=True)
    holds = np.zeros((clusters, len(values)), dtype=bool)
    holds[index, code] = True
    _, stratum = np.unique(holds, axis=0, return_inverse=True)
    return [np.flatnonzero(stratum == s) for s in range(stratum.max() + 1)]


def _blocks(resamples: int, rows: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(rows, 1))
    return (slice(at, min(at + step, resamples)) for at in range(0, resamples, step))


def ranked(
    labels: np.ndarray,
    scores: np.ndarray,
    drawn: Resamples,
    names: Sequence[str] = ("auc", "ap", "eer"),
) -> dict[str, np.ndarray]:
    """Compute ranking metrics of a two-class task in every resample.

    Args:
        labels: (N,) of 0 and 1.
        scores: (N,), finite; ties are handled as scikit-learn does.
        drawn: the resamples.
        names: of `auc`, `ap`, `eer`.

    Returns:
        metric -> (B,) float64; nan in a resample without one of the classes.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=float)
    found = {name: np.full(len(drawn.counts), np.nan) for name in names}
    if (labels == 1).all() or (labels == 0).all():
        return found
    order = np.argsort(-scores, kind="stable")
    curve = _places(labels[order] == 1, scores[order])
    clusters = drawn.member[order]
    for block in _blocks(len(drawn.counts), len(order)):
        weights = np.take(drawn.counts[block], clusters, axis=1)
        values = _ranking(weights, curve, names)
        for name in names:
            found[name][block] = values[name]
    return found


class _Places(NamedTuple):
    """Where the positives stand in the ranking, and where their ties begin and end."""

    positive: np.ndarray  # (P,) index in the ranking
    start: np.ndarray  # (P,) samples, and below positives, that rank above the tie
    end: np.ndarray  # (P,) the same, and those in the tie
    positive_start: np.ndarray
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
    with np.errstate(invalid="ignore"):  # 0/0 in a resample of one class: nan, as promised
        if "auc" in names:  # negatives above a positive are lost; those in its tie count half
            lost = above - true_above
            if len(at.thresholds) < weights.shape[1]:
                lost = (lost + every[:, at.start] - true[:, at.positive_start]) / 2
            found["auc"] = 1 - np.vecdot(hits, lost, dtype=float) / (positives * negatives)
        if "ap" in names:  # where nothing is above, the positive itself has no weight
            precision = true_above / np.maximum(above, 1)
            found["ap"] = np.vecdot(hits, precision, dtype=float) / positives
            found["ap"][negatives == 0] = np.nan
        if "eer" in names:
            found["eer"] = _eer(every[:, at.thresholds], true[:, at.positive_thresholds])
    return found


def _cumulated(weights: np.ndarray) -> np.ndarray:
    """Return the cumulative sums along the ranking, from 0: (b, N) -> (b, N + 1)."""
    total = np.zeros((len(weights), weights.shape[1] + 1), dtype=np.int32)
    np.cumsum(weights, axis=1, out=total[:, 1:])
    return total


def _eer(above: np.ndarray, true_above: np.ndarray) -> np.ndarray:
    """Return the FPR where it equals 1 - TPR, linear between the points (b, T) of the curve."""
    false_above = above - true_above
    fpr, tpr = [np.pad(each / each[:, -1:], ((0, 0), (1, 0))) for each in (false_above, true_above)]
    excess = fpr + tpr - 1
    after = np.maximum(np.argmax(excess >= 0, axis=1), 1)
    rows = np.arange(len(after))
    (e0, e1), (f0, f1) = [(x[rows, after - 1], x[rows, after]) for x in (excess, fpr)]
    return f0 - e0 / (e1 - e0) * (f1 - f0)


def _tables(codes: np.ndarray, cells: int, drawn: Resamples) -> np.ndarray:
    """Count the codes, 0 to cells - 1, of each column in each resample: (N, A) -> (B, A, cells)."""
    resamples, clusters = drawn.counts.shape
    columns = codes.shape[1]
    place = (drawn.member[:, None] * columns + np.arange(columns)) * cells + codes
    table = np.bincount(place.ravel(), minlength=clusters * columns * cells)
    table = table.reshape(clusters, columns * cells).astype(float)
    blocks = _blocks(resamples, clusters)
    counted = [drawn.counts[block].astype(float) @ table for block in blocks]
    return np.concatenate(counted).reshape(resamples, columns, cells)


def counted(
    labels: np.ndarray, predicted: np.ndarray, classes: int, drawn: Resamples
) -> dict[str, np.ndarray]:
    """Compute the metrics of a confusion matrix in every resample.

    Args:
        labels: (N,), 0 to classes - 1.
        predicted: (N,), 0 to classes - 1.
        classes: how many there are; one without a sample in the resample leaves the means over
            classes undefined there.
        drawn: the resamples.

    Returns:
        `accuracy`, `top1` (the same), `mean_ovr_accuracy`, `balanced_accuracy`, `macro_f1`
        -> (B,) float64; nan where undefined.
    """
    codes = np.asarray(labels).astype(int) * classes + predicted
    table = _tables(codes[:, None], classes * classes, drawn).reshape(-1, classes, classes)
    hits, support = np.einsum("bkk->bk", table), table.sum(axis=2)
    top1 = hits.sum(axis=1) / support.sum(axis=1)
    with np.errstate(invalid="ignore"):  # 0/0 in an absent class: nan, as promised
        recall = hits / support
        f1 = np.where(support > 0, 2 * hits / (support + table.sum(axis=1)), np.nan)
    return {
        "accuracy": top1,
        "top1": top1,
        "mean_ovr_accuracy": 1 - 2 * (1 - top1) / classes,
        "balanced_accuracy": recall.mean(axis=1),
        "macro_f1": f1.mean(axis=1),
    }


def multilabel(
    labels: np.ndarray, scores: np.ndarray, predicted: np.ndarray, drawn: Resamples
) -> dict[str, np.ndarray]:
    """Compute the means over attributes in every resample.

    Args:
        labels, scores, predicted: (N, A).
        drawn: the resamples.

    Returns:
        `accuracy`, `balanced_accuracy`, `f1`, `auc`, `ap` -> (B,) float64. As for the point
        value, an attribute that is constant in the labels (here: of the resample) enters the
        mean accuracy alone.
    """
    tn, fp, fn, tp = np.moveaxis(_tables(2 * np.asarray(labels) + predicted, 4, drawn), 2, 0)
    with np.errstate(invalid="ignore"):  # 0/0 in a constant attribute: nan, left out below
        recall = (tp / (tp + fn) + tn / (tn + fp)) / 2
        f1 = np.where(np.isnan(recall), np.nan, 2 * tp / (2 * tp + fp + fn))
    ranks = [
        ranked(label, score, drawn, ("auc", "ap"))
        for label, score in zip(labels.T, scores.T, strict=True)
    ]
    return {
        "accuracy": ((tp + tn) / (tp + tn + fp + fn)).mean(axis=1),
        "balanced_accuracy": _mean_of_defined(recall),
        "f1": _mean_of_defined(f1),
        **{name: _mean_of_defined(np.stack([r[name] for r in ranks], 1)) for name in ("auc", "ap")},
    }


def _mean_of_defined(values: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(values)
    count = defined.sum(axis=1)
    total = np.where(defined, values, 0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def resampled(
    kind: str,
    labels: np.ndarray,
    scores: np.ndarray,
    predicted: np.ndarray,
    drawn: Resamples,
) -> dict[str, np.ndarray]:
    """Compute the metrics of a `binary`, `multilabel` or `multiclass` task in every resample.

    Args:
        labels: (N,), or (N, A) for multilabel.
        scores: (N,), (N, A) or (N, K), finite probabilities.
        predicted: of the labels' shape.
        drawn: the resamples.

    Returns:
        metric -> (B,) float64; nan where undefined.
    """
    if kind == "multilabel":
        return multilabel(labels, scores, predicted, drawn)
    if kind == "multiclass":
        return counted(labels, predicted, scores.shape[1], drawn)
    return counted(labels, predicted, 2, drawn) | ranked(labels, scores, drawn)


def bootstrap(
    kind: str,
    labels: np.ndarray,
    runs: Sequence[tuple[np.ndarray, np.ndarray]],
    drawn: Resamples,
    confidence: float,
    seed: int,
) -> dict[str, Interval]:
    """Return the interval of the mean over runs that differ in their seed, for each metric.

    A hierarchical bootstrap: every resample draws clusters of test samples, the same for all
    runs, and then seeds. So the interval covers another test set of such clusters *and* another
    set of as many training seeds. With one seed it covers the test set alone. With S seeds it
    sees only (S - 1) / S of the variance between seeds: with two or three it is too narrow by
    that much. It is a percentile interval; where every sample is right, it has no width.

    Args:
        kind: `binary`, `multilabel` or `multiclass`.
        labels: as for `resampled`.
        runs: (scores, predicted) of each seed, as for `resampled`.
        drawn: the resamples of the test samples.
        confidence: 0.95 for a 95 % interval.
        seed: for the draws of the seeds.
    """
    values = [resampled(kind, labels, *run, drawn) for run in runs]
    if (drawn.counts == 1).all():
        note = "no interval: nothing to resample, each stratum is a single cluster"
        return dict.fromkeys(values[0], Interval(None, None, note))
    return {
        name: interval(np.array([run[name] for run in values]), confidence, seed)
        for name in values[0]
    }


def interval(values: np.ndarray, confidence: float, seed: int) -> Interval:
    """Return the percentile interval of the mean over seeds, seeds resampled.

    Args:
        values: (S, B), a metric in each resample of the test set; nan: undefined there.
        confidence: between 0 and 1.
        seed: for the draws of the seeds.

    Returns:
        the interval over the defined resamples; none where more than 5 % are undefined.
    """
    seeds, resamples = values.shape
    chosen = np.random.default_rng((seed, 1)).integers(seeds, size=(seeds, resamples))
    means = np.take_along_axis(values, chosen, axis=0).mean(axis=0)
    defined = means[~np.isnan(means)]
    undefined = resamples - len(defined)
    if undefined > _MOST_UNDEFINED * resamples:
        note = f"no interval: undefined in {undefined} of {resamples} resamples"
        return Interval(None, None, note)
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, (tail, 1 - tail)).tolist()
    left_out = f"interval without {undefined} undefined resamples" if undefined else None
    return Interval(low, high, left_out)
