"""The power of the test of a pair of rows, and the smallest difference that it would show.

The test (`infer`) adds two parts as squares, each with its own quantile of t: what the test set
adds to the variance of a difference, and what training adds. Both variances are estimated, so a
repetition has others; they are taken as scaled chi-squares with the degrees of freedom that the
test gives them.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, roots_legendre, stdtrit
from scipy.stats import chi2

POWER = 0.8
_NODES = 48
_FARTHEST = 1e6  # standard errors


class Parts(NamedTuple):
    """The variance of a difference by its two parts, each with its degrees of freedom."""

    test: float  # over other test sets
    test_freedom: float
    training: float  # over other trainings; 0 with one seed
    training_freedom: float


def power(difference: float, parts: Parts, level: float = 0.05) -> float:
    """Return how often a true difference is shown by a two-sided test at a level.

    The difference seen is normal around the true one; the limits that it must pass depend on the
    two variances that a repetition sees, over which it is integrated (Gauss-Legendre over the
    quantiles of each). With one part alone this is the power of the t test, of a noncentral t.

    Args:
        difference: in units of the metric.
        parts: variances at least 0, not both 0.
        level: of this one test: with Holm's correction of m tests, 0.05 / m for the first.

    Returns:
        0 to 1.
    """
    error = float(np.sqrt(parts.test + parts.training))
    limits, weights = _limits(parts, level)
    return _shown(difference / error, limits / error, weights)


def _shown(far: float, limits: np.ndarray, weights: np.ndarray) -> float:
    return float((weights * (ndtr(far - limits) + ndtr(-far - limits))).sum())


def smallest(parts: Parts, level: float = 0.05, wanted: float = POWER) -> float:
    """Return the smallest difference that is shown in a share of repetitions; see `power`.

    Returns:
        in units of the metric; nan where the variance is not above 0 or not known.
    """
    if not (np.isfinite(parts).all() and parts.test + parts.training > 0):
        return float("nan")
    error = float(np.sqrt(parts.test + parts.training))
    limits, weights = _limits(parts, level)
    low, high = 0.0, 1.0  # in standard errors
    while _shown(high, limits / error, weights) < wanted and high < _FARTHEST:
        low, high = high, 2 * high
    while high - low > 1e-7 * high:
        middle = (low + high) / 2
        enough = _shown(middle, limits / error, weights) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    return high * error


def _limits(parts: Parts, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the half widths that repetitions may have, with their weights: two (a, b)."""
    nodes, weights = roots_legendre(_NODES)
    at, share = (nodes + 1) / 2, weights / 2
    squares, shares = [], []
    for variance, freedom in ((parts[0], parts[1]), (parts[2], parts[3])):
        if variance > 0:
            quantile = stdtrit(freedom, 1 - level / 2)
            squares.append(quantile**2 * variance * chi2.ppf(at, freedom) / freedom)
            shares.append(share)
        else:
            squares.append(np.zeros(1))
            shares.append(np.ones(1))
    return np.sqrt(np.add.outer(*squares)), np.multiply.outer(*shares)
