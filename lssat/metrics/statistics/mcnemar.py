"""Two on the same samples: how often each alone is right."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest, norm

_EXACT = 25  # discordant clusters below which the exact test is used


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
    of_cluster = np.bincount(member, weights=gap) / np.bincount(member)
    apart = of_cluster[np.abs(of_cluster) > 1e-12]
    if not len(apart):
        return 1.0
    if len(apart) < _EXACT:
        return float(binomtest(int((apart > 0).sum()), len(apart)).pvalue)
    return float(2 * norm.sf(abs(apart.sum()) / np.sqrt(apart @ apart)))
