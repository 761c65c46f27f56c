"""Training on a share of the data: a nested, seeded, stratified part of its groups."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc


def part(samples: pa.Table, share: float, seed: int, strata: bool) -> pa.Table:
    """Keep the samples of a share of the groups (identities, pairs of videos), in their order.

    The groups of a smaller share are among those of a larger one with the same seed, whole. Each
    kind of group, by the classes that it holds, keeps the share to the nearest group, and one at
    least, so that no class is lost.

    Args:
        samples: of the schema SPLITS.
        share: of the groups, in (0, 1].
        seed: the run's. Configurations that share a seed are trained on the same part.
        strata: keep the share by class; labels of several attributes have too many kinds.
    """
    if share == 1:
        return samples
    labels = samples["labels"].to_pylist() if strata else [()] * len(samples)
    kept = groups(samples["group"].to_pylist(), labels, share, seed)
    return samples.filter(pc.is_in(samples["group"], pa.array(sorted(kept), pa.string())))


def groups(
    named: Sequence[str], labels: Sequence[Collection[int]], share: float, seed: int
) -> set[str]:
    """Choose a share of the groups.

    Args:
        named: the group of each sample.
        labels: the labels of each sample.
    """
    held: dict[str, set[int]] = defaultdict(set)
    for group, own in zip(named, labels, strict=True):
        held[group].update(own)
    strata: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for group, classes in held.items():
        strata[tuple(sorted(classes))].append(group)
    kept: set[str] = set()
    for members in strata.values():
        ordered = sorted(members, key=lambda group: _rank(group, seed))
        kept.update(ordered[: max(1, int(share * len(ordered) + 0.5))])
    return kept


def _rank(group: str, seed: int) -> bytes:
    """Return a random place that depends on nothing but the group's name and the seed."""
    return hashlib.sha256(f"{seed} {group}".encode()).digest()
