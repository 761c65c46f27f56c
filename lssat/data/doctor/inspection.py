"""`lssat doctor`: the content of a raw tree beside the official counts, before anything runs.

The readers stop at the first problem; the doctor goes on and gathers. It reads each list on its
own, calls the reader for what the lists name and the tree holds, and reads the first bytes of
every file (with `deep`, decodes every sample).
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from lssat import params
from lssat.data import datasets, media, preflight
from lssat.data.datasets import genuine_lists
from lssat.data.doctor import decode_all as decode
from lssat.data.doctor import first_bytes, official, terminal
from lssat.data.doctor.by_reader import ByReader
from lssat.data.doctor.findings import Inventory
from lssat.data.doctor.walk import Tree, trouble, walk
from lssat.data.faces.sample import plan_of
from lssat.data.media.system_files import hidden
from lssat.data.media.video import IMAGES
from lssat.data.splits import requirements
from lssat.grid.releases import RELEASES
from lssat.tables import DataError, s3, s3_addresses, write_json
from lssat.tables.rows import RejectRow, SampleRow


def stand_in(dataset: str, root: str | Path) -> params.Dataset:
    """Return options for a tree without a params.yaml: everything that is there."""
    given: dict[str, Any] = RELEASES[dataset].bare
    model = params.SECTIONS[dataset]
    return model.model_construct(root=str(root), shards=1, rejects_limit=1.0, **given)


def run(
    dataset: str | None, root: str | Path | None, source: str, json_: str | None, deep: bool
) -> int:
    """Inspect one tree or those of a params.yaml, print, and return the exit code.

    Args:
        dataset, root: one tree, without a params.yaml; `root` needs `dataset`.
        source: path of a params.yaml.
        json_: file to write; `-`: standard output, in place of the tables.
    """
    if root is not None and dataset not in RELEASES:
        what = f"unknown data set {dataset!r}" if dataset else "--root needs a data set"
        print(f"doctor: {what}. Name one of {', '.join(RELEASES)}.", file=sys.stderr)
        return 2
    experiment, problems = (None, list[str]()) if root is not None else preflight.problems(source)
    if root is not None:
        chosen = [(str(dataset), stand_in(str(dataset), root))]
    elif experiment is None:
        raise DataError.of(source, problems)
    else:
        chosen = [
            (name, options)
            for name, options in experiment.datasets
            if options and dataset in (None, name)
        ]
        if not chosen:
            print(f"doctor: {source} has no section datasets.{dataset}.", file=sys.stderr)
            return 2
    inventories, lacking = [], requirements.of(experiment)
    for name, options in chosen:
        with Console(stderr=True).status(f"{name}: looking at {options.root}"):
            inventories.append(inspect(name, options, root is None, deep, lacking))
    content = terminal.as_json(inventories, problems)
    if json_ == "-":
        print(json.dumps(content, indent=1))
    else:
        terminal.show(inventories, Console())
    if problems:  # last, where they are seen
        print(DataError.of(source, problems), file=sys.stderr)
    if json_ not in (None, "-"):
        write_json(Path(str(json_)), content, sealed=False)
    return content["exit_code"]


def inspect(
    dataset: str,
    options: params.Dataset,
    configured: bool = True,
    deep: bool = False,
    lacking: Callable | None = None,
) -> Inventory:
    """Inspect one tree.

    Args:
        dataset: of `grid.releases.RELEASES`, or a data set of your own.
        options: its section of params.yaml, or `stand_in`.
        configured: the options come from a params.yaml, so everything they name must exist.
        deep: decode every sample in full.
        lacking: says whether splits and batches can be filled (`splits.requirements.of`).

    Returns:
        Counts and findings; a tree with problems is no exception.
    """
    shown = options.root if s3_addresses.away(options.root) else str(Path(options.root))
    inventory = Inventory(dataset, shown, deep)
    try:
        root = s3.outline(options.root)
    except DataError as refusal:
        inventory.add("error", refusal.file, refusal.problem, refusal.fix)
        return inventory
    if not root.is_dir():
        fix = f"Set datasets.{dataset}.root in params.yaml, or give --root"
        inventory.add("error", str(root), "is not a folder", fix)
        return inventory
    inventory.own = dataset not in RELEASES
    tree = walk(root, inventory)
    release = ByReader(dataset)
    lists = {path: kind for path, kind in _kinds(tree) if release.is_list(path.split("/")[-1])}
    bad = first_bytes.look(root, lists, inventory)
    inventory.faulty |= {wrong.path for wrong in bad}  # reported once, below
    with genuine_lists.recording() as opened:
        seen = _read(release, options, configured, tree, inventory)
    opened_here = {inventory.relative(path) for path in opened}
    first_bytes.tell(bad, lambda path: path in opened_here, inventory)
    beside = {p: kind for p, kind in _kinds(tree) if p not in lists and release.beside(kind)}
    limit = options.rejects_limit if configured else -1.0  # of a bare folder nothing may be lost
    plan = plan_of(options) if configured else media.Plan()
    unread = _samples(tree, beside, seen, limit, options.partial, plan, inventory)
    for reading in () if seen.refused else seen.wanted:
        official.needs(*reading, unread, lacking, inventory)
    for error in seen.refused:
        inventory.refused(error)
    return inventory


def _samples(
    tree: Tree,
    beside: dict[str, str],
    seen: "_Read",
    limit: float,
    partial: bool,
    plan: media.Plan,
    inventory: Inventory,
) -> set[str]:
    """Look into the files of samples, and into those beside them; with `deep`, decode them.

    What is lost is an error where it is more than the share `limit`, else a warning.

    Returns:
        the paths of what cannot be read.
    """
    used, refused = _files(seen.rows, tree), bool(seen.refused)
    trouble(tree, lambda path: refused or path in used, inventory)
    gone = {*tree.nowhere, *tree.leaving}
    there = {path: kind for path, kind in used.items() if path not in gone}
    bad = first_bytes.look(tree.root, beside | there, inventory)
    lost = seen.lost + len(seen.empty) + sum(wrong.path in used for wrong in bad)
    over = lost > limit * seen.total
    first_bytes.tell(bad, lambda path: refused or (over and path in used), inventory)
    _losses(seen, over, partial, inventory)
    named = {wrong.path for wrong in bad}
    unread = {*named, *gone, *seen.empty}
    if inventory.deep:
        boxes = {row["path"]: row["box"] for row in seen.rows}
        rest = {
            path: decode.Wanted(kind, plan, boxes.get(path, []))
            for path, kind in there.items()
            if path not in named
        }
        unread |= decode.decode_all(
            tree.root, rest, lambda n: lost + n > limit * seen.total, inventory
        )
    return unread


def _kinds(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield the files with a known suffix, and the kind that it stands for."""
    for path in tree.paths():
        if (kind := first_bytes.kind_of(path)) is not None:
            yield path, kind


