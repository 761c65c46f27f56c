"""Which split a sample belongs to: the official one, and our rules where there is none.

Each of our choices goes by sha256 of the seed and an id: the same on every machine and with
every library, whatever the order of the samples and whichever crops were found.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lssat import params
from lssat.grid.releases import HALVED
from lssat.tables import UNUSED

NAMES = ("train", "val", "test")
_TOLERANCE = 0.2  # of the requested size


class Request(NamedTuple):
    """The size that params.yaml requests for a split, which is filled with whole groups."""

    key: str  # of params.yaml
    share: float
    wanted: int  # samples
    of: int  # samples
    smallest: int  # group
    largest: int

    def problem(self, got: int) -> str | None:
        """Say how far off a split of `got` samples is, or None where groups fit no better.

        A fifth of the requested size is near enough, and so is half of the smallest group.
        """
        off = abs(got - self.wanted)
        if off <= max(_TOLERANCE * self.wanted, self.smallest / 2) and (got or not self.wanted):
            return None
        return (
            f"{got:,} of {self.of:,} samples, and {self.key} {self.share} asks for "
            f"{self.wanted:,}; groups stay whole, and hold {self.smallest:,} to {self.largest:,}"
        )


def assign(
    dataset: str, samples: pa.Table, rules: params.Splits, options: params.Dataset
) -> list[str]:
    """Return the split of each sample: a name in `NAMES`, or `UNUSED`.

    Args:
        samples: of schema MANIFEST.
        rules: with `selection: val` the official validation set is `val`, or the rest of it
            where it is halved. With `train_holdout` that set is unused, and `val` part of train.
        options: the data set's section; its shares part a list of your own that has no splits.
    """
    names = samples["split"].to_pylist()
    if isinstance(options, params.Own) and "" in names:
        return part(samples, options.val_share, options.test_share, rules.seed)
    if dataset in HALVED:
        names = halve(samples, rules.affectnet_test, rules.seed)
    if _held_out(names, rules):
        names = [UNUSED if name == "val" else name for name in names]
        names = hold_out(samples, names, rules.holdout, rules.seed)
    left_out = untested(options)
    subsets = samples["subset"].to_pylist() if left_out else names
    return [
        UNUSED if name == "test" and subset in left_out else name
        for name, subset in zip(names, subsets, strict=True)
    ]


def untested(options: params.Dataset) -> set[str]:
    """Return the manipulation methods that the test split leaves out: `test_methods` has others."""
    kept = getattr(options, "test_methods", None)
    return set() if kept is None else {*getattr(options, "methods", ())} - {*kept}


def _held_out(names: list[str], rules: params.Splits) -> bool:
    return rules.selection == "train_holdout" and "train" in names  # not if all are for tests


def requested(
    samples: pa.Table, rules: params.Splits, options: params.Dataset
) -> dict[str, Request]:
    """Return the requested size of each split that we fill with whole groups.

    Returns:
        by split; empty where all splits are official, or halves.
    """
    names = samples["split"].to_pylist()
    if isinstance(options, params.Own) and "" in names:
        shares = {"val": options.val_share, "test": options.test_share}
        total, groups = len(names), samples["groups"].to_pylist()
    elif _held_out(names, rules):
        shares = {"val": rules.holdout}
        places = [place for place, name in enumerate(names) if name == "train"]
        total, groups = len(places), samples["groups"].take(places).to_pylist()
    else:
        return {}
    sizes = [len(members) for members in _clusters(groups).values()]
    key = "splits.holdout" if len(shares) == 1 else "{}_share"
    return {
        name: Request(
            key.format(name), share, _rounded(share * total), total, min(sizes), max(sizes)
        )
        for name, share in shares.items()
    }


def part(samples: pa.Table, val: float, test: float, seed: int) -> list[str]:
    """Divide samples without an official split into three, as `hold_out` does: test, then val.

    Args:
        val, test: shares of all samples.

    Returns:
        The split of each sample.
    """
    names = ["train"] * len(samples)
    for split, share in (("test", test), ("val", val)):
        names = _moved(samples, names, split, _rounded(share * len(samples)), seed)
    return names


def halve(samples: pa.Table, share: float, seed: int) -> list[str]:
    """Divide the official validation set into val and test, class by class.

    Within a class the ids are ordered by sha256 of `<seed>:<id>`; the first `share` of them
    (rounded, halves up) are the test set.

    Returns:
        The split of each sample.
    """
    classes = defaultdict(list)
    names = samples["split"].to_pylist()
    rows = zip(samples["id"].to_pylist(), samples["labels"].to_pylist(), strict=True)
    for place, (id, labels) in enumerate(rows):
        if names[place] == "val":
            classes[tuple(labels)].append((_key(f"{seed}:{id}"), place))
    for members in classes.values():
        for _, place in sorted(members)[: _rounded(share * len(members))]:
            names[place] = "test"
    return names


def hold_out(samples: pa.Table, names: list[str], share: float, seed: int) -> list[str]:
    """Move a share of train to val so that no person is in both, class by class.

    Samples that share an identity, directly or through others, stay together. Such a cluster
    counts for the class that most of its samples have (the lowest of several; data sets of
    attributes are one class).

    Returns:
        The split of each sample.
    """
    return _moved(samples, names, "val", _rounded(share * names.count("train")), seed)


class _Cluster(NamedTuple):
    key: str  # sha256 of `<seed>:holdout:<first of its identities as text>`
    label: tuple[int, ...]
    places: list[int]  # of its samples


def _moved(samples: pa.Table, names: list[str], to: str, wanted: int, seed: int) -> list[str]:
    """Move whole clusters from train, `wanted` samples or as near to it as they fit.

    Clusters come in the order of their keys, and one that holds more than is still wanted is
    passed over. First each class gives its part of what is wanted; then any class, what these
    left; at last the smallest cluster, if that is no further off than none. So a cluster greater
    than `wanted` stays in train, as long as others make up the number, and counts for no class.
    """
    everyone = _in_order(samples, names, seed)
    taken: dict[str, _Cluster] = {}

    def take(clusters: list[_Cluster], most: int) -> int:
        """Take what fits into `most` samples; return what is left of it."""
        for cluster in clusters:
            if cluster.key not in taken and len(cluster.places) <= most:
                most -= len(cluster.places)
                taken[cluster.key] = cluster
        return most

    small = [cluster for cluster in everyone if len(cluster.places) <= wanted]
    rest = wanted
    for label, quota in _quotas(small, wanted).items():
        of_class = [cluster for cluster in small if cluster.label == label]
        rest -= quota - take(of_class, quota)  # what it gave
    rest = take(small, rest)
    others = [cluster for cluster in everyone if cluster.key not in taken]
    last = min(others, key=lambda cluster: len(cluster.places), default=None)
    if last and len(last.places) <= 2 * rest:
        taken[last.key] = last
    moved = list(names)
    for cluster in taken.values():
        for place in cluster.places:
            moved[place] = to
    return moved


def _in_order(samples: pa.Table, names: list[str], seed: int) -> list[_Cluster]:
    """Return the clusters of train in the order of their keys."""
    places = [place for place, name in enumerate(names) if name == "train"]
    groups = samples["groups"].take(places).to_pylist()
    labels = samples["labels"].take(places).to_pylist()
    return sorted(
        _Cluster(
            _key(f"{seed}:holdout:{identity}"),
            _class(labels[i] for i in members),
            [places[i] for i in members],
        )
        for identity, members in _clusters(groups).items()
    )


def _quotas(clusters: list[_Cluster], wanted: int) -> dict[tuple[int, ...], int]:
    """Divide `wanted` by the classes' samples: rounded down, then one more by largest remainder."""
    sizes: Counter = Counter()
    for cluster in clusters:
        sizes[cluster.label] += len(cluster.places)
    exact = {label: wanted * n / sizes.total() for label, n in sorted(sizes.items())}
    quotas = {label: int(value) for label, value in exact.items()}
    by_remainder = sorted(exact, key=lambda label: quotas[label] - exact[label])
    for label in by_remainder[: min(wanted, sizes.total()) - sum(quotas.values())]:
        quotas[label] += 1
    return quotas


def _clusters(groups: list[list[str]]) -> dict[str, list[int]]:
    """Gather places of samples connected by identities, under the first identity as text."""
    root: dict[str, str] = {}

    def find(identity: str) -> str:
        root.setdefault(identity, identity)
        while root[identity] != identity:
            root[identity] = identity = root[root[identity]]
        return identity

    for identities in groups:
        first, *others = sorted({find(identity) for identity in identities})
        for other in others:
            root[other] = first
    clusters = defaultdict(list)
    for place, identities in enumerate(groups):
        clusters[find(identities[0])].append(place)
    return clusters


def _class(labels: Iterable[list[int]]) -> tuple[int, ...]:
    counts = Counter(tuple(label) if len(label) == 1 else () for label in labels)
    return min(counts, key=lambda label: (-counts[label], label))


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _rounded(value: float) -> int:
    return int(np.floor(value + 0.5))
