"""DeepFakeDetection before its reader: each compression; no official list names its videos."""

from collections.abc import Iterator
from typing import Any

from lssat.data.datasets import dfd, ffpp
from lssat.data.doctor.findings import Inventory, Parts, Seen
from lssat.data.doctor.official import beside
from lssat.data.doctor.walk import Tree

__all__ = ["beside", "is_list", "look", "official_parts", "readings"]


def is_list(name: str) -> bool:
    """Say that no file is a list."""
    return False


def readings(
    options: Any, configured: bool, tree: Tree, inventory: Inventory
) -> Iterator[tuple[str, bool, Any]]:
    """Yield options for the requested compression, or for each that is there."""
    folders = tree.folders["original_sequences/actors"]
    there = sorted({ffpp.spelling(name) for name in folders} & {"raw", "c23", "c40"})
    wanted = ffpp.spelling(options.compression)
    for compression in [wanted] if configured or not there else there:
        asked = compression == wanted or not configured
        yield compression, asked, options.model_copy(update={"compression": compression})


def look(options: Any, tree: Tree, inventory: Inventory) -> Seen:
    """Return nothing: only the reader knows how videos are named."""
    return Seen()


def official_parts(options: Any, tree: Tree) -> Parts:
    """Return how many originals and fakes the release has."""
    return {(subset, "test"): n for subset, n in dfd.VIDEOS.items()}
