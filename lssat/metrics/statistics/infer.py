"""Intervals of rows and tests of pairs of rows, from values and their covariance alone.

A row is a backbone and configuration with the runs of its seeds. What a mean over seeds may miss
the truth by has two parts: another test set, which all runs share, and other trainings. The first
is the covariance of *different* trainings on the same test set; the second shows in the spread of
the seeds. benchmarks/levels.py simulates how often all of this is right (docs/statistics.md).
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, stdtrit

from lssat.metrics.statistics.multiple import holm
from lssat.metrics.statistics.power import Parts
from lssat.metrics.statistics.shrinkage import shrink

_PRIOR = 0.5  # clusters' worth of trust in `edge` beside what a row's own errors say


class Row(NamedTuple):
    """A row's mean over its seeds, with its interval; nan where undefined."""

    mean: float
    low: float
    high: float


class Pair(NamedTuple):
    """Row a minus row b; nan where undefined. `error`: standard error, with its `freedom`."""

    a: int
    b: int
    difference: float
    low: float
    high: float
    error: float
    freedom: float
    p: float
    p_holm: float
    parts: Parts  # of the variance


class Inference(NamedTuple):
    """What `infer` returns."""

    rows: list[Row]
    pairs: list[Pair]


def infer(
    values: np.ndarray,
    covariance: np.ndarray,
    clusters: int,
    confidence: float = 0.95,
    pairs: Sequence[tuple[int, int]] | None = None,
    edge: float | None = None,
    others: int | None = None,
) -> Inference:
    """Return intervals of K rows and tests of their pairs.

    Rows: on the logit scale, half widths of both parts add as squares, each with its own
    quantile: of the test set from Wilson's score interval with the effective sample size that
    the covariance implies (t with clusters - 2 degrees of freedom), of training from the
    variance over seeds, shrunk over the rows (`shrink`). So intervals end within [0, 1] and are
    right near its ends.

    Pairs: runs with the same seed share initial weights and the order of data, so differences
    are taken seed by seed, and their variance over seeds is shrunk over the pairs. The p-value is
    the level at which the interval, made of the same two parts, ends at 0.

    Args:
        values: (K, S), a metric in [0, 1] of row k trained with seed s; nan: no such run.
        covariance: (K, S, K, S) of the values over test sets, the trained models fixed.
        clusters: independent groups of test samples.
        confidence: between 0 and 1.
        pairs: which rows are compared, as indices; None: each two.
        edge: the variance of a value a, divided by a (1 - a), where no error is left to estimate
            it from; None: 1 / clusters, that of a share of right clusters.
        others: how many differences are independent of a given one, beside it: no more of them
            tell how much it varies over seeds. None: K - 2, as where the pairs are of K rows.

    Returns:
        rows with nan where a row has no run; with one seed the interval covers other test sets
        only. Pairs with Holm's correction over all given. Where nothing says how much a
        difference varies, its low and high are nan; so is p, but for a difference of 0, of which
        it is 1.
    """
    values, covariance = np.asarray(values, float), np.asarray(covariance, float)
    edge = 1 / max(clusters, 1) if edge is None else edge
    chosen = list(combinations(range(len(values)), 2)) if pairs is None else list(pairs)
    rows = _rows(values, covariance, clusters, confidence, edge)
    others = len(values) - 2 if others is None else others
    return Inference(rows, _pairs(values, covariance, clusters, confidence, chosen, others))


def _rows(
    values: np.ndarray, covariance: np.ndarray, clusters: int, confidence: float, edge: float
) -> list[Row]:
    mean, there = _means(values)
    tail, small = (1 + confidence) / 2, 1 / (8 * max(clusters, 1))
    inside = np.clip(mean, small, 1 - small)
    own = np.stack([covariance[k, :, k, :] for k in range(len(values))])
    shared = _shared(own, there)
    reach = stdtrit(max(clusters - 2, 1), tail) ** 2 * _effective(mean, shared, clusters, edge)
    middle = (mean + reach / 2) / (1 + reach)
    half = np.sqrt(reach * (mean * (1 - mean) + reach / 4)) / (1 + reach)
    ends = np.clip([middle - half, middle + half], 1e-12, 1 - 1e-12)
    down, up = logit(inside) - logit(ends)
    logits = logit(np.clip(np.where(there, values, 0.5), small, 1 - small))
    spread, freedom = _spread(logits, there, len(values) - 1)
    training = np.where(spread > 0, stdtrit(freedom, tail) * np.sqrt(spread), 0)
    low = expit(logit(inside) - np.hypot(down, training))
    high = expit(logit(inside) + np.hypot(up, training))
    low, high = np.where(mean <= 0, 0, low), np.where(mean >= 1, 1, high)
    undefined = ~there.any(axis=1) | np.isnan(shared)
    return [
        Row(float(m), *((np.nan, np.nan) if bad else (float(a), float(b))))
        for m, a, b, bad in zip(mean, low, high, undefined, strict=True)
    ]


def _effective(mean: np.ndarray, shared: np.ndarray, clusters: int, edge: float) -> np.ndarray:
    """Return 1 / the effective sample size of each row, steadied where few errors are left.

    The variance of a share of n is a (1 - a) / n; the same ratio describes an AUC within a third.
    A row's own ratio counts by its errors, beside that of all rows, beside `edge`.
    """
    mean, shared = np.nan_to_num(mean, nan=0.5), np.nan_to_num(shared)
    size = mean * (1 - mean)
    ratio = np.divide(shared, size, out=np.zeros(len(mean)), where=size > 0)
    errors = np.minimum(mean, 1 - mean) * clusters
    common = (errors @ ratio + _PRIOR * edge) / (errors.sum() + _PRIOR)
    return (errors * ratio + _PRIOR * common) / (errors + _PRIOR)


