"""Labels and scores -> numbers with notes, for the three kinds of task.

An undefined value is None and `notes` says why; it is never nan and never flatters (scikit-learn
gives an average precision of 1 where every label is positive).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lssat.metrics.ranked import Order
from lssat.metrics.registry import EACH, METRICS, NAMES
from lssat.metrics.weighted import prepare


def measure(
    kind: str, labels: np.ndarray, scores: np.ndarray, orders: Sequence[Order] | None = None
) -> dict[str, Any]:
    """Score the samples of a task.

    Args:
        kind: `binary`, `multilabel` or `multiclass`.
        labels: (N,) or (N, 1), 0 to K - 1 (binary: 1 is fake); (N, A) of 0 and 1 for multilabel.
        scores: probabilities: binary (N,) or (N, 1), of class 1; multilabel (N, A); multiclass
            (N, K), whose largest is predicted. Elsewhere yes is predicted from 0.5 on.
        orders: `in_order` of the scores, where they have been sorted.

    Returns:
        the metrics of `NAMES`, float or None, `notes` (metric -> why it is None, or what it is a
        mean over), and but for a binary task `each` (metric of `EACH` -> list of A or K float or
        None). A class without a sample leaves the means over classes undefined. An attribute that
        is constant in the labels has only an accuracy: it is left out of the other means.

    Raises:
        ValueError: shapes differ, or a label is none of the task's (CelebA's -1).
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=float)
    if kind != "multilabel":
        labels, scores = _column(labels), _column(scores)
    many = kind == "multiclass"
    classes = scores.shape[1] if many else 2
    _check(labels, scores[:, 0] if many else scores, classes)
    names, each = NAMES[kind], EACH.get(kind, ())
    if note := unusable(scores):
        nothing = {"each": {name: [None] * scores.shape[1] for name in each}} if each else {}
        return dict.fromkeys(names) | nothing | {"notes": dict.fromkeys(names, note)}
    ones = np.ones((1, len(labels)), dtype=np.uint16)
    weighted = prepare(kind, labels, scores, None, bool(each), orders)(ones)
    values = {name: _number(weighted[name][0]) for name in names}
    apart = {name: [_number(value) for value in weighted[f"each/{name}"][0]] for name in each}
    notes = _notes(labels, classes, values)
    return values | ({"each": apart} if each else {}) | {"notes": notes}


def _notes(labels: np.ndarray, classes: int, values: dict[str, float | None]) -> dict[str, str]:
    """Say of labels (N,) or (N, A) why a value is None, or which attributes it is a mean over."""
    if labels.ndim == 1:
        absent = sorted(set(range(classes)) - set(np.unique(labels).tolist()))
        note = f"no sample of class {', '.join(map(str, absent))} among {len(labels)} labels"
        return {name: note for name, value in values.items() if value is None}
    columns, varied = labels.shape[1], int((labels.min(axis=0) != labels.max(axis=0)).sum())
    note = f"mean over {varied} of {columns} attributes; the others are constant here"
    return {name: note for name in values if METRICS[name].needs != () and varied < columns}


def evaluate(kind: str, labels: np.ndarray, logits: np.ndarray) -> dict[str, float | None]:
    """Score logits (binary (N, 1), otherwise (N, K)): the metrics of `NAMES[kind]`, no notes."""
    measured = measure(kind, labels, probabilities(kind, logits))
    return {name: measured[name] for name in NAMES[kind]}


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


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _column(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _check(labels: np.ndarray, scores: np.ndarray, classes: int) -> None:
    if labels.shape != scores.shape:
        raise ValueError(f"labels have shape {labels.shape}, scores {scores.shape}")
    if labels.size and not np.isin(labels, np.arange(classes)).all():
        unknown = sorted(set(labels.ravel().tolist()) - set(range(classes)))
        raise ValueError(f"labels are 0 to {classes - 1}; found {unknown[:5]}")
