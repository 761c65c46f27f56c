"""Arrays -> numbers: the scores of the three kinds of task and the trivial baseline beside them.

Pure: no files, no torch. An undefined value is None and `notes` says why; it is never nan and
never a number that flatters (scikit-learn gives an average precision of 1 where every label is
positive). scikit-learn is imported inside the functions: a cold import costs a second.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

BINARY = ("auc", "ap", "eer", "accuracy", "balanced_accuracy", "tpr_at_fpr01")
MULTILABEL = ("accuracy", "balanced_accuracy", "f1", "auc", "ap")
MULTICLASS = ("top1", "macro_f1", "balanced_accuracy", "mean_ovr_accuracy", "auc")
NAMES = {"binary": BINARY, "multilabel": MULTILABEL, "multiclass": MULTICLASS}
LOWER_IS_BETTER = ("eer",)


def binary(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Score a two-class task.

    Args:
        labels: (N,) or (N, 1), 0 or 1 (fake).
        scores: (N,) or (N, 1), probability of class 1; class 1 is predicted from 0.5 on.

    Returns:
        the metrics of `BINARY`, float or None, and `notes` (metric -> why it is None).
        `eer` is the error where FPR = 1 - TPR, linear between the points of the ROC curve;
        `tpr_at_fpr01` the largest TPR at a threshold with FPR <= 0.01 (not interpolated).

    Raises:
        ValueError: shapes differ, or a label other than 0 and 1.
    """
    labels, scores = _column(labels), _column(scores)
    _check(labels, scores, classes=2)
    if note := _unusable(scores):
        return _undefined(BINARY, note)
    accuracy = float(np.mean(predicted("binary", scores) == labels))
    if note := _constant(labels):
        return {**_undefined(BINARY, note, defined=("accuracy",)), "accuracy": accuracy}
    return {**_two_class(labels, scores), "accuracy": accuracy, "notes": {}}