@dataclass
class _Read:
    """Samples of all readings of a tree, found by the reader or by their names."""

    rows: list[SampleRow] = field(default_factory=list)
    rejects: list[tuple[list[RejectRow], bool]] = field(default_factory=list)  # and: in use?
    refused: list[DataError] = field(default_factory=list)
    # options, rows and rejects of each reading that is in use
    wanted: list[tuple[params.Dataset, list[SampleRow], list[RejectRow]]] = field(
        default_factory=list
    )
    empty: list[str] = field(default_factory=list)  # folders of frames that hold none
    lost: int = 0  # of the samples that params.yaml uses
    total: int = 0


def _read(
    release: ByReader,
    options: params.Dataset,
    configured: bool,
    tree: Tree,
    inventory: Inventory,
) -> _Read:
    """Count each part by the reader; by names alone where the reader refuses."""
    result, short = _Read(), False
    for name, wanted, reading in release.readings(options, configured, tree, inventory):
        by_name = release.look(reading, tree, inventory)
        try:
            read, lost = datasets.listed(inventory.dataset, reading)
            for doubt in _doubts(inventory.dataset, reading, read):
                inventory.add("warning", ".", doubt, "Write them alike, if they are the same")
            if isinstance(reading, params.Own) and reading.kind == "multilabel":
                for more in datasets.own.left_out(inventory.dataset, reading):
                    inventory.add("note", ".", more, "Nothing to do")
        except DataError as error:
            result.refused.append(error)
            read, lost = by_name.rows, by_name.rejects
        table = official.counts(
            name, read, lost, by_name.listed(), release.official_parts(reading, tree)
        )
        inventory.counts += table
        official.part_of_release(table, inventory)
        whole = datasets.whole(inventory.dataset, reading, read)
        short |= not result.refused and datasets.checks.short(whole, reading, read, lost)
        result.rejects.append((lost, wanted))
        official.identities(read, inventory)
        if wanted:
            no_loss = datasets.no_loss(options)
            n_lost = sum(row["reason"] not in no_loss for row in lost)
            result.lost, result.total = result.lost + n_lost, result.total + len(read) + n_lost
            result.wanted.append((reading, read, lost))
        result.rows += read
    # Where a list is faulty, what it would have named is not extra.
    if not result.refused and not getattr(release, "SELECTS", False):
        rejects = [row for lost, _ in result.rejects for row in lost]
        official.extras(result.rows, rejects, short, tree.root, inventory)
    result.empty = [
        row["path"]
        for row in result.rows
        if _is_folder(row, tree) and not _frames(row["path"], tree)
    ]
    return result


def _doubts(dataset: str, options: params.Dataset, rows: list[SampleRow]) -> list[str]:
    classes = datasets.task(dataset, options).classes if dataset not in RELEASES else ()
    return datasets.checks.doubts(options, rows, classes)


def _losses(seen: _Read, over: bool, partial: bool, inventory: Inventory) -> None:
    """Record the reader's rejects: errors where they are more than may be lost."""
    for rejects, wanted in seen.rejects:
        level = "note" if not wanted else "error" if over else "warning"
        official.losses(rejects, level, partial, inventory)
    if seen.empty:
        problem = f"folders of extracted frames that hold none: {len(seen.empty):,}"
        level = "error" if over else "warning"
        inventory.add(level, ".", problem, "Extract them again", seen.empty)


def _files(rows: list[SampleRow], tree: Tree) -> dict[str, str]:
    """Return what each file of a sample must be; a sample of frames is a folder of images."""
    files: dict[str, str] = {}
    for row in rows:
        if _is_folder(row, tree):
            files |= dict.fromkeys(_frames(row["path"], tree), "image")
        else:
            files[row["path"]] = row["media"]
    return files


def _is_folder(row: SampleRow, tree: Tree) -> bool:
    folder, _, name = row["path"].rpartition("/")
    return name in tree.folders[folder]


def _frames(path: str, tree: Tree) -> list[str]:
    suffixes = ((name, os.path.splitext(name)[1].lower()) for name in tree.files[path])
    return [f"{path}/{name}" for name, end in suffixes if end in IMAGES and not hidden(name)]
