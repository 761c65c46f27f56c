"""The metrics of a group, with what each sample moves them; tests hold them to fairlearn's."""

from collections.abc import Sequence

import numpy as np

from lssat import metrics

Moved = tuple[float, np.ndarray]  # a value and the influence of each sample (n,)


def names(kind: str, headline: str) -> list[str]:
    """Return the metrics of a kind of task, the headline first."""
    return list(dict.fromkeys((headline, *metrics.GROUPS[kind])))


def lacking(kind: str, name: str, labels: np.ndarray, classes: int) -> str | None:
    """Say why a metric is undefined in a group, by the labels (N, ...) of its samples, or None.

    Args:
        classes: K of a multiclass task.
    """
    needs = metrics.METRICS[name].needs
    if kind == "multilabel":
        return None
    absent = set(range(classes) if needs is None else needs) - set(labels.tolist())
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
    orders, several = metrics.in_order(scores), kind == "multilabel"
    ones = np.ones((1, len(labels)), dtype=np.uint16)
    values = metrics.prepare(kind, labels, scores, wanted, several, orders)(ones)
    moved = metrics.influence(kind, labels, scores, wanted, several, orders)
    if not several:
        return {name: (float(values[name][0]), moved[name]) for name in wanted}
    measured = {}
    for name in wanted:
        of, key = columns[name], f"each/{name}"
        measured[name] = float(values[key][0, of].mean()), moved[key][:, of].mean(axis=1)
    return measured
