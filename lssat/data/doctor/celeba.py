"""CelebA before its reader: each of the three lists on its own, and against each other."""

from pathlib import Path
from typing import Any

from lssat.data.datasets import celeba
from lssat.data.doctor.findings import Count, Inventory, Parts, Seen
from lssat.data.doctor.walk import Tree
from lssat.data.media import archive

LISTS = {
    "attributes": "list_attr_celeba.txt",
    "partition": "list_eval_partition.txt",
    "identity": "identity_CelebA.txt",
}


def is_list(name: str) -> bool:
    """Say whether a file is one of the release's lists, or the archive of all images."""
    return name in (*LISTS.values(), "img_align_celeba.zip")


def look(options: Any, tree: Tree, inventory: Inventory) -> Seen:
    """Read each list on its own, compare them, and look for the images that they name."""
    values = {content: inventory.attempt(_values, tree, content) for content in LISTS}
    good = {content: of for content, of in values.items() if of is not None}
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
    for name in dict.fromkeys(name for of in good.values() for name in of):
        split = celeba.SPLITS.get(splits.get(name, ""), "")
        if images is not None:
            prefix, suffix, there = images
            file = name.removesuffix(".jpg") + suffix if suffix else name
            seen.see(prefix + file, "", split, file in there)
    return seen


def _values(tree: Tree, content: str) -> dict[str, str]:
    """Return the value of each file that a list names ("" for attributes)."""
    folder = "Eval" if content == "partition" else "Anno"
    path = celeba._list(tree.root, LISTS[content], folder, f"the official list of {content}")
    if content == "attributes":
        return {file: "" for _, file, _ in celeba._attributes(path)}
    values = celeba._pairs(path, content)
    if content == "partition":
        for file, code in values.items():
            celeba._split(path, file, code)
    return values


def _compare(lists: dict[str, dict[str, str]], inventory: Inventory) -> None:
    total = len(set().union(*lists.values()))
    by_path = {Path(LISTS[content]): files for content, files in lists.items()}
    for path, lacking in celeba.disagreements(by_path):
        name = path.name
        inventory.add("error", name, celeba.lacks(len(lacking), total), celeba.AGAIN, lacking)
        inventory.faulty |= {name, f"Anno/{name}", f"Eval/{name}"}


def official_parts(options: Any, tree: Tree) -> Parts:
    """Return the official partition."""
    return {("", split): n for split, n in celeba.IMAGES.items()}
