"""Metrics from weights of the samples, for many weightings at a time.

Weights of one give a metric's value, the counts of a bootstrap its value in each resample. Each
equals scikit-learn's with `sample_weight` (tests).
"""

from collections.abc import Callable, Sequence

import numpy as np

from lssat.metrics.decided import Counts, Decisions
from lssat.metrics.ranked import Order, Ranking, columns, in_order, places
from lssat.metrics.registry import EACH, METRICS, NAMES, Metric

# From weights (b, N), integers from 0, to metric -> float64, nan where undefined: (b,), or
# (b, A) for metrics of each attribute or class.
Measure = Callable[[np.ndarray], dict[str, np.ndarray]]


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
        names: of `METRICS`; None for those of `NAMES[kind]`.
        each: whether the metrics of each attribute or class come too, under `each/<name>`.
        orders: `in_order` of the scores, where they have been sorted.

    Returns:
        weights (b, N), how often each sample counts -> metric -> (b,) float64; nan where a
        weighting lacks a class. An attribute that is constant under the weights enters the
        mean accuracy alone. Metrics of each attribute or class are (b, A).
    """
    names = NAMES[kind] if names is None else names
    apart = EACH.get(kind, ()) if each else ()
    wanted = [METRICS[name] for name in dict.fromkeys((*names, *apart))]
    answers = Decisions(kind, labels, scores)
    by_order = [metric for metric in wanted if metric.by_order]
    if by_order:
        orders = in_order(scores) if orders is None else orders
        pairs = zip(columns(answers.truth == 1), orders, strict=True)
        ranked = [_ranked(by_order, ones, order) for ones, order in pairs]

    def compute(weights: np.ndarray) -> dict[str, np.ndarray]:
        with np.errstate(invalid="ignore"):  # 0/0 where a class is absent: nan, as promised
            counts = Counts(answers, weights) if len(by_order) < len(wanted) else None
            of_metric = {m.name: m.value(counts) for m in wanted if not m.by_order}
            if by_order:
                of_columns = [one(weights) for one in ranked]
                of_metric |= {
                    m.name: np.stack([one[m.name] for one in of_columns], axis=1) for m in by_order
                }
        values = {name: over_questions(kind, of_metric[name]) for name in names}
        return values | {f"each/{name}": of_metric[name] for name in apart}

    return compute


def _ranked(metrics: Sequence[Metric], ones: np.ndarray, order: Order) -> Measure:
    """Return the function for what rests on the order of one question; `ones` (N,) bool."""
    if ones.all() or not ones.any():
        return lambda weights: {metric.name: np.full(len(weights), np.nan) for metric in metrics}
    at = places(ones[order.samples], order.ends)

    def compute(weights: np.ndarray) -> dict[str, np.ndarray]:
        ranking = Ranking(weights, order, at)
        return {metric.name: metric.value(ranking) for metric in metrics}

    return compute


def over_questions(kind: str, values: np.ndarray) -> np.ndarray:
    """Return a task's metric (n,) from those of its questions (n, C); of (n,) what it is.

    A class that has none leaves no mean; an attribute that has none is left out.
    """
    if values.ndim == 1:
        return values
    if kind == "binary":
        return values[:, 0]
    if kind == "multiclass":
        return values.mean(axis=1)
    defined = ~np.isnan(values)
    count = defined.sum(axis=1)
    total = np.where(defined, values, 0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
