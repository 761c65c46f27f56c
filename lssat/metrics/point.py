"""Labels and scores -> numbers with notes, for the three kinds of task.

An undefined value is None and `notes` says why; it is never nan and never flatters (scikit-learn
gives an average precision of 1 where every label is positive).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lssat.metrics.ranked import Order, in_order
from lssat.metrics.weighted import EACH, NAMES, attributes, mean_of_defined, prepare


def binary(
    labels: np.ndarray, scores: np.ndarray, orders: Sequence[Order] | None = None
) -> dict[str, Any]:
    """Score a two-class task.

    Args:
        labels: (N,) or (N, 1), 0 or 1 (fake).
        scores: (N,) or (N, 1), probability of class 1; class 1 is predicted from 0.5 on.
        orders: `in_order` of the scores, where they have been sorted.

    Returns:
        the metrics of `NAMES`, float or None, and `notes` (metric -> why it is None).
        `eer` is the error where FPR = 1 - TPR, linear between the points of the ROC curve;
        `tpr_at_fpr01` the largest TPR at a threshold with FPR <= 0.01 (not interpolated).

    Raises:
        ValueError: shapes differ, or a label other than 0 and 1.
    """
    return _single("binary", _column(labels), _column(np.asarray(scores, dtype=float)), 2, orders)


def multiclass(
    labels: np.ndarray, scores: np.ndarray, orders: Sequence[Order] | None = None
) -> dict[str, Any]:
    """Score a task with one class of K per sample.

    Args:
        labels: (N,) or (N, 1), 0 to K - 1.
        scores: (N, K), probability of each class; the largest is predicted.
        orders: `in_order` of the scores, where they have been sorted.

    Returns:
        the metrics of `NAMES`, float or None, `each` (metric of `EACH` -> list of K floats or
        None, a class against the rest) and `notes`. A class without a sample leaves the means
        over classes undefined. `mean_ovr_accuracy` is the mean of the K one-vs-rest accuracies,
        1 - 2 (1 - top1) / K: never to be read as accuracy.

    Raises:
        ValueError: shapes differ, or a label outside 0 to K - 1.
    """
    scores = np.asarray(scores, dtype=float)
    return _single("multiclass", _column(labels), scores, scores.shape[1], orders)


def _single(
    kind: str,
    labels: np.ndarray,
    scores: np.ndarray,
    classes: int,
    orders: Sequence[Order] | None,
) -> dict[str, Any]:
    _check(labels, scores[:, 0] if scores.ndim == 2 else scores, classes)
    names = EACH.get(kind, ())
    if note := unusable(scores):
        apart: dict[str, Any] = {"each": {name: [None] * classes for name in names}}
        found = dict.fromkeys(NAMES[kind]) | {"notes": dict.fromkeys(NAMES[kind], note)}
        return found | (apart if names else {})
    measured = prepare(kind, labels, scores, None, bool(names), orders)(_ones(labels))
    values = {name: _number(measured[name][0]) for name in NAMES[kind]}
    apart = {"each": {name: list(map(_number, measured[f"each/{name}"][0])) for name in names}}
    absent = sorted(set(range(classes)) - set(np.unique(labels).tolist()))
    note = f"no sample of class {', '.join(map(str, absent))} among {len(labels)} labels"
    notes = {"notes": {name: note for name, value in values.items() if value is None}}
    return values | (apart if names else {}) | notes


def multilabel(
    labels: np.ndarray, scores: np.ndarray, orders: Sequence[Order] | None = None
) -> dict[str, Any]:
    """Score a task with several yes-no attributes.

    Args:
        labels: (N, A), 0 or 1.
        scores: (N, A), probability of each attribute; it is predicted from 0.5 on.
        orders: `in_order` of the scores, where they have been sorted.

    Returns:
        the metrics of `NAMES` as means over attributes, `each` (metric -> list of A floats or
        None) and `notes`. An attribute that is constant in the labels has only an
        accuracy: it is left out of the other means, and the note counts those that are in.

    Raises:
        ValueError: shapes differ, or a label other than 0 and 1 (CelebA's -1).
    """
    labels, scores, names = np.asarray(labels), np.asarray(scores, dtype=float), NAMES["multilabel"]
    _check(labels, scores, classes=2)
    columns = labels.shape[1]
    if note := unusable(scores):
        nothing = {name: [None] * columns for name in names}
        notes = dict.fromkeys(names, note)
        return dict.fromkeys(names) | {"each": nothing, "notes": notes}
    orders = in_order(scores) if orders is None else orders
    each = {n: v[0] for n, v in attributes(labels, scores, names, orders)(_ones(labels)).items()}
    varied = int((labels.min(axis=0) != labels.max(axis=0)).sum())
    note = f"mean over {varied} of {columns} attributes; the others are constant here"
    return {
        **{name: _number(mean_of_defined(values[None])[0]) for name, values in each.items()},
        "each": {name: [_number(v) for v in values] for name, values in each.items()},
        "notes": dict.fromkeys(names[1:], note) if varied < columns else {},
    }


def measure(
    kind: str, labels: np.ndarray, scores: np.ndarray, orders: Sequence[Order] | None = None
) -> dict[str, Any]:
    """Call `binary`, `multilabel` or `multiclass`."""
    return {"binary": binary, "multilabel": multilabel, "multiclass": multiclass}[kind](
        labels, scores, orders
    )


def evaluate(kind: str, labels: np.ndarray, logits: np.ndarray) -> dict[str, float | None]:
    """Score logits (binary (N, 1), otherwise (N, K)): the metrics of `NAMES[kind]`, no notes."""
    found = measure(kind, labels, probabilities(kind, logits))
    return {name: found[name] for name in NAMES[kind]}


def probabilities(kind: str, logits: np.ndarray) -> np.ndarray:
    """Turn logits (N, K) into probabilities, float64: softmax for multiclass, else sigmoid.

    Logits that are not finite stay visible: a row that holds one becomes nan.
    """
    logits = np.asarray(logits, dtype=float)
    finite = np.isfinite(logits).all(axis=1, keepdims=True)
    safe = np.where(finite, logits, 0)
    if kind == "multiclass":
        powers = np.exp(safe - safe.max(axis=1, keepdims=True))
        return np.where(finite, powers / powers.sum(axis=1, keepdims=True), np.nan)
    small = np.exp(-np.abs(safe))  # of the positive or the negative side, never too large
    return np.where(finite, np.where(safe < 0, small, 1) / (1 + small), np.nan)


def unusable(scores: np.ndarray) -> str | None:
    """Say why no metric can be computed from scores (N, ...), or None."""
    if not len(scores):
        return "no samples"
    bad = int((~np.isfinite(scores.reshape(len(scores), -1))).any(axis=1).sum())
    return f"{bad} of {len(scores)} samples have a score that is not finite" if bad else None


def video_scores(ids: Sequence[str], values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Average the frames of each video.

    Args:
        ids: N full ids, the compression and the method in them: `000_003` alone names four
            fakes of FaceForensics++, and merging those made 0.845 a 0.930 in published code.
        values: (N, ...), a score or probability per frame.

    Returns:
        the ids in the order of their first appearance, and their means (V, ...), float64.
    """
    index, values = numbered(ids), np.asarray(values, dtype=float)
    if len(index) != len(values):
        raise ValueError(f"{len(index)} ids for {len(values)} values")
    frames = np.bincount(index)
    sums = np.zeros((len(frames), *values.shape[1:]))
    np.add.at(sums, index, values)
    return list(dict.fromkeys(ids)), sums / frames.reshape(-1, *[1] * (values.ndim - 1))


def numbered(ids: Sequence[str]) -> np.ndarray:
    """Number ids in the order of their first appearance; return the number of each (N,)."""
    order: dict[str, int] = {}
    return np.array([order.setdefault(id, len(order)) for id in ids], dtype=int)


def _ones(labels: np.ndarray) -> np.ndarray:
    return np.ones((1, len(labels)), dtype=np.uint16)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _column(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _check(labels: np.ndarray, scores: np.ndarray, classes: int) -> None:
    if labels.shape != scores.shape:
        raise ValueError(f"labels have shape {labels.shape}, scores {scores.shape}")
    if labels.size and not np.isin(labels, np.arange(classes)).all():
        found = sorted(set(labels.ravel().tolist()) - set(range(classes)))
        raise ValueError(f"labels are 0 to {classes - 1}; found {found[:5]}")
