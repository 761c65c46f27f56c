"""Comparisons of two on the same samples that hold for any metric, and Holm's correction."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest, norm

from lssat.statistics.intervals import Interval, percentiles
from lssat.statistics.seeds import draw_seeds, over_seeds

_EXACT = 25  # discordant clusters below which the exact test is used


def difference(
    a: np.ndarray, b: np.ndarray, confidence: float, seed: int
) -> tuple[Interval, float]:
    """Return interval and p-value of the difference a - b of a metric's means over seeds.

    A paired bootstrap: resample number i drew the same clusters of test samples for both; the
    training seeds are then drawn for each (`over_seeds`). So it covers other test clusters and,
    with several seeds, other training runs. The p-value is twice the share of resamples on the
    other side of zero (Efron and Tibshirani 1993, chapter 15), never below 2 / (B + 1).

    Args:
        a, b: (S, B) and (S', B), the metric in each resample (`resampled`), a row a seed.
        confidence: 0.95 for a 95 % interval.
        seed: for the draws of the training seeds.

    Returns:
        interval and p; without ends and nan where over 5 % of the resamples are undefined.
    """
    gap = over_seeds(np.subtract, [a, b], seed, (-1, 1))
    found = percentiles(gap, confidence)
    if found.low is None:
        return found, float("nan")
    gap = gap[~np.isnan(gap)]
    side = min((gap <= 0).sum(), (gap >= 0).sum())
    return found, float(min(1.0, 2 * (side + 1) / (len(gap) + 1)))


def first(values: Sequence[np.ndarray], lower: bool, seed: int) -> list[float]:
    """Return the share of resamples in which each has the best mean over its seeds.

    Args:
        values: of each, (S, B) as for `difference`; a resample without a defined value loses.
        lower: whether the least value is the best. Ties share.
        seed: for the draws of the training seeds.
    """
    means = np.stack([draw_seeds(each, (seed, 1, at)) for at, each in enumerate(values)])
    means = np.nan_to_num(-means if lower else means, nan=-np.inf)
    best = (means == means.max(axis=0)) & np.isfinite(means)
    shared = np.maximum(best.sum(axis=0), 1)
    return (best / shared).mean(axis=1).tolist()


def clustered_mcnemar(
    right_a: np.ndarray, right_b: np.ndarray, groups: Sequence[str] | np.ndarray
) -> float:
    """Return the p-value that two are right equally often, for samples in clusters.

    McNemar's test as generalised by Durkalski et al. 2003: the sum over clusters of (b - c) / n,
    against its spread; b and c count the samples that only one of the two got right. Where each
    sample is a cluster of its own it is McNemar's chi-square without continuity correction.
    Below 25 discordant clusters it is the exact sign test of them (McNemar's exact test).

    Args:
        right_a, right_b: (N,) of bool, or (N, S) of S training seeds; a cluster takes all.
        groups: N names of clusters.
    """
    gap = np.asarray(right_a, dtype=float) - np.asarray(right_b, dtype=float)
    gap = gap.reshape(len(gap), -1).mean(axis=1)
    _, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    each = np.bincount(member, weights=gap) / np.bincount(member)
    apart = each[np.abs(each) > 1e-12]
    if not len(apart):
        return 1.0
    if len(apart) < _EXACT:
        return float(binomtest(int((apart > 0).sum()), len(apart)).pvalue)
    return float(2 * norm.sf(abs(apart.sum()) / np.sqrt(apart @ apart)))
