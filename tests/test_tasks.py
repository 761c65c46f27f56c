"""Losses and class weights against scikit-learn and by hand."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_class_weight

from lssat import grid, tasks
from lssat.tables import DataError

DRAW = np.random.default_rng(0)


def task(kind: str, classes: int) -> grid.Task:
    return grid.Task("mine", kind, "auc", "image", "Mine", tuple("abcdefgh"[:classes]))


def test_multiclass_weights_and_loss_equal_scikit_learn() -> None:
    labels = DRAW.choice(4, size=(50, 1), p=[0.6, 0.2, 0.1, 0.1])
    logits = DRAW.normal(size=(50, 4))
    weights = tasks.balance(task("multiclass", 4), labels)
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels[:, 0])
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    plain = tasks.loss("multiclass", None, 0.0)(torch.tensor(logits), torch.tensor(labels))
    assert plain.item() == pytest.approx(log_loss(labels[:, 0], probability), rel=1e-5)
    weighted = tasks.loss("multiclass", weights, 0.0)(torch.tensor(logits), torch.tensor(labels))
    each = -np.log(probability[np.arange(50), labels[:, 0]])
    assert weighted.item() == pytest.approx((each * expected[labels[:, 0]]).mean(), rel=1e-5)


def test_binary_weights_and_loss_equal_the_formula() -> None:
    labels = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]])
    weights = tasks.balance(task("multilabel", 3), labels)
    # 4 / (2 * count); the last attribute is constant and keeps weight 1.
    np.testing.assert_allclose(weights, [[2, 2 / 3, 1], [2 / 3, 2, 1]], rtol=1e-6)
    logits = DRAW.normal(size=(4, 3))
    p = 1 / (1 + np.exp(-logits))
    each = -(labels * np.log(p) + (1 - labels) * np.log(1 - p))
    each *= np.where(labels == 1, weights[1], weights[0])
    got = tasks.loss("multilabel", weights, 0.0)(torch.tensor(logits), torch.tensor(labels))
    assert got.item() == pytest.approx(each.mean(), rel=1e-5)


def test_label_smoothing_pulls_binary_targets_towards_one_half() -> None:
    logits = torch.tensor([[2.0]])
    got = tasks.loss("binary", None, 0.2)(logits, torch.tensor([[1]]))
    p = 1 / (1 + np.exp(-2.0))
    assert got.item() == pytest.approx(-(0.9 * np.log(p) + 0.1 * np.log(1 - p)), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "labels"), [("multilabel", [[1, -1]]), ("binary", [[2]]), ("multiclass", [[2], [1]])]
)
def test_labels_that_a_loss_would_take_without_a_word_are_refused(kind: str, labels: list) -> None:
    with pytest.raises(DataError, match="1 labels are out of range"):
        tasks.check_labels(task(kind, 2), np.array(labels), "splits/train.parquet")


def test_labels_of_another_length_than_the_task_names_are_refused() -> None:
    with pytest.raises(DataError, match=r"labels of shape \(1, 2\), the task has 3 a sample"):
        tasks.check_labels(task("multilabel", 3), np.array([[1, 0]]), "splits/train.parquet")


def test_a_class_that_training_lacks_keeps_its_output_and_its_place_in_the_weights() -> None:
    weights = tasks.balance(task("multiclass", 4), np.array([[0], [0], [2]]))
    np.testing.assert_allclose(weights, [3 / 8, 0, 3 / 4, 0])
    assert [task(k, 2).outputs for k in ("binary", "multilabel", "multiclass")] == [1, 2, 2]


def test_a_task_comes_back_from_a_header() -> None:
    assert grid.read_task(task("multiclass", 4).header(), "t.parquet") == task("multiclass", 4)
    with pytest.raises(DataError, match=r"t\.parquet: does not say what its task is"):
        grid.read_task({"sha256": "1"}, "t.parquet")
