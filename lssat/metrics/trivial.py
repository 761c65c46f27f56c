"""What can be had without looking at the input: the number to stand beside every result."""

import numpy as np

from lssat.metrics.weighted import NAMES


def trivial(
    kind: str, train_labels: np.ndarray, labels: np.ndarray, classes: int
) -> dict[str, float | None]:
    """Score, on `labels`, the best that can be said without looking at the input.

    That is the constant prediction that is best on the training labels: the majority class, and
    for F1 of an attribute "yes" (a constant "no" has F1 0, which anything beats). Rankings get
    what a random one expects: AUC 0.5, EER 0.5, AP the share of positives.

    Args:
        kind: `binary`, `multilabel` or `multiclass`.
        train_labels: (M,) or (M, A); M need not be N.
        labels: (N,) or (N, A), those the metrics are computed on.
        classes: K of a multiclass task (columns of the scores).

    Returns:
        metric -> float, or None where the metric itself is undefined on these labels.
    """
    train_labels, labels = np.asarray(train_labels), np.asarray(labels)
    if kind == "multilabel":
        return _multilabel(train_labels, labels)
    return _single(kind, train_labels.ravel(), labels.ravel(), 2 if kind == "binary" else classes)


def _single(
    kind: str, train_labels: np.ndarray, labels: np.ndarray, classes: int
) -> dict[str, float | None]:
    majority = np.bincount(train_labels.astype(int), minlength=classes).argmax()
    share = float(np.mean(labels == majority))
    found = {
        **{"accuracy": share, "top1": share, "mean_ovr_accuracy": 1 - 2 * (1 - share) / classes},
        **{"auc": 0.5, "eer": 0.5, "ap": float(np.mean(labels == 1)), "tpr_at_fpr01": 0.01},
        **{"balanced_accuracy": 1 / classes, "macro_f1": 2 * share / (1 + share) / classes},
    }
    always = ("accuracy", "top1", "mean_ovr_accuracy")
    every = len(np.unique(labels)) == classes
    return {name: found[name] if every or name in always else None for name in NAMES[kind]}


def _multilabel(train_labels: np.ndarray, labels: np.ndarray) -> dict[str, float | None]:
    majority = train_labels.mean(axis=0) > 0.5
    accuracy = float(np.mean(labels == majority))
    share = labels.mean(axis=0)
    share = share[(share > 0) & (share < 1)]
    if not len(share):
        return dict.fromkeys(NAMES["multilabel"]) | {"accuracy": accuracy}
    f1, ap = float(np.mean(2 * share / (1 + share))), float(share.mean())
    return {"accuracy": accuracy, "balanced_accuracy": 0.5, "f1": f1, "auc": 0.5, "ap": ap}
