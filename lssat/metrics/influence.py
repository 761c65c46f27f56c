"""How much each sample moves a metric: the derivative by the sample's weight, all weights one.

Summed over the samples of a cluster, these give the metric's variance over test sets without a
resample (the infinitesimal jackknife, Efron 1982, chapter 6). For the AUC they are the components
of DeLong et al. 1988, and their sums over clusters those of Obuchowski 1997. Metrics that jump
(EER, TPR at a given FPR) have none.
"""

from collections.abc import Sequence

import numpy as np

from lssat.metrics.ranked import Order, columns, in_order
from lssat.metrics.weighted import EACH, NAMES, one_hot, predicted

JUMPS = ("eer", "tpr_at_fpr01")  # no derivative: their covariance comes from a bootstrap
Influence = dict[str, np.ndarray]


def influence(
    kind: str,
    labels: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str] | None = None,
    each: bool = False,
    orders: Sequence[Order] | None = None,
) -> Influence:
    """Return the influence of each sample on each metric that does not jump.

    Args:
        kind: `binary`, `multilabel` or `multiclass`.
        labels: (N,), or (N, A) for multilabel.
        scores: (N,), (N, A) or (N, K), finite probabilities.
        names: of `NAMES[kind]`; None for all of them.
        each: whether those of each attribute or class come too, under `each/<name>`.
        orders: `in_order` of the scores, where they have been sorted.

    Returns:
        metric -> (N,) float64, which sums to 0; (N, A) of each attribute or class. nan where the
        metric is undefined. A mean over attributes leaves out the constant ones, as the metric.
    """
    wanted = [name for name in (NAMES[kind] if names is None else names) if name not in JUMPS]
    labels, scores = np.asarray(labels), np.asarray(scores, float)
    orders = in_order(scores) if orders is None else orders
    if kind == "binary":
        found = _ranked(labels[:, None], orders, wanted)
        if {*wanted} - {*found}:
            found |= _decided(labels, predicted(kind, scores), 2)
        return {name: found[name].reshape(-1) for name in wanted}
    if kind == "multiclass":
        truth = one_hot(labels, scores.shape[1])
        every = _decided(labels, predicted(kind, scores), scores.shape[1])
        if "auc" in wanted or each:
            every["each/auc"] = _ranked(truth, orders, ["auc"])["auc"]
            every["auc"] = every["each/auc"].mean(axis=1)
    else:
        apart = _attributes(labels, predicted(kind, scores), wanted)
        apart |= _ranked(labels, orders, wanted)
        every = {name: _mean_of_defined(value) for name, value in apart.items()}
        every |= {f"each/{name}": value for name, value in apart.items()}
    more = [f"each/{name}" for name in EACH[kind] if f"each/{name}" in every] if each else []
    return {name: every[name] for name in (*wanted, *more)}


def _mean_of_defined(values: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(values).any(axis=0)
    if not defined.any():
        return np.full(len(values), np.nan)
    return values[:, defined].mean(axis=1)


def _decided(labels: np.ndarray, chosen: np.ndarray, classes: int) -> Influence:
    """Return what follows from decisions, and under `each/` what is of each class (N, K)."""
    truth, said = one_hot(labels, classes), one_hot(chosen, classes)
    hit, support, named = truth * said, truth.sum(axis=0), said.sum(axis=0)
    right = (labels == chosen).astype(float)
    top1 = (right - right.mean()) / len(labels)
    with np.errstate(invalid="ignore", divide="ignore"):  # an absent class: nan, as its metric
        recall = (hit - truth * (hit.sum(axis=0) / support)) / support
        precision = (hit - said * (hit.sum(axis=0) / named)) / named
        f1 = 2 * hit.sum(axis=0) / (support + named)
        f1_moved = (2 * hit - f1 * (truth + said)) / (support + named)
    f1_moved[:, support == 0] = np.nan
    found = {"accuracy": top1, "top1": top1, "mean_ovr_accuracy": 2 * top1 / classes}
    found |= {"balanced_accuracy": recall.mean(axis=1), "macro_f1": f1_moved.mean(axis=1)}
    return found | {"each/recall": recall, "each/precision": precision, "each/f1": f1_moved}


def _attributes(labels: np.ndarray, chosen: np.ndarray, names: Sequence[str]) -> Influence:
    """Return what follows from decisions on attributes, (N, A) each."""
    labels, chosen = labels.astype(float), chosen.astype(float)
    right = (labels == chosen).astype(float)
    found = {"accuracy": (right - right.mean(axis=0)) / len(labels)}
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant attribute: nan
        halves = []
        for is_ in (labels, 1 - labels):
            hit, support = is_ * right, is_.sum(axis=0)
            halves.append((hit - is_ * (hit.sum(axis=0) / support)) / support)
        total = labels.sum(axis=0) + chosen.sum(axis=0)
        f1 = 2 * (labels * chosen).sum(axis=0) / total
        f1_moved = (2 * labels * chosen - f1 * (labels + chosen)) / total
    recall = (halves[0] + halves[1]) / 2
    f1_moved[:, np.isnan(recall).any(axis=0)] = np.nan
    found |= {"balanced_accuracy": recall, "f1": f1_moved}
    return {name: value for name, value in found.items() if name in names}


def _ranked(labels: np.ndarray, orders: Sequence[Order], names: Sequence[str]) -> Influence:
    """Return AUC and AP, as far as they are named, of each column: (N, A)."""
    found = {name: np.full(labels.T.shape, np.nan) for name in ("auc", "ap") if name in names}
    for at, (ones, order) in enumerate(zip(columns(labels == 1), orders, strict=True)):
        if found and 0 < ones.sum() < len(ones):
            for name, moved in _of_order(ones[order.samples], order.ends, names).items():
                found[name][at, order.samples] = moved
    return {name: np.ascontiguousarray(moved.T) for name, moved in found.items()}


def _of_order(ones: np.ndarray, ends: np.ndarray, names: Sequence[str]) -> Influence:
    """Return the influence of samples by falling score, by whether each is positive (N,)."""
    above = np.cumsum(ones)[ends - 1].astype(float)  # positives at or above each distinct score
    lost = ends - above
    hits, others = np.diff(above, prepend=0), np.diff(lost, prepend=0)
    positives, negatives = above[-1], lost[-1]
    size = np.diff(ends, prepend=0)  # of each tie, whose samples share what is of a score
    found = {}
    if "auc" in names:  # DeLong's components: the share of the other class ranked rightly against
        of_one = 1 - (lost - others / 2) / negatives
        of_zero = (above - hits / 2) / positives
        area = hits @ of_one / positives
        moved = (of_one - area) / positives, (of_zero - area) / negatives
        found["auc"] = np.where(ones, *(np.repeat(of_score, size) for of_score in moved))
    if "ap" in names:
        precision = above / ends
        mean = hits @ precision / positives
        # A sample changes the precision at its own threshold and at all below it.
        below, at = (np.cumsum(x[::-1])[::-1] for x in (hits / ends, hits * precision / ends))
        moved = (precision - mean + below - at) / positives, -at / positives
        found["ap"] = np.where(ones, *(np.repeat(of_score, size) for of_score in moved))
    return found
