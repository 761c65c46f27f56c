"""FaceForensics++, uncompressed: the test split alone, for runs of another."""

from collections.abc import Iterator
from pathlib import Path

from lssat.data.datasets import ffpp

SELECTS = True  # the other splits are no extra files


def read(options) -> tuple[list[dict], list[dict]]:
    """Read the test split at this compression; see `ffpp.read_at`."""
    return ffpp.read_at(options, "ffpp_raw", "raw", ("test",))


def problems(section: dict, root: Path) -> Iterator[tuple[tuple, str]]:
    """Yield what is wrong with the section of params.yaml: methods of no release."""
    yield from ffpp.problems(section, root)
