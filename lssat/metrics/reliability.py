"""Calibration: do probabilities mean what they say, and what one temperature mends of it.

Expected calibration error and temperature after Guo et al. 2017. A multiclass sample is judged by
its largest probability, a two-class sample or attribute by the probability of 1.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lssat.metrics.decided import one_hot
from lssat.metrics.point import numbered, probabilities, video_scores

BINS = 15  # of equal width
COLDEST, HOTTEST = 0.01, 100.0  # temperatures that are tried


def calibration(kind: str, labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Measure calibration.

    Args:
        kind: `binary`, `multilabel` or `multiclass`.
        labels: (N,), or (N, A) for multilabel.
        scores: (N,), (N, A) or (N, K) finite probabilities.

    Returns:
        `ece`: the mean over samples of |frequency - confidence| of their bin, 0 to 1; for
        multilabel the mean over attributes, each with bins of its own;
        `ece_if_calibrated`: the mean of the same if labels were drawn from these very
        probabilities, so that all of it is chance (`_chance`);
        `brier`: mean squared error, for multiclass summed over classes (0 to 2);
        `bins`: `confidence`, `frequency`, `count`, of the bins that are not empty; for multilabel
        of all attributes together, where errors of some may cancel those of others.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=float)
    if kind == "multiclass":
        brier = float(((scores - one_hot(labels, scores.shape[1])) ** 2).sum(axis=1).mean())
        sure, right = scores.max(axis=1)[:, None], (scores.argmax(axis=1) == labels)[:, None]
    else:
        brier = float(((scores - labels) ** 2).mean())
        sure, right = scores.reshape(len(scores), -1), labels.reshape(len(labels), -1) == 1
    sums = _sums(sure, right)
    binned = [_bins(*column) for column in sums.transpose(1, 0, 2)]
    pooled = {name: values.tolist() for name, values in _bins(*sums.sum(axis=1)).items()}
    ece, chance = (float(np.mean([value(bins) for bins in binned])) for value in (_error, _chance))
    return dict(ece=ece, ece_if_calibrated=chance, brier=brier, bins=pooled)


def _sums(sure: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return count, sum of confidence and number of right ones (3, A, BINS) of each column."""
    columns = sure.shape[1]
    place = np.minimum((sure * BINS).astype(int), BINS - 1) + BINS * np.arange(columns)
    of = (None, sure.ravel(), right.ravel())
    counted = [np.bincount(place.ravel(), weights=w, minlength=columns * BINS) for w in of]
    return np.array(counted).reshape(3, columns, BINS)


def _bins(count: np.ndarray, sure: np.ndarray, right: np.ndarray) -> dict[str, np.ndarray]:
    filled = count > 0
    count = count[filled]
    return dict(
        confidence=sure[filled] / count, frequency=right[filled] / count, count=count.astype(int)
    )


def _error(bins: dict[str, np.ndarray]) -> float:
    count = bins["count"]
    return np.abs(bins["confidence"] - bins["frequency"]) @ count / count.sum()


def _chance(bins: dict[str, np.ndarray]) -> float:
    """Return the expected error of a calibrated model with these bins.

    Each bin counts as a binomial of its mean confidence. That the probabilities in it differ a
    little makes the true value smaller (Hoeffding 1956), by 2 % at most with 15 bins.
    """
    pairs = zip(bins["count"].tolist(), bins["confidence"].tolist(), strict=True)
    return sum(_deviation(n, p) for n, p in pairs) / bins["count"].sum()


def _deviation(n: int, p: float) -> float:
    """Return the mean of |X - n p| of a binomial X (De Moivre; Diaconis and Zabell 1991)."""
    above = int(n * p) + 1
    if p <= 0 or above > n:
        return 0.0
    ways = math.lgamma(n + 1) - math.lgamma(above + 1) - math.lgamma(n - above + 1)
    powers = above * math.log(p) + (n - above + 1) * math.log1p(-p)
    return 2 * above * math.exp(ways + powers)


def log_loss(
    kind: str, labels: np.ndarray, logits: np.ndarray, ids: Sequence[str] | None = None
) -> float:
    """Return the mean negative log likelihood (nats) of labels under logits.

    Args:
        labels: (N, A); those of one id are equal.
        logits: (N, outputs), finite.
        ids: N, where several rows are one sample, whose probability is their mean (`pooled`).
    """
    return _loss(kind, np.asarray(labels), np.asarray(logits, dtype=float), _samples(ids))


