"""Checks that need more than one list: lists that were cut, names that are almost equal.

The manifest and `lssat doctor` both call them, so they refuse the same things.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from lssat.data.media import archive
from lssat.data.media.system_files import hidden
from lssat.params import Dataset, Own
from lssat.tables import DataError, s3_addresses, spelling
from lssat.tables.rows import RejectRow, SampleRow

CUT = ", and the lists name fewer samples than the release: a list was cut"
NO_LOSS = ("excluded_class", "duplicate")  # on request; one of the equal rows is used
_SHOWN = 3


def check_whole(
    dataset: str, whole: int, options: Dataset, rows: list[SampleRow], rejects: list[RejectRow]
) -> None:
    """Refuse lists that were cut: too short, and more files are unlisted than are missing.

    Args:
        whole: how many samples the release has.

    Raises:
        DataError: with the first files that are in no list.
    """
    if not short(whole, options, rows, rejects):
        return
    base = s3_addresses.place(options.root)
    more = extras(base, rows, rejects)
    if len(more) <= missing(rejects):
        return
    some = ", ".join(more[:_SHOWN]) + (", ..." if len(more) > _SHOWN else "")
    files = "1 file is" if len(more) == 1 else f"{len(more):,} files are"
    problem = f"{files} in no list ({some}){CUT}"
    raise DataError(base, problem, ways_out(dataset))


def ways_out(dataset: str) -> str:
    """Say what to do about lists that name fewer files than exist."""
    return f"Fetch the lists again, or say that a part is meant: datasets.{dataset}.partial: true"


def missing(rejects: list[RejectRow]) -> int:
    """Count the samples whose file is absent: it may be there under another name."""
    return sum(row["reason"] == "missing" for row in rejects)


def short(whole: int, options: Dataset, rows: list[SampleRow], rejects: list[RejectRow]) -> bool:
    """Say whether the lists name fewer samples than the release has, and no part is meant."""
    named = len(rows) + sum(row["reason"] not in NO_LOSS for row in rejects)
    return not options.partial and named < whole


def extras(base: Path, rows: list[SampleRow], rejects: list[RejectRow]) -> list[str]:
    """Return the unlisted files beside the samples that have a suffix of theirs, sorted."""
    taken: dict[str, set[str]] = defaultdict(set)
    for row in [*rows, *rejects]:
        folder, _, name = row["path"].rpartition("/")
        taken[folder].add(name)
    suffixes = {os.path.splitext(row["path"])[1] for row in rows}
    return sorted(
        f"{folder}/{name}".lstrip("/")
        for folder, names in taken.items()
        for name in _beside(base, folder, "" in suffixes) - names
        if os.path.splitext(name)[1] in suffixes and not hidden(name)
    )


def _beside(base: Path, folder: str, frames: bool) -> set[str]:
    """Return the names of the files of a folder or archive; with `frames`, of folders too."""
    if archive.is_member(f"{folder}/", base):
        file, _, inside = f"{folder}/".partition(archive.BETWEEN)
        members = archive.names(base / file) if (base / file).exists() else []
        return {name.removeprefix(inside) for name in members if name.startswith(inside)}
    try:
        with os.scandir(base / folder) as entries:
            return {entry.name for entry in entries if frames or not entry.is_dir()}
    except OSError:  # the folder of missing samples
        return set()


def doubts(options: Dataset, rows: list[SampleRow], classes: tuple[str, ...]) -> list[str]:
    """Return warnings about own data: names that are almost equal."""
    if not isinstance(options, Own):
        return []
    groups = {row["group"] for row in rows if row["group"] != row["path"]}
    what = "attributes" if options.kind == "multilabel" else "classes"
    return [*_twins(what, classes), *_twins("groups", groups)]


def _twins(what: str, names: Iterable[str]) -> list[str]:
    sets = alike(names)
    some = "; ".join(" and ".join(map(repr, same)) for same in sets[:_SHOWN])
    more = f" and {len(sets) - _SHOWN:,} more" if len(sets) > _SHOWN else ""
    text = f"{what} that differ only by case or blanks count as different: {some}{more}"
    return [text] if sets else []


def alike(names: Iterable[str]) -> list[list[str]]:
    """Return the sets of names that differ by case, blanks or dashes alone."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        by_key[spelling.key(name)].append(name)
    return [same for same in by_key.values() if len(same) > 1]
