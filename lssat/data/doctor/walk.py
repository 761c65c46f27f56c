"""One pass over a tree: names of all files and folders, and what cannot be entered."""

import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lssat.data.doctor.findings import Inventory, by_folder
from lssat.tables import links


@dataclass
class Tree:
    """The names below a root, by folder; folders are relative to it, "" is the root itself."""

    root: Path
    leaving: list[str] = field(default_factory=list)  # links that lead out of the root
    nowhere: list[str] = field(default_factory=list)  # links that lead to nothing
    closed: dict[str, str] = field(default_factory=dict)  # folders that cannot be entered, why
    files: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    folders: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __contains__(self, path: str) -> bool:
        """Say whether a file or folder is there."""
        folder, _, name = path.rpartition("/")
        return name in self.files[folder] or name in self.folders[folder]

    def paths(self) -> list[str]:
        """Return every file, relative to the root, sorted."""
        return sorted(f"{folder}/{name}".lstrip("/") for folder in self.files
                      for name in self.files[folder])  # fmt: skip


def walk(root: Path, inventory: Inventory) -> Tree:
    """List a tree, without a look into any file.

    Links to folders within the root are followed, each once and none to a folder that it lies in.
    """
    tree = Tree(root)
    todo, seen = [""], set()
    while todo:
        folder = todo.pop()
        base = os.path.join(root, folder)
        try:
            with os.scandir(base) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}".lstrip("/")
                    link = os.path.realpath(entry.path) if entry.is_symlink() else ""
                    if link and links.out(link, root):
                        (tree.leaving if os.path.exists(link) else tree.nowhere).append(path)
                    elif link and not os.path.exists(link):
                        tree.nowhere.append(path)
                    elif not entry.is_dir():
                        tree.files[folder].add(entry.name)
                    elif not link or not (link in seen or links.loops(entry.path)):
                        seen.add(link)
                        tree.folders[folder].add(entry.name)
                        todo.append(path)
        except OSError as error:
            owner = os.stat(base).st_uid
            tree.closed[folder or "."] = f"{error.strerror}; owner: uid {owner}"
    inventory.files = sum(map(len, tree.files.values()))
    return tree


def trouble(tree: Tree, used: Callable[[str], bool], inventory: Inventory) -> None:
    """Record the links and folders that cannot be followed: errors where they are used.

    Args:
        used: whether the reader needs a path, or may need it.
    """
    for folder, why in tree.closed.items():
        severity = "error" if used(folder) else "warning"
        fix = "Ask the owner for permission to read it"
        inventory.add(severity, folder, f"cannot be read ({why})", fix)
    get = "Fetch the files that they stand for (git-annex and DataLad: `get`)"
    for paths, what, fix in (
        (tree.leaving, "links that leave the data root", "Put the files themselves there"),
        (tree.nowhere, "links that lead to nothing", get),
    ):
        for severity in ("error", "warning"):
            alike = [path for path in paths if used(path) == (severity == "error")]
            for folder, names in by_folder(alike).items():
                inventory.add(severity, folder or ".", f"{what}: {len(names):,}", fix, names)
