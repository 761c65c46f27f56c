"""Near-duplicates across splits by perceptual hash: listed, for a person to look at.

A hash cannot distinguish a copy from a look-alike, so this proves nothing; but if many samples of
a split have one in another, the lists or the crops are wrong.
"""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console

from lssat import params
from lssat.data.audit.crops import FINDINGS, NAMES, Finding, facts, finding, read_crops
from lssat.data.audit.phash import nearest
from lssat.tables import DataError, together, write_json, write_table


def lookalikes(
    dataset: str,
    faces: list[Path],
    splits: dict[str, Path],
    options: params.Audit,
    out: Path,
    table: Path,
) -> None:
    """List the samples that have a near-duplicate in another split, each with its nearest.

    Args:
        faces: tables of schema FACES, of every shard.
        splits: tables of schema SPLITS by name.
        options: the Hamming distance up to which crops are near, and the share of a split's
            samples that may have a near-duplicate in another split.
        out: JSON to write: counts by pair of splits.
        table: findings to write, of schema FINDINGS: of each such sample, the nearest crop.

    Raises:
        DataError: more samples than the limit; the table is written, the JSON is not.
    """
    crops = read_crops(splits, faces)
    counted = facts(crops)
    rows, pairs = [], []
    for one, other in combinations(NAMES, 2):
        searched, reference = (
            crops.filter(pc.equal(crops["split"], name)) for name in (other, one)
        )
        neighbours = near(searched, reference, options.near_distance)
        total = counted["samples"][other]
        pairs.append({"split": other, "other_split": one, "samples": len(neighbours), "of": total})
        rows += neighbours
    over = [pair for pair in pairs if pair["samples"] > options.near_limit * pair["of"]]
    with together():
        write_table(table, rows, FINDINGS)
        if not over:
            summary = {"dataset": dataset, **options.model_dump(), **counted, "pairs": pairs}
            write_json(out, summary)
    for pair in pairs:
        Console(soft_wrap=True).print(_say(pair, options))
    if over:
        limit = f"the limit is {100 * options.near_limit:g} %"
        problem = "; ".join(_say(pair, options) for pair in over)
        fix = "Look at the pairs in this table; then mend the data or raise audit.near_limit"
        raise DataError(table, f"{problem}; {limit}", fix)


def near(crops: pa.Table, others: pa.Table, distance: int) -> list[Finding]:
    """List each sample of `crops` that has a near crop in `others`, with the nearest pair.

    Both tables hold crops as `read_crops` returns them.
    """
    apart, at = nearest(crops["phash"].to_numpy(), others["phash"].to_numpy(), distance)
    best: dict[str, tuple[int, int]] = {}  # id -> distance, place in crops
    for place in np.flatnonzero(apart <= distance).tolist():
        id, candidate = crops["id"][place].as_py(), (int(apart[place]), place)
        best[id] = min(best.get(id, candidate), candidate)
    return [
        finding("near_duplicate", _row(crops, place), _row(others, at[place]), "", bits)
        for bits, place in best.values()
    ]


def _row(crops: pa.Table, place: int) -> dict:
    return {name: crops[name][int(place)].as_py() for name in ("split", "id", "frame")}


def _say(pair: dict[str, Any], options: params.Audit) -> str:
    return (
        f"{pair['samples']:,} of {pair['of']:,} samples of {pair['split']} have a near-duplicate "
        f"in {pair['other_split']} (within {options.near_distance} of 64 bits)"
    )
