"""`lssat doctor`: what is in a raw tree, beside the official counts, before anything runs.

The readers stop at the first problem; the doctor goes on and gathers. It reads each list on its
own, calls the reader for what the lists name and the tree holds, and reads the first bytes of
every file (with `deep`, decodes every sample).
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from rich.console import Console

from lssat import datasets, params
from lssat.doctor import affectnet, celeba, celebdf, compare, dfd, dfdc, ffpp, heads, own, show
from lssat.doctor import deep as decode
from lssat.doctor.findings import Inventory
from lssat.doctor.walk import Tree, walk
from lssat.tables import DataError

RELEASES: dict[str, ModuleType] = {
    "ffpp": ffpp,
    "celeba": celeba,
    "affectnet": affectnet,
    "celebdf": celebdf,
    "dfdc": dfdc,
    "dfd": dfd,
}

__all__ = ["RELEASES", "Inventory", "inspect", "run", "stand_in"]


def stand_in(dataset: str, root: Path) -> Any:
    """Return options for a tree that no params.yaml describes: everything that is there."""
    model = get_args(params.Datasets.model_fields[dataset].annotation)[0]
    rest = {"compression": "c23", "methods": [], "classes": 8}
    given = {name: value for name, value in rest.items() if name in model.model_fields}
    return model.model_construct(root=str(root), shards=1, rejects_limit=1.0, **given)


def run(dataset: str | None, root: Path | None, source: str, json_: str | None, deep: bool) -> int:
    """Inspect one tree or those of a params.yaml, print, and return the exit code.

    Args:
        dataset, root: one tree, without a params.yaml; `root` alone is not understood.
        source: path of a params.yaml.
        json_: file to write; `-`: standard output, in place of the tables.
    """
    if root is not None and dataset not in RELEASES:
        what = f"unknown data set {dataset!r}" if dataset else "--root needs a data set"
        print(f"doctor: {what}. Name one of {', '.join(RELEASES)}.", file=sys.stderr)
        return 2
    asked = root is None
    if root is not None:
        chosen = [(str(dataset), stand_in(str(dataset), root))]
    else:
        chosen = _asked(source, dataset)
        if not chosen:
            print(f"doctor: {source} has no section datasets.{dataset}.", file=sys.stderr)
            return 2
    inventories = []
    for name, each in chosen:
        with Console(stderr=True).status(f"{name}: looking at {each.root}"):
            inventories.append(inspect(name, each, asked, deep))
    if json_ == "-":
        print(json.dumps(show.as_json(inventories), indent=1))
    else:
        show.show(inventories, Console())
    if json_ not in (None, "-"):
        show.write(inventories, Path(str(json_)))
    return show.exit_code(inventories)


def _asked(source: str, dataset: str | None) -> list[tuple[str, Any]]:
    sections = dict(params.load(source).datasets)
    chosen = {name: each for name, each in sections.items() if each}
    return [(name, each) for name, each in chosen.items() if dataset in (None, name)]


def inspect(dataset: str, options: Any, asked: bool = True, deep: bool = False) -> Inventory:
    """Inspect one tree.

    Args:
        dataset: a key of `RELEASES`, or a data set of your own.
        options: its section of params.yaml, or `stand_in`.
        asked: the options come from a params.yaml, so that what they name must be there.
        deep: decode every sample in full.

    Returns:
        Counts and findings; a tree with problems is no exception.
    """
    root = Path(options.root)
    inventory = Inventory(dataset, str(root), deep)
    if not root.is_dir():
        fix = f"Set datasets.{dataset}.root in params.yaml, or give --root"
        inventory.add("error", str(root), "is not a folder", fix)
        return inventory
    tree = walk(root, inventory)
    release = RELEASES.get(dataset, own)
    lists = [path for path in tree.paths() if release.is_list(path.rpartition("/")[2])]
    heads.scan(root, lists, None, inventory)
    used, refused = _read(release, options, asked, tree, inventory)
    rest = set(tree.paths()) - set(lists)
    heads.scan(root, sorted(rest), None if refused else used, inventory)
    for error in refused:
        inventory.refused(error)
    if deep:
        decode.decode_all(root, sorted(used), inventory)
    return inventory


def _read(
    release: ModuleType, options: Any, asked: bool, tree: Tree, inventory: Inventory
) -> tuple[set[str], list[DataError]]:
    """Count each part, by the reader or, where it refuses, by names alone.

    Returns:
        The files of the samples that were found, and what the reader refused.
    """
    rows: list[dict] = []
    rejects: list[dict] = []
    refused: list[DataError] = []
    short = False
    for name, reading in release.readings(options, asked, tree, inventory):
        seen = release.look(reading, tree, inventory)
        try:
            read, lost = _reader(inventory.dataset)(reading)
            read, doubles = datasets._once(read, tree.root)
            lost += doubles
        except DataError as error:
            refused.append(error)
            read, lost = seen.rows, seen.rejects
        table = compare.counts(name, read, lost, seen.listed, release.official_parts(reading, tree))
        inventory.counts += table
        short |= compare.part_of_release(table, inventory)
        wanted = not asked or name in ("", _compression(options))
        compare.losses(lost, "error" if wanted else "note", inventory)
        compare.identities(read, inventory)
        rows, rejects = rows + read, rejects + lost
    # Where a list is faulty, what it would have named is not extra.
    if not refused and not getattr(release, "SELECTS", False):
        compare.extras(rows, rejects, short, tree, inventory)
    return _files(rows, tree, inventory), refused


def _compression(options: Any) -> str:
    return datasets.ffpp.spelling(getattr(options, "compression", ""))


def _reader(dataset: str) -> Callable:
    return datasets.READERS.get(dataset, partial(datasets.own.read, dataset))


def _files(rows: list[dict], tree: Tree, inventory: Inventory) -> set[str]:
    """Return the files of samples; a sample of extracted frames is a folder of them."""
    files, empty = set(), []
    for path in (row["path"] for row in rows):
        folder, _, name = path.rpartition("/")
        if name not in tree.folders[folder]:
            files.add(path)
        elif frames := tree.files[path]:
            files |= {f"{path}/{frame}" for frame in frames}
        else:
            empty.append(path)
    if empty:
        problem = f"folders of extracted frames that hold none: {len(empty):,}"
        inventory.add("error", ".", problem, "Extract them again", empty)
    return files
