"""From samples to clusters: the factors whose products are covariances over test sets."""

from collections.abc import Sequence

import numpy as np


def over_clusters(influence: np.ndarray, groups: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return a metric's influence summed over clusters, scaled so that products are covariances.

    For two runs with factors f and g on the same test samples, f @ g is the covariance of their
    metrics over test sets of as many clusters; f @ f a variance. Samples of one cluster may
    depend on each other in any way.

    Args:
        influence: (N, ...) of `metrics.influence`.
        groups: N names of clusters.

    Returns:
        (M, ...), a row a cluster; nan where there is a single cluster.
    """
    names = np.asarray(groups)
    flat = np.asarray(influence, float).reshape(len(names), -1)
    order = np.argsort(names, kind="stable")
    ranked = names[order]
    starts = np.append(0, np.flatnonzero(ranked[1:] != ranked[:-1]) + 1)
    total = np.add.reduceat(flat[order], starts, axis=0)
    many = len(starts)
    scale = np.sqrt(many / (many - 1)) if many > 1 else np.nan
    return (scale * total).reshape(many, *np.shape(influence)[1:])


def from_resamples(values: np.ndarray) -> np.ndarray:
    """Return the factors (S, B) of metrics in B resamples (S, B), for what has no influence.

    Resamples in which one of the runs is undefined are left out for all.
    """
    defined = values[:, ~np.isnan(values).any(axis=0)]
    if defined.shape[1] < 2:
        return np.full((len(values), 1), np.nan)
    return (defined - defined.mean(axis=1, keepdims=True)) / np.sqrt(defined.shape[1] - 1)
