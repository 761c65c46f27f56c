"""A part of a data set for a trial run: a few groups of each split and class."""

import hashlib
from collections import defaultdict

from lssat.tables.rows import SampleRow

_PARTS = 3  # that the splits step makes of samples without a split


def limit(rows: list[SampleRow], groups: int | None) -> list[SampleRow]:
    """Keep the samples of a few groups (identity, pair of videos) of each split and class.

    Groups are chosen by a hash of their names, so a sample added elsewhere changes nothing, and
    the fakes of FaceForensics++ stay with the originals that are kept. Samples with several
    labels have no class. Three times as many groups are kept of samples without a split.

    Args:
        rows: of the manifest.
        groups: how many; None: all.
    """
    if groups is None:
        return rows
    names = defaultdict(set)
    for row in rows:
        names[_kind(row)].add(row["group"])
    kept = {
        (split, label): _first(groups_of, groups if split else _PARTS * groups)
        for (split, label), groups_of in names.items()
    }
    return [row for row in rows if row["group"] in kept[_kind(row)]]


def _kind(row: SampleRow) -> tuple[str, int | None]:
    return row["split"], row["labels"][0] if len(row["labels"]) == 1 else None


def _first(names: set[str], number: int) -> set[str]:
    return {*sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:number]}
