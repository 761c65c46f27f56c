"""AffectNet before its reader, in each of its layouts."""

from typing import Any

from lssat.data.datasets import affectnet
from lssat.data.datasets.affectnet import csvs, npy
from lssat.data.doctor.findings import Inventory, Parts, Seen
from lssat.data.doctor.walk import Tree


def is_list(name: str) -> bool:
    """Say whether a file holds labels."""
    return name.endswith(npy.SUFFIX) or name in csvs.FILES.values()


def look(options: Any, tree: Tree, inventory: Inventory) -> Seen:
    """Go through the samples of the layout, as far as its lists can be read."""
    layout = inventory.attempt(affectnet.layout, tree.root, options.layout)
    seen = Seen()
    if layout == "npy":
        inventory.attempt(_pairs, tree, seen)
    elif layout is not None:
        inventory.attempt(_samples, layout, tree, seen)
    return seen


def _samples(layout: str, tree: Tree, seen: Seen) -> None:
    _, samples = affectnet.LAYOUTS[layout]
    for sample in samples(tree.root):
        seen.see(sample.path, "", sample.split, not sample.absent, sample.absent)


def _pairs(tree: Tree, seen: Seen) -> None:
    """Pair images and annotations by name: none of the annotations is read."""
    for split in ("train", "val"):
        folder = f"{split}_set/images"
        images = npy.stems(tree.files[folder], ".jpg")
        codes = npy.stems(tree.files[f"{split}_set/annotations"], npy.SUFFIX)
        for name in sorted(images | codes):
            lacking = "no image" if name in codes else f"no annotation {name}{npy.SUFFIX}"
            there = name in images and name in codes
            seen.see(f"{folder}/{name}.jpg", "", split, there, lacking)


def official_parts(options: Any, tree: Tree) -> Parts:
    """Return the official counts of the requested classes."""
    packed = any(f"{split}_set" in tree.folders[""] for split in ("train", "val"))
    return affectnet.official(options.classes, affectnet.NPY if packed else affectnet.CSV)