def _pairs(
    values: np.ndarray,
    covariance: np.ndarray,
    clusters: int,
    confidence: float,
    chosen: list[tuple[int, int]],
    independent: int,
) -> list[Pair]:
    if not chosen:
        return []
    a, b = np.array(chosen).T
    seeds = [_matched(values, one, two) for one, two in chosen]
    gaps = np.full((len(chosen), values.shape[1]), np.nan)
    own = np.zeros((len(chosen), values.shape[1], values.shape[1]))
    for at, ((one, two), (firsts, others)) in enumerate(zip(chosen, seeds, strict=True)):
        n = slice(0, len(firsts))
        gaps[at, n] = values[one, firsts] - values[two, others]
        cross = covariance[one][firsts][:, two][:, others]
        own[at, n, n] = covariance[one][firsts][:, one][:, firsts] - cross - cross.T
        own[at, n, n] += covariance[two][others][:, two][:, others]
    difference, there = _means(gaps)
    shared = _shared(own, there)
    mean = np.clip(_means(values)[0], 1 / (8 * clusters), 1 - 1 / (8 * clusters))
    scale = np.sqrt((mean * (1 - mean))[a] * (mean * (1 - mean))[b])  # logits per unit: alike
    alike = np.where(there, gaps, 0) / scale[:, None]
    spread, freedom = _spread(alike, there, independent)
    training = spread * scale**2
    parts = shared, max(clusters - 2, 1), training, freedom
    half, p = _half_width((1 + confidence) / 2, *parts), _p_values(difference, *parts)
    corrected = holm(p)
    error = np.sqrt(shared + training)
    half = np.where(error > 0, half, np.nan)  # nothing says how much the difference varies
    below = shared**2 / max(clusters - 2, 1) + training**2 / freedom
    known = np.divide(error**4, below, out=np.full(len(a), np.inf), where=below > 0)
    columns = a, b, difference, difference - half, difference + half, error, known, p, corrected
    freedoms = np.full(len(a), parts[1])
    described = zip(shared, freedoms, training, freedom, strict=True)
    return [
        Pair._make([int(i), int(j), *map(float, rest), Parts(*map(float, of_it))])
        for (i, j, *rest), of_it in zip(zip(*columns, strict=True), described, strict=True)
    ]


def _matched(values: np.ndarray, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns that are held against each other: common seeds, else in their order."""
    one, two = ~np.isnan(values[a]), ~np.isnan(values[b])
    if (one & two).any():
        common = np.flatnonzero(one & two)
        return common, common
    n = min(one.sum(), two.sum())
    return np.flatnonzero(one)[:n], np.flatnonzero(two)[:n]


def _means(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    total = np.where(there, values, 0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0), there


def _shared(own: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return what the test set adds to the variance of each mean over seeds.

    From pairs of different seeds: the diagonal holds what is peculiar to a training, which the
    spread over seeds counts. With one seed there is only the diagonal.
    """
    count = there.sum(axis=1)
    both = there[:, :, None] & there[:, None, :]
    other = both & ~np.eye(there.shape[1], dtype=bool)
    mask = np.where((count > 1)[:, None, None], other, both)
    shared = np.where(mask, own, 0).sum(axis=(1, 2)) / np.maximum(mask.sum(axis=(1, 2)), 1)
    return np.maximum(shared, 0)


def _spread(values: np.ndarray, there: np.ndarray, others: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the variance of each mean over seeds by training, shrunk, and its freedom.

    0 with one seed. `others`: how many rows are independent of each other, for the prior's cap.
    """
    count = there.sum(axis=1)
    several = count > 1
    mean = np.where(there, values, 0).sum(axis=1) / np.maximum(count, 1)
    square = (np.where(there, values - mean[:, None], 0) ** 2).sum(axis=1)
    variance, freedom = np.zeros(len(count)), np.ones(len(count))
    if several.any():
        own = count[several] - 1.0
        most = max(others, 0) * float(np.median(own))
        variance[several], freedom[several] = shrink(square[several] / own, own, most)
        variance[several] /= count[several]
    return variance, freedom


def _half_width(
    tail: float | np.ndarray,
    shared: np.ndarray,
    freedom: int,
    training: np.ndarray,
    of_seeds: np.ndarray,
) -> np.ndarray:
    first = stdtrit(freedom, tail) ** 2 * shared
    second = np.where(training > 0, stdtrit(of_seeds, tail) ** 2 * training, 0)
    return np.sqrt(first + second)


def _p_values(
    difference: np.ndarray,
    shared: np.ndarray,
    freedom: int,
    training: np.ndarray,
    of_seeds: np.ndarray,
) -> np.ndarray:
    """Return the levels at which intervals end at 0, by bisection of log p."""
    least, most = np.full(len(difference), np.log(1e-130)), np.zeros(len(difference))
    size = np.abs(difference)
    for _ in range(60):
        middle = (least + most) / 2
        wide = _half_width(np.exp(middle) / 2, shared, freedom, training, of_seeds) > size
        least, most = np.where(wide, middle, least), np.where(wide, most, middle)
    known = (shared + training) > 0
    return np.where(known, np.exp(most), np.where(size == 0, 1.0, np.nan)) + 0 * difference
