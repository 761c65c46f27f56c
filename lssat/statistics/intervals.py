"""Intervals: a bootstrap over clusters of samples and over seeds. Pure numpy, of any metric.

A resample of whole clusters is a vector of counts, how often each cluster was drawn; a metric
that takes weights is computed from it without copying a sample.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lssat.statistics.seeds import over_seeds

_BLOCK = 1 << 16  # numbers in a block of work: bounds memory and stays near the cache
_MOST_UNDEFINED = 0.05  # share of undefined resamples above which there is no interval


class Resamples(NamedTuple):
    """How often each cluster was drawn, shared by all runs that are compared."""

    counts: np.ndarray  # (B, G) uint16: resamples x clusters
    member: np.ndarray  # (N,) the cluster of each sample

    @property
    def clusters(self) -> int:
        """Clusters that have a sample."""
        return len(np.unique(self.member))

    def of(self, mask: np.ndarray) -> "Resamples":
        """Return the same draws for a part of the samples (mask (N,) of bool)."""
        return Resamples(self.counts, self.member[mask])


class Interval(NamedTuple):
    """A percentile interval; None with a note where there is none."""

    low: float | None
    high: float | None
    note: str | None = None


def draw(
    groups: Sequence[str] | np.ndarray, resamples: int, seed: int, strata: np.ndarray | None = None
) -> Resamples:
    """Draw clusters with replacement.

    Args:
        groups: N names; samples with one name (an identity, a pair of identities) are drawn
            together, since they are not independent.
        resamples: how many resamples, B.
        seed: the result is a function of this number and the other arguments.
        strata: (N,) labels. Clusters are drawn within the set of labels that they hold, as many
            as there are: each resample then has every class, no ranking metric is undefined,
            and class shares count as fixed by design.

    Returns:
        the draws, for `resampled` and `bootstrap`.
    """
    names, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    rng = np.random.default_rng((seed, 0))
    counts = np.zeros((resamples, len(names)), dtype=np.uint16)
    for members in _strata(index, len(names), strata):
        size = len(members)
        for block in _blocks(resamples, size):
            height = block.stop - block.start
            drawn = rng.integers(size, size=(height, size), dtype=np.int32)
            drawn += size * np.arange(height, dtype=np.int32)[:, None]
            counts[block, members] = np.bincount(drawn.ravel(), minlength=height * size).reshape(
                height, size
            )
    return Resamples(counts, index)


def _strata(index: np.ndarray, clusters: int, labels: np.ndarray | None) -> list[np.ndarray]:
    if labels is None:
        return [np.arange(clusters)]
    values, code = np.unique(labels, return_inverse=True)
    holds = np.zeros((clusters, len(values)), dtype=bool)
    holds[index, code] = True
    _, stratum = np.unique(holds, axis=0, return_inverse=True)
    return [np.flatnonzero(stratum == s) for s in range(stratum.max() + 1)]


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


def bootstrap(
    measures: Sequence[Callable[[np.ndarray], dict[str, np.ndarray]]],
    drawn: Resamples,
    confidence: float,
    seed: int,
) -> dict[str, Interval]:
    """Return the interval of the mean over runs that differ in their seed, for each metric.

    A hierarchical bootstrap: every resample draws clusters of test samples, the same for all
    runs, and then seeds. So the interval covers another test set of such clusters *and* another
    set of as many training seeds; `over_seeds` says how few seeds are dealt with. With one seed
    it covers the test set alone. It is a percentile interval; where every sample is right, it
    has no width.

    Args:
        measures: of each run, as for `resampled`.
        drawn: the resamples of the test samples.
        confidence: 0.95 for a 95 % interval.
        seed: for the draws of the seeds.
    """
    return intervals_of(
        [resampled(measure, drawn) for measure in measures], drawn, confidence, seed
    )


def intervals_of(
    values: Sequence[dict[str, np.ndarray]], drawn: Resamples, confidence: float, seed: int
) -> dict[str, Interval]:
    """Return `bootstrap` from what `resampled` gave for each run."""
    if (drawn.counts == 1).all():
        note = "no interval: nothing to resample, each stratum is a single cluster"
        return dict.fromkeys(values[0], Interval(None, None, note))
    return {
        name: interval(np.array([run[name] for run in values]), confidence, seed)
        for name in values[0]
    }


def interval(
    values: np.ndarray, confidence: float, seed: int, within: tuple[float, float] = (0, 1)
) -> Interval:
    """Return the percentile interval of the mean over seeds, seeds resampled (`over_seeds`).

    Args:
        values: (S, B), a metric in each resample of the test set; nan: undefined there.
        confidence: between 0 and 1.
        seed: for the draws of the seeds.
        within: the least and the largest value that the metric can have.

    Returns:
        the interval over the defined resamples; none where more than 5 % are undefined.
    """
    return percentiles(over_seeds(_itself, [values], seed, within), confidence)


def _itself(mean: np.ndarray) -> np.ndarray:
    return mean


def percentiles(values: np.ndarray, confidence: float) -> Interval:
    """Return the percentile interval of a statistic's value (B,) in each resample; nan: undefined.

    Returns:
        the interval over the defined resamples; none where more than 5 % are undefined.
    """
    resamples, defined = len(values), values[~np.isnan(values)]
    undefined = resamples - len(defined)
    if undefined > _MOST_UNDEFINED * resamples:
        note = f"no interval: undefined in {undefined} of {resamples} resamples"
        return Interval(None, None, note)
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, (tail, 1 - tail)).tolist()
    left_out = f"interval without {undefined} undefined resamples" if undefined else None
    return Interval(low, high, left_out)
