"""The formulas, each written once for many weightings of the samples at a time.

Weights of one give a metric's value, the counts of a bootstrap its value in each resample. Each
equals scikit-learn's with `sample_weight` (tests). What an order decides is in `ranked`.
"""

from collections.abc import Callable, Sequence

import numpy as np

from lssat.metrics.ranked import RANKED, Measure, Order, columns, in_order, ranking

NAMES = {
    "binary": ("auc", "ap", "eer", "accuracy", "balanced_accuracy", "tpr_at_fpr01"),
    "multilabel": ("accuracy", "balanced_accuracy", "f1", "auc", "ap"),
    "multiclass": ("top1", "macro_f1", "balanced_accuracy", "mean_ovr_accuracy", "auc"),
}
# Those of each attribute, or of each class against the rest.
EACH = {"multilabel": NAMES["multilabel"], "multiclass": ("recall", "precision", "f1", "auc")}
LOWER_IS_BETTER = ("eer",)


def prepare(
    kind: str,
    labels: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str] | None = None,
    each: bool = False,
    orders: Sequence[Order] | None = None,
) -> Measure:
    """Return the function that computes a task's metrics from weights.

    Args:
        kind: `binary`, `multilabel` or `multiclass`.
        labels: (N,), or (N, A) for multilabel.
        scores: (N,), (N, A) or (N, K), finite probabilities.
        names: of `NAMES[kind]`; None for all of them.
        each: whether the metrics of each attribute or class come too, under `each/<name>`.
        orders: `in_order` of the scores, where they have been sorted.

    Returns:
        weights (b, N), how often each sample counts -> metric -> (b,) float64; nan where a
        weighting lacks a class. An attribute that is constant under the weights enters the
        mean accuracy alone. Metrics of each attribute or class are (b, A).
    """
    names = NAMES[kind] if names is None else names
    orders = in_order(scores) if orders is None else orders
    if kind == "binary":
        counted = _table(labels, predicted(kind, scores), 2)
        ranked = ranking(labels, orders[0], [name for name in names if name in RANKED])
        return lambda weights: _overall(counted(weights)) | ranked(weights)
    if kind == "multilabel":
        apart, whole = attributes(labels, scores, names, orders), _means
    else:
        apart, whole = classes(labels, scores, orders if "auc" in names else ()), _of_classes

    def compute(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = apart(weights)
        more = {f"each/{name}": v for name, v in found.items() if name in EACH[kind]}
        return whole(found) | (more if each else {})

    return compute


def predicted(kind: str, scores: np.ndarray) -> np.ndarray:
    """Return the predicted classes: the largest score's index, or 1 from a probability of 0.5."""
    return scores.argmax(axis=1) if kind == "multiclass" else (scores >= 0.5).astype(int)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return labels (N,) as indicators (N, classes) of 0 and 1."""
    return (labels[:, None] == np.arange(classes)).astype(int)


def confusion(labels: np.ndarray, chosen: np.ndarray, classes: int) -> np.ndarray:
    """Return the counts (K, K) of samples by their class (rows) and the predicted one (columns)."""
    return _table(labels, chosen, classes)(np.ones((1, len(labels))))[0].astype(int)


def _table(
    labels: np.ndarray, chosen: np.ndarray, classes: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function for confusion matrices (b, K, K); labels and chosen (N,).

    A sample's cell is found by its own label: nothing is assumed of the order of samples.
    """
    cells = one_hot(np.asarray(labels).astype(int) * classes + chosen, classes**2).astype(float)
    return lambda weights: (weights.astype(float) @ cells).reshape(-1, classes, classes)


def _overall(table: np.ndarray) -> dict[str, np.ndarray]:
    """Return the metrics of a whole task from confusion matrices (b, K, K): (b,) each."""
    classes, by_class = table.shape[-1], _by_class(table)
    top1 = np.einsum("bkk->b", table) / table.sum(axis=(1, 2))
    return {
        **{"accuracy": top1, "top1": top1, "mean_ovr_accuracy": 1 - 2 * (1 - top1) / classes},
        **{"balanced_accuracy": by_class["recall"].mean(axis=1)},
        **{"macro_f1": by_class["f1"].mean(axis=1)},
    }


def _by_class(table: np.ndarray) -> dict[str, np.ndarray]:
    """Return recall, precision and F1 of each class from confusion matrices: (b, K) each."""
    hits, support, said = np.einsum("bkk->bk", table), table.sum(axis=2), table.sum(axis=1)
    with np.errstate(invalid="ignore"):  # 0/0 in a class that is absent or never said: nan
        f1 = np.where(support > 0, 2 * hits / (support + said), np.nan)
        return {"recall": hits / support, "precision": hits / said, "f1": f1}


def classes(labels: np.ndarray, scores: np.ndarray, orders: Sequence[Order]) -> Measure:
    """Return the function for the metrics of each class: weights (b, N) -> (b, K).

    `auc` is that of the class against the rest, where `orders` are given. `table` (b, K, K)
    comes with them.
    """
    counted = _table(labels, predicted("multiclass", scores), scores.shape[1])
    truth = one_hot(labels, scores.shape[1])
    each = [ranking(truth[:, k], order, ("auc",)) for k, order in enumerate(orders)]

    def compute(weights: np.ndarray) -> dict[str, np.ndarray]:
        table = counted(weights)
        found = {"table": table} | _by_class(table)
        if each:
            found["auc"] = np.stack([one(weights)["auc"] for one in each], axis=1)
        return found

    return compute


def _of_classes(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the metrics of a task from those of its classes; an absent class leaves no mean."""
    mean = {"auc": found["auc"].mean(axis=1)} if "auc" in found else {}
    return _overall(found["table"]) | mean


def attributes(
    labels: np.ndarray, scores: np.ndarray, names: Sequence[str], orders: Sequence[Order]
) -> Measure:
    """Return the function for the metrics of each attribute: weights (b, N) -> (b, A)."""
    chosen = predicted("multilabel", scores)
    sums = np.hstack([labels, chosen, labels * chosen]).astype(float)
    wanted = [name for name in ("auc", "ap") if name in names]
    ranked = [ranking(y, order, wanted) for y, order in zip(columns(labels), orders, strict=True)]

    def compute(weights: np.ndarray) -> dict[str, np.ndarray]:
        real = weights.astype(float)
        total = real.sum(axis=1, keepdims=True)
        positive, said, tp = np.split(real @ sums, 3, axis=1)
        tn = total - positive - said + tp
        with np.errstate(invalid="ignore"):  # 0/0 in a constant attribute: nan, as promised
            recall = (tp / positive + tn / (total - positive)) / 2
            f1 = np.where(np.isnan(recall), np.nan, 2 * tp / (positive + said))
        found = {"accuracy": (tp + tn) / total, "balanced_accuracy": recall, "f1": f1}
        each = [one(weights) for one in ranked]
        return found | {name: np.stack([one[name] for one in each], axis=1) for name in wanted}

    return compute


def _means(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: mean_of_defined(values) for name, values in found.items()}


def mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Average (b, A) over the attributes that are not nan; nan where all are."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=1)
    total = np.where(defined, values, 0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
