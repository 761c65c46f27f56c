"""Celeb-DF v2 before its reader: all videos of each folder, and those of the list for tests."""

from typing import Any

from lssat.data.datasets import celebdf, lists
from lssat.data.datasets import tree as raw
from lssat.data.doctor.findings import Count, Inventory, Seen
from lssat.data.doctor.walk import Tree

SELECTS = True  # the list names some of the videos: the others are not extra


def look(options: Any, tree: Tree, inventory: Inventory) -> Seen:
    """Count the videos of each folder, and look for those of the list."""
    for folder, n in celebdf.VIDEOS.items():
        videos = sum(name.endswith(".mp4") for name in tree.files[folder])
        inventory.counts.append(Count(f"all of {folder}", "", n, None, videos))
    seen = Seen()
    inventory.attempt(_listed, tree, seen)
    return seen


def _listed(tree: Tree, seen: Seen) -> None:
    path = raw.find(tree.root, celebdf.LIST, ("",), "celebdf", "the official list of tests")
    for _, (_, video) in lists.fields(path, celebdf._ROW):
        folder = video.partition("/")[0]
        seen.see(video, folder, "test", video in tree)
