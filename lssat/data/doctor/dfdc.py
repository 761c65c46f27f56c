"""DFDC before its reader: the labels of each part on their own."""

from pathlib import Path
from typing import Any

from lssat.data.datasets import dfdc
from lssat.data.doctor.findings import Inventory, Parts, Seen
from lssat.data.doctor.walk import Tree


def look(options: Any, tree: Tree, inventory: Inventory) -> Seen:
    """Look for the videos of each part whose labels can be read."""
    seen = Seen()
    for labels in inventory.attempt(dfdc._parts, tree.root) or ():
        inventory.attempt(_part, labels, tree, seen)
    return seen


def _part(labels: Path, tree: Tree, seen: Seen) -> None:
    folder = labels.parent.relative_to(tree.root).as_posix().removeprefix(".")
    inner = f"{folder}/videos".lstrip("/")
    folder = inner if inner in tree else folder
    for name, _, _ in dfdc._videos(labels):
        path = f"{folder}/{name}".lstrip("/")
        seen.see(path, "", "test", path in tree)


def official_parts(options: Any, tree: Tree) -> Parts:
    """Return the size of the public test set; a training part may be tested on as well."""
    return {("", "test"): dfdc.whole(options, [])}
