"""The crops of the splits with their hashes, and the table of what an audit finds."""

from collections import Counter
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat.tables import FACES, SPLITS, DataError, read_table

NAMES = ("train", "val", "test")

# The closed list of findings; the first two are leaks and stop everything before training.
KINDS = (
    "identity",  # somebody stands in two splits
    "duplicate",  # the same crop, byte for byte, of two samples in two splits
    "duplicate_within",  # of two samples in one split
    "near_duplicate",  # crops of two splits whose perceptual hashes are near
)
FINDINGS = pa.schema(
    [
        ("kind", pa.string()),
        ("split", pa.string()),
        ("id", pa.string()),
        ("frame", pa.int32()),
        ("other_split", pa.string()),
        ("other_id", pa.string()),
        ("other_frame", pa.int32()),
        ("what", pa.string()),  # the identity, or the sha256 of the crop; "" for near-duplicates
        ("distance", pa.int16()),  # bits of 64 that differ; 0 for the same crop, else null
    ]
)


class Finding(TypedDict):
    """A row of FINDINGS."""

    kind: str
    split: str
    id: str
    frame: int
    other_split: str
    other_id: str
    other_frame: int
    what: str
    distance: int | None


def finding(kind: str, first: dict, other: dict, what: str, distance: int | None) -> Finding:
    """Return a row of FINDINGS about two crops (`split`, `id`, `frame`)."""
    if kind not in KINDS:
        raise ValueError(f"unknown finding {kind!r}: the closed list is {KINDS}")
    return Finding(
        kind=kind,
        split=first["split"],
        id=first["id"],
        frame=first["frame"],
        other_split=other["split"],
        other_id=other["id"],
        other_frame=other["frame"],
        what=what,
        distance=distance,
    )


def read_crops(splits: dict[str, Path], faces: list[Path]) -> pa.Table:
    """Read the crops of the splits, with their hashes.

    Args:
        splits: tables of schema SPLITS by name (`NAMES`).
        faces: tables of schema FACES, of every shard.

    Returns:
        Columns id, clip, frame, split, sha256, phash; by split in the order of `NAMES`, and in
        the order of the split's table.

    Raises:
        DataError: a table is damaged, or a split holds a crop that no shard has.
    """
    kept = ["id", "clip", "frame", "shard", "row", "sha256", "phash"]
    crops = pa.concat_tables([read_table(path, FACES).select(kept) for path in faces])
    places = _place(crops)
    parts = []
    for name in NAMES:
        rows = read_table(splits[name], SPLITS)
        placed = crops.take(pc.index_in(_place(rows), value_set=places))
        if not _same(placed, rows):
            problem = "holds a crop that is not in its shard's table"
            raise DataError(splits[name], problem, "Run the splits step again: it is older")
        parts.append(placed.drop_columns(["shard", "row"]).append_column("split", rows["split"]))
    return pa.concat_tables(parts)


def _place(table: pa.Table) -> pa.Array:
    shard, row = (table[name].to_numpy().astype(np.int64) for name in ("shard", "row"))
    return pa.array(shard << 32 | row)


def _same(crops: pa.Table, rows: pa.Table) -> bool:
    return all(crops[name].equals(rows[name]) for name in ("id", "clip", "frame", "shard", "row"))


def by_split(crops: pa.Table) -> dict[str, set[str]]:
    """Return the ids of the samples in each split."""
    splits, ids = (np.array(crops[name].to_pylist(), object) for name in ("split", "id"))
    return {name: set(ids[splits == name]) for name in NAMES}


def facts(crops: pa.Table) -> dict[str, Any]:
    """Count the crops and samples of each split."""
    crops_of = Counter(crops["split"].to_pylist())
    samples = {name: len(ids) for name, ids in by_split(crops).items()}
    return {"crops": {name: crops_of[name] for name in NAMES}, "samples": samples}
