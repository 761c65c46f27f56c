"""Two AUCs on the same samples: DeLong's test, and Obuchowski's for samples in clusters."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, rankdata


class Compared(NamedTuple):
    """A difference a - b with its standard error and two-sided p-value; nan where undefined."""

    difference: float
    error: float
    p: float


def compare_aucs(
    labels: np.ndarray, a: np.ndarray, b: np.ndarray, groups: Sequence[str] | np.ndarray
) -> Compared:
    """Test whether two sets of scores have the same AUC on the same samples.

    DeLong, DeLong, Clarke-Pearson 1988, with the variance of Obuchowski 1997 for clustered data:
    a cluster's samples may depend on each other, whatever their labels. Where each sample is a
    cluster of its own, this is DeLong's test (with its divisor n - 1).

    Args:
        labels: (N,) of 0 and 1.
        a, b: (N,) scores, or (N, S) of S training seeds, whose AUCs are averaged.
        groups: N names of clusters.

    Returns:
        AUC(a) - AUC(b). The p-value treats the seeds as fixed: it speaks of other samples, not
        of other training runs.
    """
    labels = np.asarray(labels)
    clusters, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    ones, zeros = labels == 1, labels == 0
    if not ones.any() or not zeros.any():
        return Compared(np.nan, np.nan, np.nan)
    gap = _placements(ones, a) - _placements(ones, b)
    difference = float(gap[ones].mean())
    # What each cluster carries of the difference, through its positives and its negatives.
    parts = []
    for mask in (ones, zeros):
        carried = np.where(mask, gap - difference, 0) / mask.sum()
        holding = len(np.unique(member[mask]))
        total = np.bincount(member, weights=carried, minlength=len(clusters))
        parts.append((total, _grow(holding)))
    (pos, grow_pos), (neg, grow_neg) = parts
    variance = grow_pos * pos @ pos + grow_neg * neg @ neg
    variance += 2 * _grow(len(clusters)) * pos @ neg
    error = float(np.sqrt(np.maximum(variance, 0)))
    return Compared(difference, error, _p(difference, error))


def _grow(clusters: int) -> float:
    """Return n / (n - 1), which makes the variance of n clusters unbiased."""
    return clusters / (clusters - 1) if clusters > 1 else float("nan")


def _p(difference: float, error: float) -> float:
    if np.isnan(error):
        return float("nan")
    if error < 1e-12:  # nothing says how much the difference varies
        return 1.0 if abs(difference) < 1e-12 else float("nan")
    return float(2 * norm.sf(abs(difference) / error))


def _placements(ones: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return for each sample the share of the other class that it is ranked rightly against."""
    scores = np.asarray(scores, dtype=float).reshape(len(ones), -1)
    shares = np.empty(scores.shape)
    n_ones, n_zeros = ones.sum(), len(ones) - ones.sum()
    for seed, column in enumerate(scores.T):
        rank = rankdata(column)
        shares[ones, seed] = (rank[ones] - rankdata(column[ones])) / n_zeros
        shares[~ones, seed] = 1 - (rank[~ones] - rankdata(column[~ones])) / n_ones
    return shares.mean(axis=1)


def auc_edge(ones: int, zeros: int) -> float:
    """Return the variance of an AUC divided by A (1 - A), where no pair is ranked wrongly.

    Newcombe 2006 (Statistics in Medicine 25, 559-573), method 5, at the lower end of its 95 %
    interval of a perfect AUC: [0.960, 1] for 50 + 50.

    Args:
        ones, zeros: independent samples of each class, at least 1.
    """
    low, middle, z2 = 1.0, (ones + zeros) / 2 - 1, norm.ppf(0.975) ** 2
    for _ in range(100):  # a contraction: each step moves the end by less
        lost = 1 + middle * (1 - low) / (2 - low) + middle * low / (1 + low)
        ratio = lost / (ones * zeros)
        low = 1 / (1 + z2 * ratio)
    return float(ratio)