def _two_class(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    from sklearn.metrics import auc, average_precision_score, balanced_accuracy_score, roc_curve

    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    return {
        "auc": float(auc(fpr, tpr)),
        "ap": float(average_precision_score(labels, scores)),
        # fpr + tpr - 1 rises strictly from -1 to 1 along the curve: its zero is the EER.
        "eer": float(np.interp(0, fpr + tpr - 1, fpr)),
        "balanced_accuracy": float(balanced_accuracy_score(labels, predicted("binary", scores))),
        "tpr_at_fpr01": float(tpr[fpr <= 0.01].max()),
    }


def multilabel(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Score a task with several yes-no attributes.

    Args:
        labels: (N, A), 0 or 1.
        scores: (N, A), probability of each attribute; it is predicted from 0.5 on.

    Returns:
        the metrics of `MULTILABEL` as means over attributes, `per_attribute` (metric -> list of
        A floats or None) and `notes`. An attribute that is constant in the labels has only an
        accuracy: it is left out of the other means, and the note counts those that are in.

    Raises:
        ValueError: shapes differ, or a label other than 0 and 1 (CelebA's -1).
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=float)
    _check(labels, scores, classes=2)
    attributes = labels.shape[1]
    if note := _unusable(scores):
        nothing = {name: [None] * attributes for name in MULTILABEL}
        return {**_undefined(MULTILABEL, note), "per_attribute": nothing}
    varied = labels.min(axis=0) != labels.max(axis=0)
    each = _each_attribute(labels, scores, varied)
    means = {name: _mean(each[name]) for name in MULTILABEL}
    note = f"mean over {varied.sum()} of {attributes} attributes; the others are constant here"
    names = () if varied.all() else MULTILABEL[1:]
    return {**means, "per_attribute": each, "notes": dict.fromkeys(names, note)}


def _each_attribute(
    labels: np.ndarray, scores: np.ndarray, varied: np.ndarray
) -> dict[str, list[float | None]]:
    from sklearn.metrics import (
        average_precision_score,
        multilabel_confusion_matrix,
        roc_auc_score,
    )

    columns = np.flatnonzero(varied)
    table = multilabel_confusion_matrix(labels, predicted("multilabel", scores))
    (tn, fp), (fn, tp) = table.astype(float).transpose(1, 2, 0)
    found = {"accuracy": (tp + tn) / len(labels)}
    with np.errstate(invalid="ignore"):  # 0/0 in constant attributes, which become None below
        found["balanced_accuracy"] = (tp / (tp + fn) + tn / (tn + fp)) / 2
        found["f1"] = 2 * tp / (2 * tp + fp + fn)
    for name, measure in (("auc", roc_auc_score), ("ap", average_precision_score)):
        found[name] = np.zeros(labels.shape[1])
        found[name][columns] = [measure(labels[:, a], scores[:, a]) for a in columns]
    return {
        name: [float(v) if name == "accuracy" or varied[a] else None for a, v in enumerate(values)]
        for name, values in found.items()
    }


def multiclass(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Score a task with one class of K per sample.

    Args:
        labels: (N,) or (N, 1), 0 to K - 1.
        scores: (N, K), probability of each class; the largest is predicted.

    Returns:
        the metrics of `MULTICLASS`, float or None, and `notes`. A class without a sample leaves
        the means over classes undefined. `mean_ovr_accuracy` is the mean of the K one-vs-rest
        accuracies, 1 - 2 (1 - top1) / K: never to be read as accuracy (paper.md, section 4).

    Raises:
        ValueError: shapes differ, or a label outside 0 to K - 1.
    """
    labels, scores = _column(labels), np.asarray(scores, dtype=float)
    classes = scores.shape[1]
    _check(labels, scores[:, 0], classes)
    if note := _unusable(scores):
        return _undefined(MULTICLASS, note)
    top1 = float(np.mean(predicted("multiclass", scores) == labels))
    both = {"top1": top1, "mean_ovr_accuracy": 1 - 2 * (1 - top1) / classes}
    absent = sorted(set(range(classes)) - set(labels.tolist()))
    if absent:
        note = f"no sample of class {', '.join(map(str, absent))} among {len(labels)} labels"
        return {**_undefined(MULTICLASS, note, defined=tuple(both)), **both}
    return {**both, **_all_classes(labels, scores), "notes": {}}


def _all_classes(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

    chosen = predicted("multiclass", scores)
    one_vs_rest = one_hot(labels, scores.shape[1])
    return {
        "macro_f1": float(f1_score(labels, chosen, average="macro")),
        "balanced_accuracy": float(balanced_accuracy_score(labels, chosen)),
        "auc": float(roc_auc_score(one_vs_rest, scores, average="macro")),
    }


def probabilities(kind: str, logits: np.ndarray) -> np.ndarray:
    """Turn logits (N, K) into probabilities, float64: softmax for multiclass, else sigmoid.

    Not finite logits stay visible: a row that holds one becomes nan.
    """
    from scipy.special import expit, softmax

    logits = np.asarray(logits, dtype=float)
    finite = np.isfinite(logits).all(axis=1, keepdims=True)
    safe = np.where(finite, logits, 0)
    return np.where(finite, softmax(safe, axis=1) if kind == "multiclass" else expit(safe), np.nan)


def predicted(kind: str, scores: np.ndarray) -> np.ndarray:
    """Return the predicted classes: the largest score's index, or 1 from a probability of 0.5."""
    return scores.argmax(axis=1) if kind == "multiclass" else (scores >= 0.5).astype(int)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return labels (N,) as indicators (N, classes) of 0 and 1."""
    return (_column(labels)[:, None] == np.arange(classes)).astype(int)


def measure(kind: str, labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Call `binary`, `multilabel` or `multiclass`."""
    return {"binary": binary, "multilabel": multilabel, "multiclass": multiclass}[kind](
        labels, scores
    )


def evaluate(kind: str, labels: np.ndarray, logits: np.ndarray) -> dict[str, float | None]:
    """Score logits (binary (N, 1), otherwise (N, K)): the metrics of `NAMES[kind]`, no notes."""
    found = measure(kind, labels, probabilities(kind, logits))
    return {name: found[name] for name in NAMES[kind]}


def video_scores(ids: Sequence[str], values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Average the frames of each video.

    Args:
        ids: N full ids, the compression and the method in them: `000_003` alone names four
            fakes of FaceForensics++, and merging those made 0.845 a 0.930 in published code.
        values: (N, ...), a score or probability per frame.

    Returns:
        the ids in the order of their first appearance, and their means (V, ...), float64.
    """
    order: dict[str, int] = {}
    index = np.array([order.setdefault(id, len(order)) for id in ids], dtype=int)
    values = np.asarray(values, dtype=float)
    if len(index) != len(values):
        raise ValueError(f"{len(index)} ids for {len(values)} values")
    sums = np.zeros((len(order), *values.shape[1:]))
    np.add.at(sums, index, values)
    frames = np.bincount(index, minlength=len(order))
    return list(order), sums / frames.reshape(-1, *[1] * (values.ndim - 1))


def roc(labels: np.ndarray, scores: np.ndarray, points: int = 200) -> dict[str, Any]:
    """Return a ROC curve of at most `points` points, with the AUC of the whole curve.

    Args:
        labels: (N,) of 0 and 1, or (N, C) indicators for a macro average over classes.
        scores: of the same shape.

    Returns:
        `fpr`, `tpr` (lists from (0, 0) to (1, 1)) and `auc`; the lists are empty and `auc` is
        None where a curve is undefined. Constant columns are left out of a macro average.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    labels, scores = np.asarray(labels), np.asarray(scores, dtype=float)
    _check(labels, scores, classes=2)
    pairs = [(labels, scores)] if labels.ndim == 1 else list(zip(labels.T, scores.T, strict=True))
    pairs = [pair for pair in pairs if not _constant(pair[0])]
    if not pairs or _unusable(scores):
        return {"fpr": [], "tpr": [], "auc": None}
    curves = [roc_curve(*pair)[:2] for pair in pairs]
    if labels.ndim == 1:
        keep = np.unique(np.linspace(0, len(curves[0][0]) - 1, points).round().astype(int))
        fpr, tpr = curves[0][0][keep], curves[0][1][keep]
    else:
        fpr = np.linspace(0, 1, points)
        tpr = np.mean([np.interp(fpr, *curve) for curve in curves], axis=0)
        tpr[0] = 0
    area = float(np.mean([roc_auc_score(*pair) for pair in pairs]))
    return {"fpr": fpr.tolist(), "tpr": tpr.tolist(), "auc": area}


def trivial(kind: str, train_labels: np.ndarray, labels: np.ndarray, classes: int) -> dict:
    """Score, on `labels`, the best that can be said without looking at the input.

    That is the constant prediction that is best on the training labels: the majority class, and
    for F1 of an attribute "yes" (a constant "no" has F1 0, which anything beats). Rankings get
    what a random one expects: AUC 0.5, EER 0.5, AP the share of positives.

    Args:
        train_labels: (M,) or (M, A); may be shorter or longer than `labels`.
        labels: (N,) or (N, A), those the metrics are computed on.
        classes: K of a multiclass task (columns of the scores).

    Returns:
        metric -> float, or None where the metric itself is undefined on these labels.
    """
    if kind == "multilabel":
        return _trivial_multilabel(np.asarray(train_labels), np.asarray(labels))
    labels, classes = _column(labels), 2 if kind == "binary" else classes
    majority = int(np.bincount(_column(train_labels), minlength=classes).argmax())
    share = float(np.mean(labels == majority))
    if kind == "binary":
        found = dict.fromkeys(BINARY, 0.5) | {"accuracy": share, "tpr_at_fpr01": 0.01}
        found["ap"] = float(labels.mean())
        undefined = set(BINARY) - {"accuracy"} if _constant(labels) else set()
    else:
        found = {"top1": share, "mean_ovr_accuracy": 1 - 2 * (1 - share) / classes, "auc": 0.5}
        found |= {"balanced_accuracy": 1 / classes, "macro_f1": 2 * share / (1 + share) / classes}
        every = len(np.unique(labels)) == classes
        undefined = set() if every else {"balanced_accuracy", "macro_f1", "auc"}
    return {name: None if name in undefined else value for name, value in found.items()}


def _trivial_multilabel(train_labels: np.ndarray, labels: np.ndarray) -> dict[str, float | None]:
    majority = train_labels.mean(axis=0) > 0.5
    share = labels.mean(axis=0)
    share = share[(share > 0) & (share < 1)]
    found: dict[str, float | None] = {"accuracy": float(np.mean(labels == majority))}
    if not len(share):
        return found | dict.fromkeys(MULTILABEL[1:])
    return found | {
        "balanced_accuracy": 0.5,
        "f1": float(np.mean(2 * share / (1 + share))),
        "auc": 0.5,
        "ap": float(share.mean()),
    }


def _column(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _check(labels: np.ndarray, scores: np.ndarray, classes: int) -> None:
    if labels.shape != scores.shape:
        raise ValueError(f"labels have shape {labels.shape}, scores {scores.shape}")
    if labels.size and not np.isin(labels, np.arange(classes)).all():
        found = sorted(set(labels.ravel().tolist()) - set(range(classes)))
        raise ValueError(f"labels are 0 to {classes - 1}; found {found[:5]}")


def _unusable(scores: np.ndarray) -> str | None:
    if not len(scores):
        return "no samples"
    bad = int((~np.isfinite(scores.reshape(len(scores), -1))).any(axis=1).sum())
    return f"{bad} of {len(scores)} samples have a score that is not finite" if bad else None


def _constant(labels: np.ndarray) -> str | None:
    only = np.unique(labels)
    return f"all {len(labels)} labels are {only[0]}" if len(only) == 1 else None


def _undefined(names: tuple[str, ...], note: str, defined: tuple[str, ...] = ()) -> dict[str, Any]:
    notes = {name: note for name in names if name not in defined}
    return {**dict.fromkeys(names), "notes": notes}


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
