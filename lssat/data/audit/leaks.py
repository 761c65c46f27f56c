"""The proof before training: no person and no crop is in two splits.

It reads the same tables as training, and does not trust how they were made.
"""

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from lssat import grid
from lssat.data.audit.crops import (
    FINDINGS,
    NAMES,
    Finding,
    by_split,
    facts,
    finding,
    read_crops,
)
from lssat.grid.releases import PAIRED
from lssat.tables import (
    MANIFEST,
    DataError,
    metadata,
    read_table,
    together,
    write_json,
    write_table,
)

LEAKS = ("identity", "duplicate")
WORDS = {
    "identity": ("identity is in two splits", "identities are in two splits"),
    "duplicate": (
        "pair of samples in two splits shares a crop",
        "pairs of samples in two splits share a crop",
    ),
    "duplicate_within": (
        "pair of samples in one split shares a crop",
        "pairs of samples in one split share a crop",
    ),
}
_SHOWN = 20  # pairs in the message of an error; the table holds all


def audit(
    manifest: Path, faces: list[Path], splits: dict[str, Path], out: Path, table: Path
) -> None:
    """Prove that no identity and no crop is in two splits, and list what was found.

    Identities are the manifest's groups and, where they say it, both halves of a video's own
    name. A crop is the same by its sha256: files with the same bytes give the same crops, so
    this covers them. Copies within a split are listed, and are no leak.

    Args:
        manifest: of schema MANIFEST.
        faces: tables of schema FACES, of every shard.
        splits: tables of schema SPLITS by name.
        out: JSON to write: what was looked at and counts of findings. Only written if there is
            no leak: training needs it.
        table: findings to write, of schema FINDINGS; written in any case.

    Raises:
        DataError: a leak, with its first pairs.
    """
    samples = read_table(manifest, MANIFEST)
    dataset = grid.read_task(metadata(samples), manifest).name
    crops = read_crops(splits, faces)
    identities = _identities(dataset, samples)
    rows = [*_in_two_splits(crops, identities), *_copies(crops)]
    counts = Counter(row["kind"] for row in rows)
    by_kind = {kind: counts[kind] for kind in WORDS}
    summary = {"dataset": dataset, **facts(crops), **_known(by_split(crops), identities)}
    summary |= {"findings": by_kind}
    leaked = [row for row in rows if row["kind"] in LEAKS]
    with together():
        write_table(table, rows, FINDINGS)
        if not leaked:
            write_json(out, summary)
    _show(summary)
    if leaked:
        _refuse(leaked, by_kind, table)


def _identities(dataset: str, samples: pa.Table) -> dict[str, set[str]]:
    """Return the people in each sample."""
    identities = {}
    columns = [samples[name].to_pylist() for name in ("id", "path", "groups")]
    for id, path, groups in zip(*columns, strict=True):
        # The name of a fake holds its target and source, whatever the lists say.
        halves = Path(path).name.split(".")[0].split("_") if dataset in PAIRED else []
        identities[id] = {*groups, *halves}
    return identities


def _in_two_splits(crops: pa.Table, identities: dict[str, set[str]]) -> list[Finding]:
    """List a finding for each identity and each further split that it is in."""
    first: dict[str, dict[str, dict]] = {}  # identity -> split -> its first crop there
    for crop in crops.select(["split", "id", "frame"]).to_pylist():
        for identity in identities[crop["id"]]:
            first.setdefault(identity, {}).setdefault(crop["split"], crop)
    return [
        finding("identity", one, other, identity, None)
        for identity, seen in sorted(first.items())
        for one, other in combinations(seen.values(), 2)
    ]


def _copies(crops: pa.Table) -> list[Finding]:
    """List crops with equal sha256: the first of them beside the first of each other sample."""
    copies = []
    codes = crops["sha256"].combine_chunks().dictionary_encode().indices.to_numpy()
    often = np.flatnonzero(np.bincount(codes)[codes] > 1)
    first: dict[str, dict] = {}  # sha256 -> its first crop
    seen = set()
    for crop in crops.take(often).to_pylist():
        one = first.setdefault(crop["sha256"], crop)
        pair = one["split"], one["id"], crop["split"], crop["id"]
        if crop["id"] != one["id"] and pair not in seen:
            seen.add(pair)
            kind = "duplicate_within" if crop["split"] == one["split"] else "duplicate"
            copies.append(finding(kind, one, crop, crop["sha256"], 0))
    return copies


def _known(ids: dict[str, set[str]], identities: dict[str, set[str]]) -> dict[str, Any]:
    """Count the identities of each split; say whether the release gives any."""
    return {
        "identities": {
            name: len(set().union(*(identities[id] for id in ids[name]))) for name in NAMES
        },
        # A group of its own for every sample is the readers' way of saying that nobody knows.
        "identities_known": any(people != {id} for id, people in identities.items()),
    }


def _show(summary: dict[str, Any]) -> None:
    table = Table(title=f"audit of {summary['dataset']}", title_justify="left")
    for name in ("", *NAMES):
        table.add_column(name, justify="right" if name else "left")
    for what in ("samples", "crops", *["identities"] * summary["identities_known"]):
        table.add_row(what, *[f"{summary[what][name]:,}" for name in NAMES])
    console = Console(soft_wrap=True)
    console.print(table)
    if not summary["identities_known"]:
        console.print("The release tells no identities, so only copies can be found.")
    for kind, count in summary["findings"].items():
        console.print(_words(kind, count))


def _words(kind: str, count: int) -> str:
    return f"{count:,} {WORDS[kind][count != 1]}"


def _refuse(leaked: list[Finding], counts: dict[str, int], table: Path) -> None:
    counted = ", ".join(_words(kind, counts[kind]) for kind in LEAKS if counts[kind])
    pairs = [
        f"{row['what'][:16]}: {row['id']} ({row['split']}) and {row['other_id']} "
        f"({row['other_split']})"
        for row in leaked[:_SHOWN]
    ]
    more = f"; {len(leaked) - _SHOWN:,} more" if len(leaked) > _SHOWN else ""
    problem = f"{counted}: {'; '.join(pairs)}{more}"
    fix = "Correct the release's lists or take the samples out; nothing is trained on a leak"
    raise DataError(table, problem, fix)
