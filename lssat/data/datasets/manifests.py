"""The readers of the official releases: a raw tree becomes a manifest and a list of rejects."""

import sys
from collections import defaultdict
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from lssat import grid, params
from lssat.data import media
from lssat.data.datasets import checks, own, tree
from lssat.data.datasets.limit import limit
from lssat.data.datasets.repeated_ids import without_repeats
from lssat.data.media import archive
from lssat.grid.releases import RELEASES
from lssat.tables import (
    MANIFEST,
    REJECTS,
    DataError,
    check_groups,
    check_rejects,
    digest,
    reject,
    spelling,
    together,
    write_table,
)
from lssat.tables.listed_counts import count, header
from lssat.tables.rows import RejectRow, SampleRow
from lssat.tables.s3_addresses import place


def reader(dataset: str) -> Any:
    """Return the module that reads a release; docs/add-a-data-set.md says what is in it."""
    return import_module(f"lssat.data.datasets.{dataset}")


def whole(dataset: str, options: params.Dataset, rows: list[SampleRow]) -> int:
    """Return how many samples the complete release has; 0 where a part is as good."""
    count = getattr(reader(dataset), "whole", None) if dataset in RELEASES else None
    return count(options, rows) if count else 0


def manifest(
    dataset: str, options: params.Dataset, out: Path, rejects: Path, kept: Path | None = None
) -> None:
    """Read a raw tree and write its manifest and rejects, both sorted by id.

    Args:
        dataset: of `grid.releases.RELEASES`, or the name of a data set of your own.
        options: the data set's section of params.yaml.
        out: path of the table of schema MANIFEST; its header says what the task is, and how
            many samples the lists name (`lssat.tables.listed_counts`).
        rejects: path of the table of schema REJECTS.
        kept: where the rejects are written as well if there are too many: Snakemake removes
            what a failed step was to write.

    Raises:
        DataError: the root or a list is absent or wrong, one id has two labels, somebody stands
            in two splits, a list was cut, or more samples were rejected than `rejects_limit`
            allows (both tables are then written). With `partial` absent files are rejected, and
            do not count.
    """
    if lost := write(dataset, options, out, rejects, kept):
        raise lost


def write(
    dataset: str,
    options: params.Dataset,
    out: Path,
    rejects: Path,
    kept: Path | None = None,
    memory: Path | None = None,
) -> DataError | None:
    """Write both tables as `manifest` does; return the error of cut lists or too many rejects.

    With `memory` (`tables.digest`) the manifest's header also holds the digest of the samples'
    files: what is made of their pixels is then stale when these change and no list does.
    """
    rows, absent = listed(dataset, options)
    groups, splits = [row["groups"] for row in rows], [row["split"] for row in rows]
    check_groups(groups, splits, place(options.root))
    few = limit(rows, options.limit)
    if len(few) < len(rows):
        counts = f"{len(few):,} of {len(rows):,} samples are used"
        print(f"warning: datasets.{dataset}.limit: {counts}; it is a trial", file=sys.stderr)
    readable_rows, unreadable = readable(few, place(options.root))
    rejected = sorted([*absent, *unreadable], key=lambda row: (row["id"], row["path"]))
    described = task(dataset, options)
    left_out = own.left_out(dataset, options) if isinstance(options, params.Own) else []
    for doubt in [*checks.doubts(options, rows, described.classes), *left_out]:
        print(f"warning: datasets.{dataset}: {doubt}", file=sys.stderr)
    with together():
        heads = described.header() | header(count(rows, absent))
        if memory is not None:
            heads["files"] = _digest(options, readable_rows, memory)
        write_table(out, readable_rows, MANIFEST, heads)
        write_table(rejects, [_plain(row) for row in rejected], REJECTS)
    lost = [_plain(row) for row in rejected if row["reason"] not in no_loss(options)]
    try:
        _stop(lost, len(readable_rows) + len(lost), options.rejects_limit, rejects, kept)
        checks.check_whole(dataset, whole(dataset, options, rows), options, rows, absent)
    except DataError as error:
        missing = checks.missing(lost)
        return DataError(error.file, error.problem, error.fix + _part(dataset, missing))
    return None


