"""Calibration against scikit-learn, the definition, and what scaling is made to undo."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from lssat.metrics import reliability as cal


def _binary(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 1)) * 2
    return (rng.random((n, 1)) < expit(logits)).astype(int), logits


def _classes(n: int, seed: int, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * 2
    chosen = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return chosen[:, None], logits


def _ece(sure: np.ndarray, right: np.ndarray) -> float:
    total = 0.0
    for low in range(cal.BINS):
        inside = [i for i in range(len(sure)) if min(int(sure[i] * cal.BINS), cal.BINS - 1) == low]
        if inside:
            total += abs(sum(right[inside]) / len(inside) - sum(sure[inside]) / len(inside)) * len(
                inside
            )
    return total / len(sure)


def test_brier_and_bins_of_two_classes_are_scikit_learns() -> None:
    labels, logits = _binary(400, 0)
    scores = expit(logits[:, 0]) ** 2  # not calibrated
    found = cal.calibration("binary", labels[:, 0], scores)
    assert found["brier"] == pytest.approx(sk.brier_score_loss(labels[:, 0], scores))
    frequency, confidence = calibration_curve(labels[:, 0], scores, n_bins=cal.BINS)
    assert found["bins"]["frequency"] == pytest.approx(frequency)
    assert found["bins"]["confidence"] == pytest.approx(confidence)
    assert sum(found["bins"]["count"]) == 400
    assert found["ece"] == pytest.approx(_ece(scores, labels[:, 0]))


def test_many_classes_are_judged_by_the_largest_probability() -> None:
    labels, logits = _classes(400, 1)
    scores = softmax(3 * logits, axis=1)
    found = cal.calibration("multiclass", labels[:, 0], scores)
    assert found["ece"] == pytest.approx(
        _ece(scores.max(axis=1), scores.argmax(axis=1) == labels[:, 0])
    )
    assert found["brier"] == pytest.approx(
        sk.brier_score_loss(labels[:, 0], scores, scale_by_half=False, labels=list(range(5)))
    )


def test_attributes_are_judged_together() -> None:
    labels, logits = _binary(300, 2)
    many = cal.calibration("multilabel", labels.reshape(100, 3), expit(logits).reshape(100, 3))
    one = cal.calibration("binary", labels[:, 0], expit(logits[:, 0]))
    assert (many["ece"], many["brier"]) == pytest.approx((one["ece"], one["brier"]))


def test_a_sure_and_right_prediction_has_no_error() -> None:
    found = cal.calibration("binary", np.array([0, 1, 1]), np.array([0.0, 1.0, 1.0]))
    assert (found["ece"], found["brier"], found["bins"]["count"]) == (0, 0, [1, 2])


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_log_loss_is_scikit_learns(kind: str) -> None:
    if kind == "multiclass":
        labels, logits = _classes(200, 3)
        expected = sk.log_loss(labels[:, 0], softmax(logits, axis=1))
    else:
        labels, logits = _binary(200, 3)
        expected = sk.log_loss(labels[:, 0], expit(logits[:, 0]))
        if kind == "multilabel":
            labels, logits = labels.reshape(50, 4), logits.reshape(50, 4)
    assert cal.log_loss(kind, labels, logits) == pytest.approx(expected)


@pytest.mark.parametrize(("kind", "make"), [("binary", _binary), ("multiclass", _classes)])
def test_the_temperature_undoes_what_logits_were_multiplied_by(kind: str, make) -> None:
    labels, logits = make(20_000, 4)
    own = cal.temperature(kind, labels, logits)
    assert own == pytest.approx(1, rel=0.05)
    assert cal.temperature(kind, labels, 3.5 * logits) == pytest.approx(3.5 * own, rel=1e-3)
    before = cal.calibration(kind, labels[:, 0], cal.scaled(kind, 3.5 * logits, 1).squeeze())
    after = cal.calibration(kind, labels[:, 0], cal.scaled(kind, 3.5 * logits, 3.5).squeeze())
    assert after["ece"] < 0.02 < before["ece"]
