"""CelebA before its reader: each of the three lists on its own, and against each other."""

from pathlib import Path
from typing import Any

from lssat.data.datasets import celeba
from lssat.data.doctor.findings import Count, Inventory, Parts, Seen
from lssat.data.doctor.walk import Tree
from lssat.data.media import archive

LISTS = ("list_attr_celeba.txt", "list_eval_partition.txt", "identity_CelebA.txt")
_WHAT = ("attributes", "partition", "identity")


def is_list(name: str) -> bool:
    """Say whether a file is one of the release's lists, or the archive of all images."""
    return name in LISTS or name == "img_align_celeba.zip"


def look(options: Any, tree: Tree, inventory: Inventory) -> Seen:
    """Read each list on its own, compare them, and look for the images that they name."""
    read = {
        what: inventory.attempt(_names, tree, name, what)
        for name, what in zip(LISTS, _WHAT, strict=True)
    }
    good = {what: rows for what, rows in read.items() if rows is not None}
    _compare(good, inventory)
    if "identity" in good:
        persons = len(set(good["identity"].values()))
        inventory.counts.append(Count("identities", "", celeba.IDENTITIES, persons, None))
    splits = good.get("partition", {})
    images = inventory.attempt(celeba._images, tree.root)
    if images is not None and archive.is_member(images[0]):
        zip_ = archive.file_of(images[0]).as_posix()
        problem = "of its members only the names are looked at"
        inventory.add("note", zip_, problem, "Use --deep to decode them")
    seen = Seen()
    for name in dict.fromkeys(name for rows in good.values() for name in rows):
        split = celeba.SPLITS.get(splits.get(name, ""), "")
        if images is not None:
            prefix, suffix, there = images
            file = name.removesuffix(".jpg") + suffix if suffix else name
            seen.see(prefix + file, "", split, file in there)
    return seen


def _names(tree: Tree, name: str, what: str) -> dict[str, str]:
    """Return the rows of a list: file name -> value ("" for attributes)."""
    folder = "Eval" if what == "partition" else "Anno"
    path = celeba._list(tree.root, name, folder, f"the official list of {what}")
    if what == "attributes":
        return {file: "" for _, file, _ in celeba._attributes(path)}
    rows = celeba._pairs(path, what)
    if what == "partition":
        for file, code in rows.items():
            celeba._split(path, file, code)
    return rows


def _compare(lists: dict[str, dict[str, str]], inventory: Inventory) -> None:
    names = dict(zip(_WHAT, LISTS, strict=True))
    total = len(set().union(*lists.values()))
    for path, lacking in celeba.disagreements({Path(names[what]): lists[what] for what in lists}):
        name = path.name
        inventory.add("error", name, celeba.lacks(len(lacking), total), celeba.AGAIN, lacking)
        inventory.faulty |= {name, f"Anno/{name}", f"Eval/{name}"}


def official_parts(options: Any, tree: Tree) -> Parts:
    """Return the official partition."""
    return {("", split): n for split, n in celeba.IMAGES.items()}
