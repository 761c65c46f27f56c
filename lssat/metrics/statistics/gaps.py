"""The largest gap between groups: its interval, and whether equal groups would show as much.

Best and worst of several groups are picked by looking. So every two groups are held against each
other at once: the critical value is that of the largest of all their differences.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from lssat.metrics.statistics.shrinkage import shrink

_DRAWS = 10_000
_FARTHEST = 12.0  # of the critical value: 1.8e-33 of a normal distribution lies beyond it
_PRIOR = 3.0  # errors' worth of trust in the other groups beside what a group's own errors say


class Groups(NamedTuple):
    """One row: a metric in [0, 1] of G groups, from the runs of S seeds on the same test set."""

    values: np.ndarray  # (S, G)
    factors: np.ndarray  # (S, P, G) of `over_clusters`, a place for every cluster; 0: not in it
    freedom: np.ndarray  # (G,) degrees of freedom of each group's variance over test sets
    edge: np.ndarray  # (G,) variance of a value a, divided by a (1 - a), where no error is left
    parts: np.ndarray  # (G,) int: only groups of one part are compared


class Gap(NamedTuple):
    """Largest minus smallest mean over seeds; `expected`: the median where groups are equal."""

    gap: float
    low: float
    high: float
    p: float
    expected: float


def largest_gaps(rows: Sequence[Groups], confidence: float = 0.95, seed: int = 0) -> list[Gap]:
    """Return the largest gap between groups of each row, with interval and test.

    The difference of two groups has its limits from those of each (Wilson's, with an effective
    size: MOVER, Zou and Donner 2008, with the correlation of groups that share clusters), so that
    they are right where hardly an error is left. Training adds the variance of the groups over
    seeds, beyond what all groups share, shrunk over the rows (`shrink`); with one seed all is
    about the trained models. The critical value of all pairs together is a quantile of the
    largest studentised difference of equal groups with this covariance, simulated.

    Returns:
        a Gap a row. Its limits are the largest of the pairs' limits, the lower at least 0; it is
        above 0 exactly where p < 1 - confidence, but for the simulation's error.
    """
    training = _training(rows)
    rng = np.random.default_rng((seed, len(rows[0].freedom)))
    normal = rng.standard_normal((_DRAWS, max(len(row.freedom) for row in rows)))
    return [
        _gap(row, *of_training, normal[:, : len(row.freedom)], confidence)
        for row, of_training in zip(rows, training, strict=True)
    ]


def _training(rows: Sequence[Groups]) -> list[tuple[np.ndarray, float]]:
    """Return what training adds to the variance of each group's mean, and its freedom.

    The mean square of seeds x groups, once what seeds do to all groups alike is taken out. A
    group of few samples varies more between trainings: that share is known from the factors.
    """
    interactions = [_interaction(row) for row in rows]
    square, freedom = (np.array(column) for column in zip(*interactions, strict=True))
    several = freedom > 0
    if several.any():
        most = (several.sum() - 1) * float(np.median(freedom[several]))
        square[several], freedom[several] = shrink(square[several], freedom[several], most)
    return [
        (_shape(row, one) / len(row.values), float(max(of, 1)))
        for row, one, of in zip(rows, square, freedom, strict=True)
    ]


def _interaction(row: Groups) -> tuple[float, float]:
    seeds, total, freedom = len(row.values), 0.0, 0.0
    for part in np.unique(row.parts):
        of_part = row.values[:, row.parts == part]
        rest = of_part - of_part.mean(axis=0) - of_part.mean(axis=1, keepdims=True) + of_part.mean()
        total += float((rest**2).sum())
        freedom += (seeds - 1) * (of_part.shape[1] - 1)
    return (total / freedom if freedom else 0.0), freedom


def _shape(row: Groups, square: float) -> np.ndarray:
    """Return (G,) variances between trainings, whose mean is the mean square."""
    if len(row.values) < 2:
        return np.zeros(len(row.freedom))
    own = (row.factors**2).sum(axis=1).mean(axis=0) - np.diag(_shared(row))
    own = np.maximum(own, 0)
    apart = own + max(square - own.mean(), 0)
    return np.full(len(own), square) if apart.mean() == 0 else apart * square / apart.mean()


def _shared(row: Groups) -> np.ndarray:
    """Return (G, G), the covariance of the groups' means over test sets.

    From pairs of different seeds: what one training has for itself shows between seeds.
    """
    seeds, factors = len(row.values), row.factors
    alone = np.einsum("spg,sph->gh", factors, factors)
    if seeds == 1:
        return alone
    total = factors.sum(axis=0)
    return (total.T @ total - alone) / (seeds * (seeds - 1))


def _gap(
    row: Groups, training: np.ndarray, of_seeds: float, normal: np.ndarray, confidence: float
) -> Gap:
    mean, shared = row.values.mean(axis=0), _shared(row)
    ratio = _effective(mean, np.maximum(np.diag(shared), 0), row.edge)
    pairs = np.equal.outer(row.parts, row.parts) & ~np.eye(len(mean), dtype=bool)
    correlation = _correlation(shared)
    equal = _equal(mean, ratio, row.parts)
    draws = normal @ _root(correlation * np.sqrt(np.outer(equal, equal)) + np.diag(training)).T
    largest, gaps = _largest(draws, pairs)

    def ends(critical: float) -> tuple[float, float]:
        return _ends(mean, ratio, row.freedom, correlation, training, of_seeds, pairs, critical)

    reached = _reached(ends)
    two = pairs.sum() == 2  # one pair: its distribution is known
    share = (1 + (largest >= reached).sum()) / (1 + len(largest))
    bound = pairs.sum() * ndtr(-reached)
    p = float(min(1.0, bound if two else min(bound, share)))
    tail = (1 + confidence) / 2
    critical = ndtri(tail) if two else np.quantile(largest, confidence)
    low, high = ends(float(critical))
    widest = float(np.where(pairs, np.subtract.outer(mean, mean), 0).max())
    return Gap(widest, max(low, 0.0), min(high, 1.0), p, float(np.median(gaps)))


def _effective(mean: np.ndarray, shared: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Return 1 / the effective size of each group, steadied where few errors are left.

    What is common to groups is how far it lies from `edge`, which knows their sizes.
    """
    size = mean * (1 - mean) * edge
    design = np.divide(shared, size, out=np.zeros(len(mean)), where=size > 0)
    errors = np.minimum(mean, 1 - mean) / edge
    common = (errors @ design + _PRIOR) / (errors.sum() + _PRIOR)
    return edge * (errors * design + _PRIOR * common) / (errors + _PRIOR)


