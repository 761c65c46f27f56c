"""Training seeds as a level of their own, right for two or three of them as well. Pure numpy."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import gammaincinv

_STRETCH = 1 << 20  # the stream of the stretching factors: apart from those of any arm's seeds


def over_seeds(
    statistic: Callable[..., np.ndarray],
    arms: Sequence[np.ndarray],
    seed: int,
    within: tuple[float, float],
) -> np.ndarray:
    """Return a statistic of means over seeds in each resample, other seeds drawn as well.

    A hierarchical bootstrap: resample number b of the test samples is shared by all runs; each
    arm then draws as many seeds as it has. Drawn from S seeds, such a mean varies by (S - 1) / S
    too little, and how much S seeds differ is hardly known when S is two or three. So, after
    Hesterberg (2015, section 4.3.2), what the drawn seeds add is multiplied by
    sqrt(S / (S - 1)), and the deviations from the mean by draws of sqrt(nu / chi2(nu)), which
    turns a normal spread into Student's t. The degrees of freedom are those of Satterthwaite
    (1946) for the sum of two variances, of the test set (taken as known) and of the seeds
    (S - 1 of each arm): where seeds hardly differ, or are many, nothing changes.

    Args:
        statistic: one mean over seeds (B, ...) for each arm -> (B,).
        arms: (S, B, ...) each, a row a seed; numbers along further axes share their seeds. nan:
            undefined. An arm of one seed is taken as it is.
        seed: for the draws.
        within: the least and the largest value that the statistic can have.

    Returns:
        (B,), nan where undefined.
    """
    full = [arm.mean(axis=0) for arm in arms]
    still = statistic(*full)
    if all(len(arm) == 1 for arm in arms):
        return still
    drawn = [
        mean + np.sqrt(len(arm) / max(len(arm) - 1, 1)) * (draw_seeds(arm, (seed, 1 + at)) - mean)
        for at, (arm, mean) in enumerate(zip(arms, full, strict=True))
    ]
    found = statistic(*drawn)
    spreads = [
        (len(arm) - 1, _variance(statistic(*full[:at], drawn[at], *full[at + 1 :]) - still))
        for at, arm in enumerate(arms)
    ]
    freedom = _freedom(_variance(still), spreads)
    if not np.isfinite(freedom):
        return found
    middle = np.mean(still[~np.isnan(still)])
    return np.clip(middle + _stretch(freedom, len(found), seed) * (found - middle), *within)


def draw_seeds(values: np.ndarray, seed: tuple[int, ...]) -> np.ndarray:
    """Return (B, ...) means over as many seeds drawn with replacement, from values (S, B, ...)."""
    seeds, resamples = values.shape[:2]
    chosen = np.random.default_rng(seed).integers(seeds, size=(seeds, resamples))
    at = chosen.reshape(seeds, resamples, *[1] * (values.ndim - 2))
    return np.take_along_axis(values, at, axis=0).mean(axis=0)


def _variance(values: np.ndarray) -> float:
    defined = values[~np.isnan(values)]
    return float(np.var(defined)) if len(defined) else 0.0


def _freedom(known: float, spreads: Sequence[tuple[int, float]]) -> float:
    """Return the degrees of freedom of a sum of variances; infinite where seeds add nothing."""
    below = sum(variance**2 / freedom for freedom, variance in spreads if freedom)
    total = known + sum(variance for _, variance in spreads)
    return total**2 / below if below else np.inf


def _stretch(freedom: float, resamples: int, seed: int) -> np.ndarray:
    """Return (B,) draws of sqrt(nu / chi2(nu)), one from each of B parts of equal probability.

    From quantiles, not from a sampler: a change of nu in its last digit changes no draw by more.
    """
    places = np.random.default_rng((seed, _STRETCH)).permutation(resamples)
    chi2 = 2 * gammaincinv(freedom / 2, (places + 0.5) / resamples)
    return np.sqrt(freedom / chi2)
