"""DeepFakeDetection before its reader: each compression; no official list names its videos."""

from collections.abc import Iterator
from typing import Any

from lssat.data.datasets import ffpp
from lssat.data.doctor.findings import Inventory
from lssat.data.doctor.walk import Tree


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
