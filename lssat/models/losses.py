"""From labels to losses: one classification loss for each kind of task."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lssat.grid import Task
from lssat.tables import DataError


class Loss(Protocol):
    """The loss of a task."""

    def __call__(
        self,
        logits: Tensor,
        labels: Tensor,
        other: Tensor | None = None,
        share: Tensor | None = None,
    ) -> Tensor:
        """Return the mean loss of a batch, a scalar.

        Args:
            logits: (N, outputs). labels: (N, A) int64. other: (N, A) int64, the labels of the
                images that these are mixed with, and share: (N,) what each image keeps of itself.
        """


def check_labels(task: Task, labels: np.ndarray, file: str) -> None:
    """Refuse labels that a loss would accept silently, such as CelebA's -1.

    Raises:
        DataError: a label is negative or beyond the task's classes, or there is another number
            of attributes than the task names.
    """
    many = len(task.classes) if task.kind == "multilabel" else 1
    if labels.ndim != 2 or labels.shape[1] != many:
        problem = f"has labels of shape {labels.shape}, the task has {many} a sample"
        raise DataError(file, problem, "Run the splits step again")
    top = len(task.classes) - 1 if task.kind == "multiclass" else 1
    wrong = labels[(labels < 0) | (labels > top)]
    if wrong.size:
        raise DataError(
            file,
            f"{wrong.size} labels are out of range, the first is {wrong[0]}",
            "Labels count from 0, attributes are 0 or 1: run the splits step again",
        )


def balance(task: Task, labels: np.ndarray) -> np.ndarray:
    """Return weights that make the classes of the training split count alike.

    Returns:
        `multiclass`: (K,) weights N / (K n_k), 0 for an absent class, K the number of the
        task's classes, found in the split or not. Otherwise (2, A): the
        weights N / (2 n) of label 0 and of label 1; 1 for a constant attribute.
    """
    if task.kind == "multiclass":
        count = np.bincount(labels[:, 0], minlength=len(task.classes))
        weights = np.divide(len(labels), len(count) * count, where=count > 0, out=count * 0.0)
        return weights.astype(np.float32)
    positive = labels.sum(0)
    count = np.stack([len(labels) - positive, positive]).astype(np.float64)
    constant = (count == 0).any(0)
    weights = len(labels) / (2 * np.maximum(count, 1))
    return np.where(constant, 1.0, weights).astype(np.float32)


def loss(kind: str, weights: np.ndarray | None, label_smoothing: float) -> Loss:
    """Return the loss of a task.

    Cross-entropy for `multiclass`, else binary cross-entropy averaged over attributes. With
    weights the mean is over samples, not over weights, so that the classes of a batch count. The
    loss of a mixed image is the mean of the losses at both labels, weighted by the shares:
    cross-entropy is linear in its target, so this is the loss at the mixed (and smoothed) target,
    each class with its weight.
    """
    table = None if weights is None else torch.from_numpy(weights)

    def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
        losses = F.cross_entropy(
            logits.float(), labels[:, 0], label_smoothing=label_smoothing, reduction="none"
        )
        return losses if table is None else losses * table.to(losses.device)[labels[:, 0]]

    def binary(logits: Tensor, labels: Tensor) -> Tensor:
        aim = labels * (1 - label_smoothing) + label_smoothing / 2
        losses = F.binary_cross_entropy_with_logits(logits.float(), aim.float(), reduction="none")
        if table is None:
            return losses
        zero, one = table.to(losses.device)
        return losses * torch.where(labels == 1, one, zero)

    of_samples = cross_entropy if kind == "multiclass" else binary

    def total(
        logits: Tensor, labels: Tensor, other: Tensor | None = None, share: Tensor | None = None
    ) -> Tensor:
        losses = of_samples(logits, labels)
        if other is not None and share is not None:
            share = share.reshape(-1, *[1] * (losses.ndim - 1))
            losses = torch.lerp(of_samples(logits, other), losses, share)
        return losses.mean()

    return total
