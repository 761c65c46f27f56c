"""A bootstrap over clusters of samples, for metrics that have no influence values. Pure numpy.

A resample of whole clusters is a vector of counts, how often each cluster was drawn; a metric
that takes weights is computed from it without copying a sample.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

_BLOCK = 1 << 16  # numbers in a block of work: bounds memory and stays near the cache


class Resamples(NamedTuple):
    """How often each cluster was drawn, shared by all runs that are compared."""

    counts: np.ndarray  # (B, G) uint16: resamples x clusters
    member: np.ndarray  # (N,) the cluster of each sample


def draw(groups: Sequence[str] | np.ndarray, resamples: int, seed: int) -> Resamples:
    """Draw clusters with replacement.

    Args:
        groups: N names; samples with one name (an identity, a pair of identities) are drawn
            together, since they are not independent.
        resamples: how many resamples, B.
        seed: the result is a function of this number and the other arguments.

    Returns:
        the draws, for `resampled`.
    """
    names, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    rng = np.random.default_rng((seed, 0))
    counts = np.zeros((resamples, len(names)), dtype=np.uint16)
    size = len(names)
    for block in _blocks(resamples, size):
        height = block.stop - block.start
        drawn = rng.integers(size, size=(height, size), dtype=np.int32)
        drawn += size * np.arange(height, dtype=np.int32)[:, None]
        times = np.bincount(drawn.ravel(), minlength=height * size)
        counts[block] = times.reshape(height, size)
    return Resamples(counts, index)


def _blocks(resamples: int, rows: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(rows, 1))
    return (slice(at, min(at + step, resamples)) for at in range(0, resamples, step))


def resampled(
    measure: Callable[[np.ndarray], dict[str, np.ndarray]], drawn: Resamples
) -> dict[str, np.ndarray]:
    """Compute metrics in every resample.

    Args:
        measure: weights (b, N), uint16 counts of the samples -> metric -> (b,).
        drawn: B resamples of N samples.

    Returns:
        metric -> (B,) float64; nan where undefined.
    """
    blocks = _blocks(len(drawn.counts), len(drawn.member))
    parts = [measure(np.take(drawn.counts[block], drawn.member, axis=1)) for block in blocks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
