"""What stands in the splits: samples, crops, classes, coverage, and the ids with their hash."""

import hashlib
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat.splits.assign import NAMES
from lssat.tables import UNUSED


def summarise(
    samples: pa.Table, names: np.ndarray, found: np.ndarray, joined: pa.Table, frames: int | None
) -> dict[str, Any]:
    """Count the splits, and what is in none of them.

    Args:
        samples: of schema MANIFEST.
        names: (N,) the split of each, `UNUSED` included.
        found: (N,) bool, whether it has a crop.
        joined: of schema SPLITS, with the rows of unused samples.
        frames: frames asked for of each sample (1 for images); None if that depends on it.

    Returns:
        Plain values, and under `ids` the sorted ids of each split. `coverage` is the share of
        samples that have a crop, `frame_coverage` (videos) of the frames asked for that have
        one, `subset_coverage` the first by subset. A share of nothing is None.
    """
    ids = np.array(samples["id"].to_pylist(), object)
    groups = np.array(samples["group"].to_pylist(), object)
    crops = Counter(joined["split"].to_pylist())
    listed = {name: sorted(ids[names == name]) for name in (*NAMES, UNUSED)}
    members = {key: value for key, value in by_member(joined).items() if any(value.values())}
    return {
        "samples": {name: len(listed[name]) for name in NAMES},
        "crops": {name: crops[name] for name in NAMES},
        "groups": {name: len(set(groups[names == name])) for name in NAMES},
        UNUSED: {"samples": len(listed[UNUSED]), "crops": crops[UNUSED]},
        "coverage": {name: _share(found[names == name]) for name in NAMES},
        **_frame_coverage(samples, names, joined, frames),
        **_subset_coverage(samples, names, found),
        **members,
        **_positives(joined),
        "ids": listed,
        "ids_sha256": {name: _sha256(listed[name]) for name in listed},
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


def _share(found: np.ndarray) -> float | None:
    return float(found.mean()) if found.size else None


def _frame_coverage(
    samples: pa.Table, names: np.ndarray, joined: pa.Table, frames: int | None
) -> dict[str, dict[str, float | None]]:
    """Return the share of the frames asked for that have a crop; clips are no frames."""
    if frames is None or "video" not in samples["media"].to_pylist():
        return {}
    have = Counter(joined.filter(pc.equal(joined["clip"], -1))["split"].to_pylist())
    asked = {name: frames * int((names == name).sum()) for name in NAMES}
    shares = {name: have[name] / asked[name] if asked[name] else None for name in NAMES}
    return {"frame_coverage": shares}


def _subset_coverage(
    samples: pa.Table, names: np.ndarray, found: np.ndarray
) -> dict[str, dict[str, dict[str, float | None]]]:
    subsets = np.array(samples["subset"].to_pylist())
    members = sorted({*subsets.tolist()} - {""})
    if not members:
        return {}
    shares = {
        name: {each: _share(found[(names == name) & (subsets == each)]) for each in members}
        for name in NAMES
    }
    return {"subset_coverage": shares}


def _positives(joined: pa.Table) -> dict[str, dict[str, dict]]:
    """Count the crops that have each attribute, in the order of the release's list."""
    found: dict[str, list[int]] = {}
    for name in NAMES:
        labels = joined.filter(pc.equal(joined["split"], name))["labels"].to_pylist()
        if labels and len(labels[0]) > 1:
            found[name] = np.sum(labels, axis=0).tolist()
    return {"attributes": {"positives": found}} if found else {}
