"""The metrics of a group: fairlearn's MetricFrame for the values, our weights for the resamples.

Both are of the same definitions; a test holds the resamples with weights of one to the values.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lssat import metrics
from lssat.metrics.weighted import attributes

# What is measured in each group beside the headline metric.
MEASURED = {
    "binary": (
        *("accuracy", "balanced_accuracy", "selection_rate"),
        *("true_positive_rate", "false_positive_rate"),
    ),
    "multilabel": ("accuracy",),
    "multiclass": ("balanced_accuracy",),
}
# A group that is selected more often is neither served better nor worse by that.
LOWER_IS_BETTER = (*metrics.LOWER_IS_BETTER, "false_positive_rate")
NO_ORDER = ("selection_rate",)

_RANKING = ("auc", "ap")
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
    found = [part.min(axis=0) != part.max(axis=0) for part in parts if len(part)]
    every = np.logical_and.reduce(found) if found else np.zeros(labels.shape[1], bool)
    if column is not None:
        every[column] = False
    return every


def points(
    kind: str,
    labels: np.ndarray,
    scores: np.ndarray,
    groups: np.ndarray,
    wanted: dict[str, list[str]],
    columns: dict[str, np.ndarray],
) -> dict[str, dict[str, float]]:
    """Compute metrics by group: fairlearn's MetricFrame over scikit-learn's and fairlearn's own.

    Args:
        labels, scores: as for `lssat.metrics`.
        groups: (N,) text.
        wanted: metric -> the groups in which it is defined.
        columns: metric -> (A,) bool, the attributes that it is a mean over (multilabel).

    Returns:
        metric -> group -> value.
    """
    from fairlearn.metrics import MetricFrame  # a second, with pandas and scikit-learn

    found: dict[str, dict[str, float]] = {}
    for name, where in wanted.items():
        rows = np.flatnonzero(np.isin(groups, where))
        found[name] = {}
        if len(rows):
            measure = _measure(kind, name, columns.get(name))

            def at(rows: np.ndarray, _: Any, measure: Callable = measure) -> float:
                # The frame hands on the samples' numbers, so that scores of any shape pass.
                return float(measure(labels[np.asarray(rows)], scores[np.asarray(rows)]))

            frame = MetricFrame(
                metrics=at,
                y_true=rows,
                y_pred=rows,
                sensitive_features=groups[rows],
            )
            found[name] = {str(key): float(value) for key, value in frame.by_group.items()}
    return found


def _measure(kind: str, name: str, columns: np.ndarray | None) -> Callable:
    import fairlearn.metrics as fair
    from sklearn import metrics as sk

    if kind == "multilabel":
        assert columns is not None
        return partial(_over_attributes, name, columns)
    if name in _RANKING and kind == "binary":
        return {"auc": sk.roc_auc_score, "ap": sk.average_precision_score}[name]
    decided = {
        "accuracy": sk.accuracy_score,
        "top1": sk.accuracy_score,
        "balanced_accuracy": sk.balanced_accuracy_score,
        "macro_f1": partial(sk.f1_score, average="macro"),
        "selection_rate": fair.selection_rate,
        "true_positive_rate": partial(fair.true_positive_rate, pos_label=1),
        "false_positive_rate": partial(fair.false_positive_rate, pos_label=1),
    }[name]
    return lambda labels, scores: decided(labels, metrics.predicted(kind, scores))


def _over_attributes(
    name: str, columns: np.ndarray, labels: np.ndarray, scores: np.ndarray
) -> float:
    from sklearn import metrics as sk

    labels, scores = labels[:, columns], scores[:, columns]
    chosen = metrics.predicted("multilabel", scores)
    if name == "accuracy":
        return float((labels == chosen).mean())
    if name == "balanced_accuracy":
        pairs = ((labels, chosen), (1 - labels, 1 - chosen))
        recalls = [sk.recall_score(*pair, average=None, zero_division=np.nan) for pair in pairs]
        return float(np.mean(recalls))
    if name == "f1":
        return float(sk.f1_score(labels, chosen, average="macro", zero_division=0))
    rank = {"auc": sk.roc_auc_score, "ap": sk.average_precision_score}[name]
    return float(rank(labels, scores, average="macro"))


def weighted(
    kind: str, labels: np.ndarray, scores: np.ndarray, wanted: Sequence[str]
) -> metrics.Measure:
    """Return the function from weights (b, n) of a group's samples to metric -> (b,).

    Multilabel: (b, A), a value each attribute, nan where it is constant under the weights; the
    caller takes the mean over those that are defined in every group. nan where a group has no
    weight or lacks a class.
    """
    if kind == "multilabel":
        every = attributes(labels, scores, wanted)
    elif kind == "multiclass":
        every = metrics.prepare(kind, labels, scores, wanted)
    else:
        ranked = metrics.ranking(labels, scores, [name for name in wanted if name in _RANKING])
        rates = _rates(labels, metrics.predicted(kind, scores))
        every = lambda weights: rates(weights) | ranked(weights)  # noqa: E731

    def compute(weights: np.ndarray) -> dict[str, np.ndarray]:
        with np.errstate(invalid="ignore"):  # 0/0 where nobody of the group was drawn: nan
            found = every(weights)
        return {name: found[name] for name in wanted}

    return compute


def _rates(labels: np.ndarray, chosen: np.ndarray) -> metrics.Measure:
    """Return the function for the rates of binary decisions; labels and chosen (n,)."""
    ones = labels == 1
    picked = chosen == 1
    cells = np.stack([np.ones_like(ones), ones, picked, picked & ones], axis=1).astype(float)

    def compute(weights: np.ndarray) -> dict[str, np.ndarray]:
        total, positive, said, hits = (weights.astype(float) @ cells).T
        negative, false = total - positive, said - hits
        recall, alarm = hits / positive, false / negative
        return {
            **{"selection_rate": said / total, "accuracy": (hits + negative - false) / total},
            **{"true_positive_rate": recall, "false_positive_rate": alarm},
            "balanced_accuracy": (recall + 1 - alarm) / 2,
        }

    return compute
