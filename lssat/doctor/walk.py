"""One pass over a tree: names of all files and folders, and what cannot be entered."""

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from lssat.doctor.findings import Inventory, by_folder


@dataclass
class Tree:
    """The names below a root, by folder; folders are relative to it, "" is the root itself."""

    root: Path
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

    Links to folders are followed, each folder once. Links of files that leave the root or lead
    to nothing, and folders that cannot be entered, become errors of the inventory.
    """
    tree = Tree(root)
    todo, seen = [""], {os.path.realpath(root)}
    leaving: list[str] = []
    nowhere: list[str] = []
    while todo:
        folder = todo.pop()
        base = os.path.join(root, folder)
        inside = (os.path.realpath(root) + os.sep, os.path.realpath(base) + os.sep)
        try:
            with os.scandir(base) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}".lstrip("/")
                    link = os.path.realpath(entry.path) if entry.is_symlink() else ""
                    if link and not os.path.exists(link):
                        nowhere.append(path)
                    elif entry.is_dir():
                        if not link or link not in seen:
                            seen.add(link)
                            tree.folders[folder].add(entry.name)
                            todo.append(path)
                    elif link and not link.startswith(inside):
                        leaving.append(path)
                    else:
                        tree.files[folder].add(entry.name)
        except OSError as error:
            owner = os.stat(base).st_uid
            problem = f"cannot be read ({error.strerror}; owner: uid {owner})"
            inventory.add(
                "error", folder or ".", problem, "Ask the owner for permission to read it"
            )
    for folder, names in by_folder(leaving).items():
        problem = f"links that leave the data root: {len(names):,}"
        inventory.add("error", folder or ".", problem, "Put the files themselves there", names)
    for folder, names in by_folder(nowhere).items():
        problem = f"links that lead to nothing: {len(names):,}"
        fix = "Fetch the files that they stand for (git-annex and DataLad: `get`)"
        inventory.add("error", folder or ".", problem, fix, names)
    inventory.files = sum(map(len, tree.files.values()))
    return tree