def _equal(mean: np.ndarray, ratio: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return the variances that the groups would have at their common value."""
    variance = np.empty(len(mean))
    for part in np.unique(parts):
        inside = parts == part
        common = np.average(mean[inside], weights=1 / ratio[inside])
        variance[inside] = ratio[inside] * np.clip(common * (1 - common), ratio[inside] / 4, None)
    return variance


def _correlation(shared: np.ndarray) -> np.ndarray:
    spread = np.sqrt(np.maximum(np.diag(shared), 0))
    scale = np.outer(spread, spread)
    correlation = np.divide(shared, scale, out=np.zeros_like(shared), where=scale > 0)
    correlation = np.clip(correlation, -1, 1)
    np.fill_diagonal(correlation, 1)
    return correlation


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return a root of the nearest covariance that is one."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.maximum(values, 0))


def _largest(draws: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest studentised difference and the largest gap of each draw (B, G)."""
    covariance = draws.T @ draws / len(draws)
    spread = np.add.outer(np.diag(covariance), np.diag(covariance)) - 2 * covariance
    studentised, gap = np.zeros(len(draws)), np.zeros(len(draws))
    for g, h in zip(*np.nonzero(np.triu(pairs)), strict=True):
        apart = np.abs(draws[:, g] - draws[:, h])
        gap = np.maximum(gap, apart)
        if spread[g, h] > 0:
            studentised = np.maximum(studentised, apart / np.sqrt(spread[g, h]))
    return studentised, gap


def _ends(
    mean: np.ndarray,
    ratio: np.ndarray,
    freedom: np.ndarray,
    correlation: np.ndarray,
    training: np.ndarray,
    of_seeds: float,
    pairs: np.ndarray,
    critical: float,
) -> tuple[float, float]:
    """Return the largest lower and the largest upper limit of a difference of two groups."""
    tail = ndtr(-critical)
    reach = stdtrit(freedom, tail) ** 2 * ratio
    middle = (mean + reach / 2) / (1 + reach)
    half = np.sqrt(reach * (mean * (1 - mean) + reach / 4)) / (1 + reach)
    down, up = mean - np.maximum(middle - half, 0), np.minimum(middle + half, 1) - mean
    seeds = stdtrit(of_seeds, tail) ** 2 * np.add.outer(training, training)
    apart = np.subtract.outer(mean, mean)

    def width(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        square = np.add.outer(one**2, other**2) - 2 * correlation * np.outer(one, other)
        return np.sqrt(np.maximum(square, 0) + seeds)

    low, high = apart - width(down, up), apart + width(up, down)
    return float(low[pairs].max()), float(high[pairs].max())


def _reached(ends: Callable[[float], tuple[float, float]]) -> float:
    """Return the least critical value at which no pair's interval leaves out 0."""
    least, most = 0.0, _FARTHEST
    for _ in range(40):
        middle = (least + most) / 2
        least, most = (middle, most) if ends(middle)[0] > 0 else (least, middle)
    return least
