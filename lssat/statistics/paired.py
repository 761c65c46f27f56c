"""Comparisons of two on the same samples that hold for any metric, and Holm's correction."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import norm

from lssat.statistics.intervals import Interval, Resamples, resampled, seed_means

Measures = Sequence[Callable[[np.ndarray], dict[str, np.ndarray]]]


def difference(
    a: Measures, b: Measures, drawn: Resamples, confidence: float, seed: int
) -> dict[str, tuple[Interval, float]]:
    """Return interval and p-value of the difference a - b for each metric.

    A paired bootstrap: each resample draws the same clusters of test samples for both, and then
    the training seeds of each. So it covers other test clusters and, with several seeds, other
    training runs. The p-value is twice the share of resamples on the other side of zero
    (Efron and Tibshirani 1993, chapter 15), never below 2 / (B + 1).

    Args:
        a, b: the measures of the runs of each, as for `resampled`; one a training seed.
        drawn: the resamples of the test samples, the same as for the intervals.
        confidence: 0.95 for a 95 % interval.
        seed: for the draws of the training seeds.

    Returns:
        metric -> (interval, p); p is nan where the interval has a note instead of ends.
    """
    arms = [[resampled(measure, drawn) for measure in runs] for runs in (a, b)]
    tail = (1 - confidence) / 2
    found = {}
    for name in arms[0][0]:
        values = [np.array([run[name] for run in arm]) for arm in arms]
        gap = seed_means(values[0], (seed, 1)) - seed_means(values[1], (seed, 2))
        gap = gap[~np.isnan(gap)]
        if len(gap) < 0.95 * len(drawn.counts):
            note = f"no interval: undefined in {len(drawn.counts) - len(gap)} resamples"
            found[name] = (Interval(None, None, note), np.nan)
            continue
        low, high = np.quantile(gap, (tail, 1 - tail)).tolist()
        side = min((gap <= 0).sum(), (gap >= 0).sum())
        found[name] = (Interval(low, high), min(1.0, 2 * (side + 1) / (len(gap) + 1)))
    return found


def clustered_mcnemar(
    right_a: np.ndarray, right_b: np.ndarray, groups: Sequence[str] | np.ndarray
) -> float:
    """Return the p-value that two are right equally often, for samples in clusters.

    McNemar's test as generalised by Durkalski et al. 2003: the sum over clusters of (b - c) / n,
    against its spread; b and c count the samples that only one of the two got right. Where each
    sample is a cluster of its own it is McNemar's chi-square without continuity correction.

    Args:
        right_a, right_b: (N,) of bool, or (N, S) of S training seeds; a cluster takes all.
        groups: N names of clusters.
    """
    gap = np.asarray(right_a, dtype=float) - np.asarray(right_b, dtype=float)
    gap = gap.reshape(len(gap), -1).mean(axis=1)
    _, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    each = np.bincount(member, weights=gap) / np.bincount(member)
    spread = float(np.sqrt(each @ each))
    return 1.0 if spread == 0 else float(2 * norm.sf(abs(each.sum()) / spread))


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values (1979); nan stays nan and does not count as a test."""
    values = np.asarray(p, dtype=float)
    adjusted = np.full(len(values), np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    steps = (len(order) - np.arange(len(order))) * values[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted.tolist()
