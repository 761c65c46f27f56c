"""Losses and class weights against scikit-learn and by hand."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_class_weight

from lssat import grid
from lssat.models import losses
from lssat.tables import DataError

DRAW = np.random.default_rng(0)


def task(kind: str, classes: int) -> grid.Task:
    return grid.Task("mine", kind, "auc", "image", "Mine", tuple("abcdefgh"[:classes]))


def test_multiclass_weights_and_loss_equal_scikit_learn() -> None:
    labels = DRAW.choice(4, size=(50, 1), p=[0.6, 0.2, 0.1, 0.1])
    logits = DRAW.normal(size=(50, 4))
    weights = losses.balance(task("multiclass", 4), labels)
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels[:, 0])
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    plain = losses.loss("multiclass", None, 0.0)(torch.tensor(logits), torch.tensor(labels))
    assert plain.item() == pytest.approx(log_loss(labels[:, 0], probability), rel=1e-5)
    weighted = losses.loss("multiclass", weights, 0.0)(torch.tensor(logits), torch.tensor(labels))
    each = -np.log(probability[np.arange(50), labels[:, 0]])
    assert weighted.item() == pytest.approx((each * expected[labels[:, 0]]).mean(), rel=1e-5)


def test_binary_weights_and_loss_equal_the_formula() -> None:
    labels = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]])
    weights = losses.balance(task("multilabel", 3), labels)
    # 4 / (2 * count); the last attribute is constant and keeps weight 1.
    np.testing.assert_allclose(weights, [[2, 2 / 3, 1], [2 / 3, 2, 1]], rtol=1e-6)
    logits = DRAW.normal(size=(4, 3))
    p = 1 / (1 + np.exp(-logits))
    each = -(labels * np.log(p) + (1 - labels) * np.log(1 - p))
    each *= np.where(labels == 1, weights[1], weights[0])
    got = losses.loss("multilabel", weights, 0.0)(torch.tensor(logits), torch.tensor(labels))
    assert got.item() == pytest.approx(each.mean(), rel=1e-5)


def test_label_smoothing_pulls_binary_targets_towards_one_half() -> None:
    logits = torch.tensor([[2.0]])
    got = losses.loss("binary", None, 0.2)(logits, torch.tensor([[1]]))
    p = 1 / (1 + np.exp(-2.0))
    assert got.item() == pytest.approx(-(0.9 * np.log(p) + 0.1 * np.log(1 - p)), rel=1e-5)


def test_a_mixed_label_is_a_soft_target_with_smoothing_and_weights() -> None:
    """Against the loss at the mixed target, written out in float64."""
    logits, share = DRAW.normal(size=(20, 4)), DRAW.random(20)
    labels, other = DRAW.integers(0, 4, (2, 20, 1))
    weights, smooth = np.array([0.5, 1.0, 2.0, 0.25], np.float32), 0.1
    target = np.eye(4)[labels[:, 0]] * (1 - smooth) + smooth / 4
    mate = np.eye(4)[other[:, 0]] * (1 - smooth) + smooth / 4
    # A sample's weight is its label's, so a mixed target carries both labels' weights.
    both = share * weights[labels[:, 0]] * target.T + (1 - share) * weights[other[:, 0]] * mate.T
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    wanted = -(both.T * log_p).sum(1).mean()
    given = [torch.tensor(each) for each in (logits, labels, other, share.astype(np.float32))]
    got = losses.loss("multiclass", weights, smooth)(*given)
    assert got.item() == pytest.approx(wanted, rel=1e-5)
    # torch's own loss of class probabilities, where both define the same: without smoothing.
    soft = share[:, None] * np.eye(4)[labels[:, 0]] + (1 - share[:, None]) * np.eye(4)[other[:, 0]]
    theirs = torch.nn.functional.cross_entropy(
        torch.tensor(logits), torch.tensor(soft), torch.tensor(weights).double(), reduction="none"
    )
    got = losses.loss("multiclass", weights, 0.0)(*given)
    assert got.item() == pytest.approx(theirs.mean().item(), rel=1e-5)


def test_mixed_attributes_are_soft_targets_with_smoothing_and_weights() -> None:
    logits, share = DRAW.normal(size=(20, 3)), DRAW.random(20)
    labels, other = DRAW.integers(0, 2, (2, 20, 3))
    weights, smooth = np.array([[2, 0.7, 1], [0.5, 2, 1]], np.float32), 0.2
    log_p, log_q = -np.log1p(np.exp(-logits)), -np.log1p(np.exp(logits))

    def each(y: np.ndarray) -> np.ndarray:
        aim = y * (1 - smooth) + smooth / 2
        return -np.where(y == 1, weights[1], weights[0]) * (aim * log_p + (1 - aim) * log_q)

    part = share[:, None]
    wanted = (part * each(labels) + (1 - part) * each(other)).mean()
    given = [torch.tensor(x) for x in (logits, labels, other, share.astype(np.float32))]
    got = losses.loss("multilabel", weights, smooth)(*given)
    assert got.item() == pytest.approx(wanted, rel=1e-5)
    soft = part * labels + (1 - part) * other
    plain = -(soft * log_p + (1 - soft) * log_q).mean()
    assert losses.loss("multilabel", None, 0.0)(*given).item() == pytest.approx(plain, rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "labels"), [("multilabel", [[1, -1]]), ("binary", [[2]]), ("multiclass", [[2], [1]])]
)
def test_silent_error_labels_that_a_loss_takes_without_a_word(kind: str, labels: list) -> None:
    with pytest.raises(DataError, match="1 labels are out of range"):
        losses.check_labels(task(kind, 2), np.array(labels), "splits/train.parquet")


def test_labels_of_another_length_than_the_task_names_are_refused() -> None:
    with pytest.raises(DataError, match=r"labels of shape \(1, 2\), the task has 3 a sample"):
        losses.check_labels(task("multilabel", 3), np.array([[1, 0]]), "splits/train.parquet")


def test_a_class_that_training_lacks_keeps_its_output_and_its_place_in_the_weights() -> None:
    weights = losses.balance(task("multiclass", 4), np.array([[0], [0], [2]]))
    np.testing.assert_allclose(weights, [3 / 8, 0, 3 / 4, 0])
    assert [task(k, 2).outputs for k in ("binary", "multilabel", "multiclass")] == [1, 2, 2]


def test_a_task_comes_back_from_a_header() -> None:
    assert grid.read_task(task("multiclass", 4).header(), "t.parquet") == task("multiclass", 4)
    with pytest.raises(DataError, match=r"t\.parquet: does not say what its task is"):
        grid.read_task({"sha256": "1"}, "t.parquet")
