"""The content of the splits: samples, crops, classes, coverage, and the ids with their hash."""

import hashlib
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat.data.splits.assign import NAMES
from lssat.tables import UNUSED
from lssat.tables.listed_counts import Key, key


def summarise(
    samples: pa.Table,
    names: np.ndarray,
    cropped: np.ndarray,
    joined: pa.Table,
    frames: int | None,
    listed: Counter[Key],
) -> dict[str, Any]:
    """Count the samples of the splits, and those in none of them.

    Args:
        samples: of schema MANIFEST.
        names: (N,) the split of each, `UNUSED` included.
        cropped: (N,) bool, whether it has a crop.
        joined: of schema SPLITS, with the rows of unused samples.
        frames: frames requested of each sample (1 for images); None if that depends on it.
        listed: what the lists name, there or not (`lssat.tables.listed_counts`).

    Returns:
        Plain values, and under `ids` the sorted ids of each split. `coverage` is the share of
        the listed samples that have a crop, `subset_coverage` the same by subset, and
        `frame_coverage` (videos) the share of the requested frames that have one. With
        `_present` they are shares of the samples that exist. A share of nothing is None.
    """
    ids = np.array(samples["id"].to_pylist(), object)
    groups = np.array(samples["group"].to_pylist(), object)
    crops = Counter(joined["split"].to_pylist())
    ids_of = {name: sorted(ids[names == name]) for name in (*NAMES, UNUSED)}
    wanted = named(samples, names, listed)
    members = {key: value for key, value in by_member(joined).items() if any(value.values())}
    return {
        "listed": {name: round(sum(wanted[name].values())) for name in NAMES},
        "samples": {name: len(ids_of[name]) for name in NAMES},
        "crops": {name: crops[name] for name in NAMES},
        "groups": {name: len(set(groups[names == name])) for name in NAMES},
        UNUSED: {"samples": len(ids_of[UNUSED]), "crops": crops[UNUSED]},
        **_coverage(samples, names, cropped, joined, frames, wanted),
        **members,
        **_positives(joined),
        "ids": ids_of,
        "ids_sha256": {name: _sha256(ids_of[name]) for name in ids_of},
    }


def by_member(joined: pa.Table) -> dict[str, dict[str, dict[str, int]]]:
    """Count crops by split and class (data sets of one label) and by split and subset."""
    counts: dict[str, dict] = {
        "classes": {name: Counter() for name in NAMES},
        "subsets": {name: Counter() for name in NAMES},
    }
    columns = [joined[name].to_pylist() for name in ("split", "labels", "subset")]
    for split, labels, subset in zip(*columns, strict=True):
        if split in NAMES and len(labels) == 1:
            counts["classes"][split][str(labels[0])] += 1
        if split in NAMES and subset:
            counts["subsets"][split][subset] += 1
    return counts


def _sha256(ids: list[str]) -> str:
    """Return the sha256 of a list of ids as it is written: sorted, each with a line feed."""
    return hashlib.sha256("".join(f"{id}\n" for id in ids).encode()).hexdigest()


def named(
    samples: pa.Table, names: np.ndarray, listed: Counter[Key]
) -> dict[str, dict[str, float]]:
    """Count the listed samples of each of our splits, by subset.

    A split that we cut from an official one, such as a half, takes the same part of its listed
    samples as of its existing ones.

    Args:
        names: (N,) the split of each sample.

    Returns:
        split -> subset -> samples; a split of ours may have a part of one.
    """
    rows = samples.select(["split", "subset", "labels"]).to_pylist()
    there = Counter(map(key, rows))
    moved = Counter(zip(map(key, rows), names.tolist(), strict=True))
    wanted: dict[str, dict[str, float]] = {name: defaultdict(float) for name in (*NAMES, UNUSED)}
    for (cell, split), n in moved.items():
        wanted[split][cell[1]] += n * listed[cell] / there[cell]
    for cell, n in listed.items():
        if not there[cell] and cell[0] in NAMES:
            wanted[cell[0]][cell[1]] += n
    return wanted


def _coverage(
    samples: pa.Table,
    names: np.ndarray,
    cropped: np.ndarray,
    joined: pa.Table,
    frames: int | None,
    wanted: dict[str, dict[str, float]],
) -> dict[str, Any]:
    """Return each share twice: of the listed samples and, with `_present`, of existing ones."""
    subsets = np.array(samples["subset"].to_pylist(), object)
    there = {name: Counter(subsets[names == name]) for name in NAMES}
    have = {name: Counter(subsets[cropped & (names == name)]) for name in NAMES}
    shares = _shares("", have, wanted) | _shares("_present", have, there)
    if frames is not None and "video" in samples["media"].to_pylist():
        single = joined.filter(pc.equal(joined["clip"], -1))  # clips are no frames
        crops = Counter(single["split"].to_pylist())
        for end, whole in (("", wanted), ("_present", there)):
            requested = {name: frames * sum(whole[name].values()) for name in NAMES}
            frame_shares = {name: _share(crops[name], requested[name]) for name in NAMES}
            shares[f"frame_coverage{end}"] = frame_shares
    return shares


def _shares(end: str, have: dict, whole: dict) -> dict[str, dict]:
    """Return the shares of samples, and of the samples of each subset, by split."""
    members = sorted({subset for name in NAMES for subset in whole[name]} - {""})
    coverage, by_subset = {}, {}
    for name in NAMES:
        parts, wholes = have[name], whole[name]
        coverage[name] = _share(sum(parts.values()), sum(wholes.values()))
        by_subset[name] = {
            member: _share(parts[member], wholes.get(member, 0)) for member in members
        }
    shares: dict[str, dict] = {f"coverage{end}": coverage}
    return shares | ({f"subset_coverage{end}": by_subset} if members else {})


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _positives(joined: pa.Table) -> dict[str, dict[str, dict]]:
    """Count the crops that have each attribute, in the order of the release's list."""
    positives: dict[str, list[int]] = {}
    for name in NAMES:
        labels = joined.filter(pc.equal(joined["split"], name))["labels"].to_pylist()
        if labels and len(labels[0]) > 1:
            positives[name] = np.sum(labels, axis=0).tolist()
    return {"attributes": {"positives": positives}} if positives else {}
