"""Losses and class weights against scikit-learn and by hand."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_class_weight

from lssat import tasks
from lssat.tables import DataError

DRAW = np.random.default_rng(0)


def test_multiclass_weights_and_loss_equal_scikit_learn() -> None:
    labels = DRAW.choice(4, size=(50, 1), p=[0.6, 0.2, 0.1, 0.1])
    logits = DRAW.normal(size=(50, 4))
    weights = tasks.balance("multiclass", labels)
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
    weights = tasks.balance("multilabel", labels)
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


@pytest.mark.parametrize(("kind", "labels"), [("multilabel", [[1, -1]]), ("binary", [[2]])])
def test_labels_that_a_loss_would_take_without_a_word_are_refused(kind: str, labels: list) -> None:
    with pytest.raises(DataError, match="1 labels are out of range"):
        tasks.check_labels(kind, np.array(labels), "splits/train.parquet")


def test_outputs() -> None:
    assert tasks.outputs("multiclass", np.array([[0], [7]])) == 8
    assert tasks.outputs("multilabel", np.zeros((2, 40), int)) == 40
    assert tasks.outputs("binary", np.zeros((2, 1), int)) == 1
