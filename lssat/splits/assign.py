"""Which split a sample belongs to: the official one, and our rules where there is none.

Each of our choices goes by sha256 of the seed and an id: the same on every machine and with
every library, whatever the order of the samples and whichever crops were found.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from lssat import params
from lssat.tables import UNUSED

NAMES = ("train", "val", "test")


def assign(
    dataset: str, samples: pa.Table, rules: params.Splits, options: params.Dataset
) -> list[str]:
    """Return the split of each sample: a name in `NAMES`, or `UNUSED`.

    Args:
        samples: of schema MANIFEST.
        rules: with `selection: val` the official validation set is `val`, for AffectNet the
            rest of it. With `train_holdout` that set is unused and `val` is a part of train.
        options: the data set's section; its shares part a list of your own that has no splits.
    """
    names = samples["split"].to_pylist()
    if isinstance(options, params.Own) and "" in names:
        return part(samples, options.val_share, options.test_share, rules.seed)
    if dataset == "affectnet":
        names = halve(samples, rules.affectnet_test, rules.seed)
    if rules.selection == "train_holdout" and "train" in names:  # not if all are for tests
        names = [UNUSED if name == "val" else name for name in names]
        names = hold_out(samples, names, rules.holdout, rules.seed)
    return names


def part(samples: pa.Table, val: float, test: float, seed: int) -> list[str]:
    """Part samples without an official split into three, as `hold_out` does: test, then val.

    Args:
        val, test: shares of all samples.

    Returns:
        The split of each sample.
    """
    names = hold_out(samples, ["train"] * len(samples), test, seed)
    rest = hold_out(samples, ["train"] * len(samples), test + val, seed)
    pairs = zip(names, rest, strict=True)
    return ["test" if first == "val" else second for first, second in pairs]


def halve(samples: pa.Table, share: float, seed: int) -> list[str]:
    """Part the official validation set into val and test, class by class.

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
    """Move a share of train to val so that nobody stands in both, class by class.

    Samples that share an identity, directly or through others, stay together. Such a cluster
    counts for the class that most of its samples have (the lowest of several; data sets of
    attributes are one class). Within a class the clusters are ordered by sha256 of
    `<seed>:holdout:<first of its identities as text>` and taken until `share` of the class's
    samples (rounded, halves up) is reached.

    Returns:
        The split of each sample.
    """
    places = [place for place, name in enumerate(names) if name == "train"]
    groups = samples["groups"].take(places).to_pylist()
    labels = samples["labels"].take(places).to_pylist()
    classes = defaultdict(list)
    for identity, members in _clusters(groups).items():
        key = _key(f"{seed}:holdout:{identity}")
        classes[_class(labels[i] for i in members)].append((key, members))
    names = list(names)
    for clusters in classes.values():
        wanted = _rounded(share * sum(len(members) for _, members in clusters))
        for _, members in sorted(clusters):
            if wanted <= 0:
                break
            wanted -= len(members)
            for i in members:
                names[places[i]] = "val"
    return names


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
    found = defaultdict(list)
    for place, identities in enumerate(groups):
        found[find(identities[0])].append(place)
    return found


def _class(labels: Iterable[list[int]]) -> tuple[int, ...]:
    counts = Counter(tuple(each) if len(each) == 1 else () for each in labels)
    return min(counts, key=lambda label: (-counts[label], label))


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _rounded(value: float) -> int:
    return int(np.floor(value + 0.5))
