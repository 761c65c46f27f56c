"""How much each sample moves a metric: the derivative by the sample's weight, all weights one.

Summed over the samples of a cluster, these give the metric's variance over test sets without a
resample (the infinitesimal jackknife, Efron 1982, chapter 6). For the AUC they are the components
of DeLong et al. 1988, and their sums over clusters those of Obuchowski 1997. Metrics that jump
(EER, TPR at a given FPR) have none: their covariance comes from a bootstrap.
"""

from collections.abc import Sequence

import numpy as np

from lssat.metrics.decided import Decisions
from lssat.metrics.ranked import Order, Thresholds, columns, in_order
from lssat.metrics.registry import EACH, METRICS, NAMES, Metric
from lssat.metrics.weighted import over_questions

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

    Arguments are those of `prepare`, for labels and scores of N samples.

    Returns:
        metric -> (N,) float64, which sums to 0; (N, A) of each attribute or class. nan where the
        metric is undefined. A mean over attributes leaves out the constant ones, as the metric.
    """
    names = [name for name in (NAMES[kind] if names is None else names) if METRICS[name].influence]
    known = EACH.get(kind, ()) if each else ()
    apart = [name for name in known if METRICS[name].influence]
    wanted = [METRICS[name] for name in dict.fromkeys((*names, *apart))]
    answers = Decisions(kind, labels, np.asarray(scores, float))
    by_order = [metric for metric in wanted if metric.by_order]
    with np.errstate(invalid="ignore", divide="ignore"):  # an absent class: nan, as its metric
        of_metric = {m.name: m.influence(answers) for m in wanted if m.influence and not m.by_order}
    if by_order:
        of_metric |= _ranked(
            answers.truth, in_order(scores) if orders is None else orders, by_order
        )
    moved = {name: over_questions(kind, of_metric[name]) for name in names}
    return moved | {f"each/{name}": of_metric[name] for name in apart}


def _ranked(truth: np.ndarray, orders: Sequence[Order], metrics: Sequence[Metric]) -> Influence:
    """Return what rests on the order of scores, of each column of the truth (N, A)."""
    of_metric = {metric.name: np.full(truth.T.shape, np.nan) for metric in metrics}
    for at, (ones, order) in enumerate(zip(columns(truth == 1), orders, strict=True)):
        if 0 < ones.sum() < len(ones):
            sorted_, size = ones[order.samples], np.diff(order.ends, prepend=0)
            thresholds = Thresholds(sorted_, order.ends)
            for metric in metrics:  # samples of a tie share what is of its score
                assert metric.influence
                moved = [np.repeat(of_score, size) for of_score in metric.influence(thresholds)]
                of_metric[metric.name][at, order.samples] = np.where(sorted_, *moved)
    return {name: np.ascontiguousarray(moved.T) for name, moved in of_metric.items()}
