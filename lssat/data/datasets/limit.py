"""A part of a data set for a trial run: a few groups of each split and class."""

import hashlib
from collections import defaultdict

_PARTS = 3  # that the splits step makes of samples without a split


def limit(rows: list[dict], groups: int | None) -> list[dict]:
    """Keep the samples of a few groups (identity, pair of videos) of each split and class.

    Which ones is a hash of their names, so that a sample added elsewhere changes nothing, and
    the fakes of FaceForensics++ are those of the originals that are kept. Samples of several
    labels have no class; of samples without a split three times as many groups are kept.

    Args:
        rows: of the manifest. groups: how many; None: all.
    """
    if groups is None:
        return rows
    names = defaultdict(set)
    for row in rows:
        names[_kind(row)].add(row["group"])
    kept = {
        (split, label): _first(each, groups if split else _PARTS * groups)
        for (split, label), each in names.items()
    }
    return [row for row in rows if row["group"] in kept[_kind(row)]]


def _kind(row: dict) -> tuple[str, int | None]:
    return row["split"], row["labels"][0] if len(row["labels"]) == 1 else None


def _first(names: set[str], number: int) -> set[str]:
    return {*sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:number]}
