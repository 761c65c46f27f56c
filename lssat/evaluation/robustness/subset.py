"""A part of the test samples: whole clusters, each kind of them in its share, by seeded lots."""

import hashlib
from collections.abc import Sequence

import numpy as np


def choose(
    groups: Sequence[str], labels: np.ndarray | None, most: int | None, seed: int
) -> np.ndarray:
    """Choose samples by clusters, so that the part can be resampled as the whole is.

    Clusters are of one kind if they hold the same set of labels. Each
    kind's clusters stand in an order of lots that depend on (seed, name) alone; the first of
    every kind come first, then each kind gets its share.

    Args:
        groups: N names of clusters.
        labels: (N,), or None: all clusters are of one kind.
        most: samples to choose at most; None: all. One cluster is chosen whatever its size.
        seed: of the lots.

    Returns:
        int64 (n,) places, ascending.
    """
    if most is None or len(groups) <= most:
        return np.arange(len(groups))
    names, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    lots = np.array([_lot(seed, name) for name in names.tolist()])
    kinds = _kinds(member, labels)
    share = np.empty(len(names))
    for kind in np.unique(kinds):
        of_kind = np.flatnonzero(kinds == kind)
        share[of_kind[np.argsort(lots[of_kind])]] = np.arange(len(of_kind)) / len(of_kind)
    order = np.lexsort((lots, share))
    fits = np.bincount(member)[order].cumsum() <= most
    fits[0] = True
    return np.flatnonzero(np.isin(member, order[fits]))


def _lot(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:7], "big")


def _kinds(member: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Return a number for each cluster that is the same for the same set of labels."""
    values, code = np.unique(
        np.zeros(len(member)) if labels is None else labels, return_inverse=True
    )
    holds = np.zeros((member.max() + 1, len(values)), dtype=bool)
    holds[member, code] = True
    return np.unique(holds, axis=0, return_inverse=True)[1]
