"""FaceForensics++, uncompressed: the test split alone, for runs of another."""

from typing import Any

from lssat.data.datasets import ffpp, tree

SELECTS = True  # the other splits are no extra files
problems = ffpp.problems


def read(options: Any) -> tree.Reading:
    """Read the test split at this compression; see `ffpp.read_at`."""
    return ffpp.read_at(options, "ffpp_raw", "raw", ("test",))
