"""What can be had without looking at the input: the number to stand beside every result."""

import numpy as np

from lssat.metrics.registry import METRICS, NAMES, Blind


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
    several = kind == "multilabel"
    classes = classes if kind == "multiclass" else 2
    if several:
        majority = train_labels.mean(axis=0) > 0.5
        shares = labels.mean(axis=0)
        shares = shares[(shares > 0) & (shares < 1)]
    else:
        train_labels, labels = train_labels.ravel(), labels.ravel()
        majority = np.bincount(train_labels.astype(int), minlength=classes).argmax()
        shares = np.mean(labels == 1, keepdims=True)
    blind = Blind(classes, float(np.mean(labels == majority)), shares)
    every = len(shares) > 0 if several else len(np.unique(labels)) == classes
    return {
        name: blindly(name, blind) if every or METRICS[name].needs == () else None
        for name in NAMES[kind]
    }


def blindly(name: str, blind: Blind) -> float | None:
    """Return a metric's trivial value, None where it has none."""
    value = METRICS[name].trivial
    return None if value is None else value(blind)