def _digest(options: params.Dataset, rows: list[SampleRow], memory: Path) -> str:
    root = place(options.root)
    files = {str(archive.file_of(row["path"], root)) for row in rows if row["media"] != "frames"}
    folders = {row["path"] for row in rows if row["media"] == "frames"}
    return digest.of_files(options.root, files, folders, memory)


def no_loss(options: params.Dataset) -> tuple[str, ...]:
    """Return the reasons of rejects that are no losses; in a part, absent files are none."""
    return (*checks.NO_LOSS, "missing") if options.partial else checks.NO_LOSS


def _plain(row: RejectRow) -> RejectRow:
    """Return a row of the table of rejects, without what only counts need."""
    where = row["dataset"], row["id"], row["path"], row["step"]
    return reject(*where, row["reason"], row["detail"])


def _part(dataset: str, missing: int) -> str:
    """Say what to do if the absent files were never there."""
    if not missing:
        return ""
    many = "1 listed file is" if missing == 1 else f"{missing:,} listed files are"
    key = f"datasets.{dataset}.partial: true"
    return f". {many} absent: if a part is all that you have, write {key}"


def _stop(
    lost: list[RejectRow], total: int, limit: float, rejects: Path, kept: Path | None
) -> None:
    try:
        check_rejects("manifest", len(lost), total, limit, kept or rejects, lost)
    except DataError:
        if kept is not None:
            write_table(kept, lost, REJECTS)
        raise
    if kept is not None:
        kept.unlink(missing_ok=True)


def listed(dataset: str, options: params.Dataset) -> tree.Reading:
    """Read a raw tree: rows of the samples that exist, sorted by id, and rejects.

    The reject of a missing file names the file that was probably meant.

    Raises:
        DataError: as of `manifest`.
    """
    own_read: Any = partial(own.read, dataset)
    read = reader(dataset).read if dataset in RELEASES else own_read
    read_rows, absent = read(options)
    rows, doubles = without_repeats(read_rows, place(options.root))
    _meant(absent, {row["path"] for row in rows}, place(options.root))
    return rows, absent + doubles


def readable(rows: list[SampleRow], root: Path) -> tree.Reading:
    """Separate rows whose file can be read, by its first bytes, from rejects.

    Raises:
        DataError: a file may not be read (permission).
    """
    files = {row["path"]: row["media"] for row in rows if row["media"] != "frames"}
    faults = dict(media.faults(root, files))
    for row in rows:
        if row["media"] == "frames" and (problem := _without_frames(root / row["path"])):
            faults[row["path"]] = problem
    rejects = [
        reject(row["dataset"], row["id"], row["path"], "manifest", fault.reason, fault.detail)
        | {"labels": row["labels"], "split": row["split"], "subset": row["subset"]}
        for row in rows
        if (fault := faults.get(row["path"]))
    ]
    return [row for row in rows if row["path"] not in faults], rejects


def _without_frames(folder: Path) -> media.Fault | None:
    try:
        found = media.frames_in(folder)
    except media.Unreadable as error:
        return media.Fault(error.reason, error.detail, b"")
    return None if found else media.Fault("no_frames", "holds no image", b"")


def _meant(rejects: list[RejectRow], taken: set[str], root: Path) -> None:
    """Add to the detail of each missing sample the file that is there instead."""
    places: dict[str, list[RejectRow]] = defaultdict(list)
    for row in rejects:
        if row["reason"] == "missing":
            file = str(archive.file_of(row["path"], root))
            inside = file != row["path"] and (root / file).is_file()
            places[file if inside else ""].append(row)
    for file, rows in places.items():
        before = f"{file}{archive.BETWEEN}" if file else ""
        paths = [before + name for name in archive.names(root / file)] if file else None
        there = spelling.Spellings(root, paths)
        for row in rows:
            if near := there.near(row["path"], taken):
                row["detail"] = f"{row['detail']}; is it {near}?".lstrip("; ")


def task(dataset: str, options: params.Dataset) -> grid.Task:
    """Return the task of a data set: its kind, headline metric and classes."""
    if isinstance(options, params.Own):
        return own.task(dataset, options)
    known = RELEASES[dataset].task
    return known._replace(classes=known.classes[: getattr(options, "classes", None)])
