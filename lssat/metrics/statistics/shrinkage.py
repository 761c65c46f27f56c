"""Variances from few seeds, shrunk towards what the rows of a task have in common."""

import numpy as np
from scipy.special import digamma, polygamma

_FEWEST, _LEAST = 3, 2  # variances, and independent parts of them, that tell something
_SURE = 4  # degrees of freedom that a prior must have to be taken as it is
_FLOOR = 1e-4  # of the median: a variance of 0 has no logarithm


def shrink(
    variances: np.ndarray, freedom: np.ndarray, most: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return variances pulled towards their common value, and their degrees of freedom.

    Empirical Bayes (Smyth 2004, sections 3 and 6.2): true variances are taken as draws of a
    scaled inverse chi-square, whose scale and degrees of freedom d0 follow from the mean and the
    variance of the logarithms. Half of d0 counts, since all of it makes those too sure whose
    variance is truly above the others' (simulated, docs/statistics.md); all of it where there are
    enough variances to see that they differ by chance only.

    Args:
        variances: (K,) at least 0.
        freedom: (K,) degrees of freedom of each, above 0.
        most: the largest d0: no more than the independent parts of all variances can tell.

    Returns:
        two arrays (K,); the arguments where there is too little to learn from, or all are 0.
    """
    variances, freedom = np.asarray(variances, float), np.asarray(freedom, float)
    if len(variances) < _FEWEST or most < _LEAST or not (variances > 0).any():
        return variances, freedom
    floor = _FLOOR * np.median(variances[variances > 0])
    logs = np.log(np.maximum(variances, floor)) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = logs.var(ddof=1) - polygamma(1, freedom / 2).mean()
    prior = min(2 * trigamma_inverse(excess), most) if excess > 0 else most
    scale = np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2))
    counts = prior if prior == most >= _SURE else prior / 2
    return (counts * scale + freedom * variances) / (counts + freedom), counts + freedom


def trigamma_inverse(value: float) -> float:
    """Return x with trigamma(x) = value > 0, by Newton's method (Smyth 2004, appendix)."""
    if value > 1e7:
        return float(1 / np.sqrt(value))
    if value < 1e-6:
        return float(1 / value)
    x = 0.5 + 1 / value
    for _ in range(50):
        tri = polygamma(1, x)
        step = tri * (1 - tri / value) / polygamma(2, x)
        x += step
        if -step / x < 1e-10:
            break
    return float(x)