class _Samples(NamedTuple):
    """Which rows are one sample: rows in the order of samples, and the first of each there."""

    order: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray


def _samples(ids: Sequence[str] | None) -> _Samples | None:
    """Return which rows are one sample, or None where each row is a sample of its own."""
    if ids is None or len(set(ids)) == len(ids):
        return None
    index = numbered(ids)
    count = np.bincount(index)
    return _Samples(np.argsort(index, kind="stable"), np.cumsum(count) - count, count)


def _loss(kind: str, labels: np.ndarray, logits: np.ndarray, samples: _Samples | None) -> float:
    if kind == "multiclass":
        top = logits.max(axis=1)
        total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        losses = (total - logits[np.arange(len(logits)), labels[:, 0]])[:, None]
    else:
        losses = np.logaddexp(0, logits) - labels * logits
    if samples is not None:  # -log of the mean over rows of exp(-loss), the label's probability
        sums = np.logaddexp.reduceat(-losses[samples.order], samples.starts, axis=0)
        losses = np.log(samples.sizes)[:, None] - sums
    return float(losses.mean())


def temperature(
    kind: str, labels: np.ndarray, logits: np.ndarray, ids: Sequence[str] | None = None
) -> float:
    """Return the temperature T in [0.01, 100] that minimises the loss of logits / T.

    The loss over rows of single samples is convex in 1 / T: its minimum is where its slope is 0.
    Over pooled rows it may have several minima, and the least of a grid is refined. 1 where
    nothing is better than that.

    Args:
        labels: (N, A) integers of the validation split, never of the test split.
        logits: (N, outputs), finite.
        ids: as for `log_loss`: T is fitted to what is reported, a video where frames are pooled.
    """
    labels, logits = np.asarray(labels), np.asarray(logits, dtype=float)
    samples = _samples(ids)

    def loss(power: float) -> float:
        return _loss(kind, labels, logits / np.exp(power), samples)

    power = _lowest(loss) if samples else _level(_slope(kind, labels, logits))
    return float(np.exp(power)) if loss(power) < loss(0.0) else 1.0


def _slope(kind: str, labels: np.ndarray, logits: np.ndarray) -> Callable[[float], float]:
    """Return the derivative of the loss by 1 / T, as a function of log T; it falls with log T."""
    from scipy import special  # 0.3 s that training need not pay

    truth = one_hot(labels[:, 0], logits.shape[1]) if kind == "multiclass" else labels
    right = float((truth * logits).mean())

    def slope(power: float) -> float:
        powers = logits / np.exp(power)
        seen = special.softmax(powers, axis=1) if kind == "multiclass" else special.expit(powers)
        return float((seen * logits).mean()) - right

    return slope


def _level(slope: Callable[[float], float]) -> float:
    """Return where a falling slope is 0 between the bounds of log T, or the bound it points to."""
    from scipy.optimize import brentq

    low, high = np.log(COLDEST), np.log(HOTTEST)
    if slope(high) >= 0:
        return high
    return brentq(slope, low, high, xtol=1e-9) if slope(low) > 0 else low


def _lowest(loss: Callable[[float], float]) -> float:
    """Return where a loss is least between the bounds of log T."""
    from scipy.optimize import minimize_scalar

    powers = np.linspace(np.log(COLDEST), np.log(HOTTEST), 25)
    least = int(np.argmin([loss(power) for power in powers]))
    around = powers[max(least - 1, 0)], powers[min(least + 1, len(powers) - 1)]
    return minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-6}).x


def at_bound(temperature: float | None) -> str | None:
    """Say that a temperature is at an end of those that are tried, or return None."""
    if temperature is None or COLDEST * 1.001 < temperature < HOTTEST / 1.001:
        return None
    end = HOTTEST if temperature > 1 else COLDEST
    why = "nothing" if temperature > 1 else "no error"
    return (
        f"the temperature is at the bound {end:g} of its search: validation shows {why} to "
        "calibrate with"
    )


def pooled(
    kind: str, ids: Sequence[str], logits: np.ndarray, temperature: float = 1.0
) -> tuple[list[str], np.ndarray]:
    """Return ids and probabilities (V, outputs) of samples: means over their rows.

    Args:
        ids: N, of each row's sample: a video of several frames or clips, an image of one row.
        logits: (N, outputs); divided by the temperature before their probabilities are averaged.
    """
    return video_scores(ids, scaled(kind, logits, temperature))


def scaled(kind: str, logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities of logits (N, outputs) / temperature."""
    return probabilities(kind, np.asarray(logits, dtype=float) / temperature)
