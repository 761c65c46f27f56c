"""Calibration: do probabilities mean what they say, and what one temperature mends of it.

Expected calibration error and temperature after Guo et al. 2017. A multiclass sample is judged by
its largest probability, a two-class sample or attribute by the probability of 1.
"""

from typing import Any

import numpy as np

from lssat.metrics.point import probabilities
from lssat.metrics.weighted import one_hot

BINS = 15  # of equal width


def calibration(kind: str, labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Measure calibration.

    Args:
        kind: `binary`, `multilabel` or `multiclass`.
        labels: (N,), or (N, A) for multilabel.
        scores: (N,), (N, A) or (N, K) finite probabilities.

    Returns:
        `ece`: the mean over samples of |frequency - confidence| of their bin, 0 to 1;
        `brier`: mean squared error, for multiclass summed over classes (0 to 2);
        `bins`: `confidence`, `frequency`, `count`, of the bins that are not empty.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=float)
    if kind == "multiclass":
        brier = float(((scores - one_hot(labels, scores.shape[1])) ** 2).sum(axis=1).mean())
        sure, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    else:
        brier = float(((scores - labels) ** 2).mean())
        sure, right = scores.ravel(), labels.ravel() == 1
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    filled = count > 0
    confidence = np.bincount(place, weights=sure, minlength=BINS)[filled] / count[filled]
    frequency = np.bincount(place, weights=right, minlength=BINS)[filled] / count[filled]
    ece = float(np.abs(confidence - frequency) @ count[filled] / len(sure))
    bins = dict(confidence=confidence.tolist(), frequency=frequency.tolist())
    return dict(ece=ece, brier=brier, bins=bins | dict(count=count[filled].tolist()))


def log_loss(kind: str, labels: np.ndarray, logits: np.ndarray) -> float:
    """Return the mean negative log likelihood (nats) of labels (N, A) under logits (N, outputs)."""
    labels, logits = np.asarray(labels), np.asarray(logits, dtype=float)
    if kind == "multiclass":
        top = logits.max(axis=1)
        total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return float((total - logits[np.arange(len(logits)), labels[:, 0]]).mean())
    return float((np.logaddexp(0, logits) - labels * logits).mean())


def temperature(kind: str, labels: np.ndarray, logits: np.ndarray) -> float:
    """Return the temperature T in [0.01, 100] that minimises the loss of logits / T.

    Args:
        labels: (N, A) integers of the validation split, never of the test split.
        logits: (N, outputs), finite.
    """
    from scipy.optimize import minimize_scalar  # 0.3 s that training need not pay

    found = minimize_scalar(
        lambda power: log_loss(kind, labels, np.asarray(logits) / np.exp(power)),
        bounds=(np.log(0.01), np.log(100.0)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def scaled(kind: str, logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities of logits (N, outputs) / temperature."""
    return probabilities(kind, np.asarray(logits, dtype=float) / temperature)
