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


@pytest.mark.parametrize("shares", [(0.9, 0.1), (0.5, 0.7, 0.3), (0.2, 0.2, 0.8, 0.8)])
def test_fault_c21_errors_of_attributes_do_not_cancel(shares: tuple[float, ...]) -> None:
    """All are predicted at 0.5, which is right for their mean alone."""
    labels = (np.arange(1000)[:, None] % 10 < 10 * np.array(shares)).astype(int)
    found = cal.calibration("multilabel", labels, np.full(labels.shape, 0.5))
    assert found["ece"] == pytest.approx(np.mean(np.abs(np.array(shares) - 0.5)))
    assert found["bins"]["frequency"] == pytest.approx([0.5])  # the diagram's are of all together


def test_fault_c21_of_attributes_each_number_is_the_mean_of_theirs() -> None:
    labels, logits = _binary(300, 2)
    labels, scores = labels.reshape(100, 3), expit(logits).reshape(100, 3)
    many = cal.calibration("multilabel", labels, scores)
    each = [cal.calibration("binary", labels[:, a], scores[:, a]) for a in range(3)]
    for name in ("ece", "ece_if_calibrated", "brier"):
        assert many[name] == pytest.approx(np.mean([one[name] for one in each]))
    together = cal.calibration("binary", labels.ravel(), scores.ravel())
    for name, values in together["bins"].items():
        assert many["bins"][name] == pytest.approx(values)


