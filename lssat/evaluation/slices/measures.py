"""The metrics of a group, with what each sample moves them; tests hold them to fairlearn's."""

from collections.abc import Sequence

import numpy as np

from lssat import metrics

# What is measured in each group beside the headline metric.
MEASURED = {
    "binary": (
        "accuracy",
        "balanced_accuracy",
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
    ),
    "multilabel": ("accuracy",),
    "multiclass": ("balanced_accuracy",),
}
# A group that is selected more often is neither served better nor worse by that.
LOWER_IS_BETTER = (*metrics.LOWER_IS_BETTER, "false_positive_rate")
NO_ORDER = ("selection_rate",)

# Class of the samples that a rate of binary decisions is a share of; None: all.
_RATES = {"selection_rate": None, "true_positive_rate": 1, "false_positive_rate": 0}
Moved = tuple[float, np.ndarray]  # a value and the influence of each sample (n,)
# Defined for a single class too: the others need every class in the group.
_ALWAYS = ("accuracy", "top1", "selection_rate")


def names(kind: str, headline: str) -> list[str]:
    """Return the metrics of a kind of task, the headline first."""
    return list(dict.fromkeys((headline, *MEASURED[kind])))


def lacking(kind: str, name: str, labels: np.ndarray, classes: int) -> str | None:
    """Say why a metric is undefined in a group, by the labels (N, ...) of its samples, or None.

    Args:
        classes: K of a multiclass task.
    """
    if name in _ALWAYS or kind == "multilabel":
        return None
    wanted = {"true_positive_rate": {1}, "false_positive_rate": {0}}
    absent = wanted.get(name, set(range(classes))) - set(labels.tolist())
    numbers = ", ".join(map(str, sorted(absent)))
    return f"no sample of class {numbers} in the group" if absent else None


def varied(labels: np.ndarray, masks: Sequence[np.ndarray], column: int | None) -> np.ndarray:
    """Return which attributes (A,) vary in every group: those that groups can be compared on.

    The attribute that makes the groups (`column`) is constant in each, and never among them.
    """
    parts = [labels[mask] for mask in masks]
    varying = [part.min(axis=0) != part.max(axis=0) for part in parts if len(part)]
    everywhere = np.logical_and.reduce(varying) if varying else np.zeros(labels.shape[1], bool)
    if column is not None:
        everywhere[column] = False
    return everywhere


def measure(
    kind: str,
    labels: np.ndarray,
    scores: np.ndarray,
    wanted: Sequence[str],
    columns: dict[str, np.ndarray],
) -> dict[str, Moved]:
    """Measure the samples of a group.

    Args:
        labels, scores: as for `lssat.metrics`.
        wanted: metrics that are defined here.
        columns: metric -> (A,) bool, the attributes that it is a mean over (multilabel).

    Returns:
        metric -> its value, and how much each sample moves it (`metrics.influence`).
    """
    rates = [name for name in wanted if name in _RATES]
    others = [name for name in wanted if name not in _RATES]
    measured = {name: _rate(labels, scores >= 0.5, _RATES[name]) for name in rates}
    several = kind == "multilabel"
    orders = metrics.in_order(scores)
    values = metrics.measure(kind, labels, scores, orders)
    moved = metrics.influence(kind, labels, scores, others, several, orders)
    for name in others:
        if several:
            of = columns[name]
            mean = np.array(values["each"][name], float)[of].mean()
            measured[name] = float(mean), moved[f"each/{name}"][:, of].mean(axis=1)
        else:
            measured[name] = values[name], moved[name]
    return measured


def _rate(labels: np.ndarray, decisions: np.ndarray, of: int | None) -> Moved:
    counted = np.ones(len(labels), bool) if of is None else labels == of
    share = decisions[counted].mean()
    return float(share), np.where(counted, decisions - share, 0) / counted.sum()


def needed(kind: str, name: str, held: np.ndarray) -> np.ndarray:
    """Return the clusters of the classes that a metric rests on (`measured`)."""
    if name in _RATES:
        of = _RATES[name]
        return held[:0] if of is None else held[[of]]
    return held