@pytest.mark.parametrize(
    ("kind", "n", "shape"),
    [("binary", 60, ()), ("binary", 15, ()), ("multilabel", 60, (4,)), ("multiclass", 60, (7,))],
)
def test_fault_c21_what_a_calibrated_model_of_this_size_would_have(
    kind: str, n: int, shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(6)
    scores = rng.random((n, *shape)) ** 2
    if kind == "multiclass":
        scores = softmax(8 * scores, axis=1)
    labels = np.zeros(scores.shape if kind == "multilabel" else n, int)
    found = cal.calibration(kind, labels, scores)["ece_if_calibrated"]
    drawn = []
    for _ in range(1500):  # labels of a model whose probabilities are true
        labels = (rng.random(scores.shape) < scores).astype(int)
        if kind == "multiclass":
            labels = (scores.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
        drawn.append(cal.calibration(kind, labels, scores)["ece"])
    assert found == pytest.approx(np.mean(drawn), rel=0.03)


def test_fault_c21_the_calibrated_error_falls_with_the_number_of_samples() -> None:
    even = (np.arange(60) + 0.5) / 60
    found = [
        cal.calibration("binary", np.zeros(len(scores), int), scores)["ece_if_calibrated"]
        for scores in (even, np.tile(even, 4), np.tile(even, 10_000))
    ]
    assert found[0] == pytest.approx(0.16, abs=0.001)
    assert found[1] == pytest.approx(found[0] / 2, rel=0.05)
    assert found[2] < 0.002
    sure = cal.calibration("binary", np.array([0, 1]), np.array([0.0, 1.0]))
    assert sure["ece_if_calibrated"] == 0
    assert cal._deviation(3, 0.5) == pytest.approx(0.75)  # (1.5 + 3 * 0.5 + 3 * 0.5 + 1.5) / 8
    assert cal._deviation(5, 1 - 1e-17) == 0


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


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_fault_c20_the_loss_of_videos_is_that_of_their_mean_probability(kind: str) -> None:
    """Rows of one video need not stand together, nor videos have equally many."""
    rng = np.random.default_rng(7)
    of_row = rng.permutation(np.repeat(np.arange(30), rng.integers(1, 9, 30)))
    outputs = {"binary": 1, "multiclass": 4, "multilabel": 3}[kind]
    logits = 3 * rng.normal(size=(len(of_row), outputs))
    each = rng.integers(0, 4 if kind == "multiclass" else 2, (30, 3 if outputs == 3 else 1))
    ids = [f"v{video}" for video in of_row]
    order, means = cal.pooled(kind, ids, logits, 2.0)
    truth = each[[int(id[1:]) for id in order]]
    if kind == "multiclass":
        expected = -np.log(means[np.arange(30), truth[:, 0]])
    else:
        expected = -np.log(np.where(truth == 1, means, 1 - means))
    found = cal.log_loss(kind, each[of_row], logits / 2, ids)
    assert found == pytest.approx(expected.mean())
    alone = [f"{n}" for n in range(len(ids))]  # each row is a sample: images
    plain = cal.log_loss(kind, each[of_row], logits)
    assert cal.log_loss(kind, each[of_row], logits, alone) == pytest.approx(plain)


@pytest.mark.parametrize("frames", [(6, 6, 6, -6), (4, 1, -1, 2), (9, -8, 9, 2), (3,), (0.5, 8)])
@pytest.mark.parametrize("wrong", [0, 20])
def test_fault_c20_a_temperature_makes_no_video_worse(frames: tuple, wrong: int) -> None:
    """Videos of such frames, of fakes, and their negatives, of reals; some have another label."""
    signs = np.array([1] * 100 + [-1] * 100)
    labels = (signs > 0).astype(int)
    labels[:wrong] = 0
    logits = (signs[:, None] * np.array(frames)).reshape(-1, 1).astype(float)
    ids = np.repeat([f"{n}" for n in range(200)], len(frames)).tolist()
    rows = np.repeat(labels, len(frames))[:, None]
    heat = cal.temperature("binary", rows, logits, ids)
    losses = {t: cal.log_loss("binary", rows, logits / t, ids) for t in (heat, 1, 0.5, 2, 0.1, 20)}
    assert min(losses, key=losses.__getitem__) == heat
    errors = [
        cal.calibration("binary", labels, cal.pooled("binary", ids, logits, t)[1][:, 0])["ece"]
        for t in (1.0, heat)
    ]
    assert errors[1] <= errors[0] + 1e-9


def test_fault_c20_the_temperature_of_videos_undoes_what_their_frames_were_multiplied_by() -> None:
    rng = np.random.default_rng(8)
    logits = rng.normal(size=(4000, 1)).repeat(4, axis=0) + rng.normal(size=(16_000, 1))
    ids = np.repeat([f"{n}" for n in range(4000)], 4).tolist()
    _, true = cal.pooled("binary", ids, logits)
    labels = (rng.random((4000, 1)) < true).astype(int).repeat(4, axis=0)
    own = cal.temperature("binary", labels, logits, ids)
    assert own == pytest.approx(1, rel=0.15)
    assert cal.temperature("binary", labels, 3 * logits, ids) == pytest.approx(3 * own, rel=1e-3)


@pytest.mark.parametrize(
    ("labels", "logits", "said"),
    [
        ([1, 1, 0, 0], [2.0, 3.0, -1.0, -4.0], "bound 0.01"),  # no error: the surer, the better
        ([1, 0, 1, 0], [-2.0, 3.0, -1.0, 4.0], "bound 100"),  # all wrong
        ([1, 0, 1, 0], [5.0, 5.0, -5.0, -5.0], "bound 100"),  # nothing is known
        ([1, 0, 1, 1], [2.0, 3.0, -1.0, 4.0], None),
        ([1, 0, 1, 0], [0.0, 0.0, 0.0, 0.0], None),  # every temperature is as good as 1
    ],
)
def test_fault_c14_a_temperature_at_its_bound_is_said(
    labels: list[int], logits: list[float], said: str | None
) -> None:
    heat = cal.temperature("binary", np.array(labels)[:, None], np.array(logits)[:, None])
    note = cal.at_bound(heat)
    assert note is None if said is None else said in str(note)
    if not any(logits):
        assert heat == 1
    assert cal.at_bound(None) is None


@pytest.mark.parametrize("kind", ["binary", "multilabel", "multiclass"])
@pytest.mark.parametrize("factor", [0.05, 0.7, 30.0])
def test_no_other_temperature_has_a_smaller_loss(kind: str, factor: float) -> None:
    rng = np.random.default_rng(5)
    outputs = {"binary": 1, "multilabel": 3, "multiclass": 4}[kind]
    truth = rng.normal(size=(400, outputs))
    if kind == "multiclass":
        labels = (truth + rng.gumbel(size=truth.shape)).argmax(axis=1)[:, None]
    else:
        labels = (rng.random(truth.shape) < 1 / (1 + np.exp(-truth))).astype(int)
    heat = cal.temperature(kind, labels, truth * factor)
    assert heat == pytest.approx(factor, rel=0.4)
    least = cal.log_loss(kind, labels, truth * factor / heat)
    for other in np.concatenate([np.geomspace(0.01, 100, 60), heat * np.array([0.999, 1.001])]):
        assert least <= cal.log_loss(kind, labels, truth * factor / other)


def test_a_temperature_without_a_least_loss_is_at_its_bound() -> None:
    labels, logits = np.array([[0], [1], [1]]), np.array([[-1.0], [2.0], [0.5]])
    assert cal.at_bound(cal.temperature("binary", labels, logits))
    assert cal.at_bound(cal.temperature("binary", 1 - labels, logits))
