"""FaceForensics++, uncompressed: the test split alone, for runs of another."""

from lssat.data.datasets import ffpp

SELECTS = True  # the other splits are no extra files
problems = ffpp.problems


def read(options) -> tuple[list[dict], list[dict]]:
    """Read the test split at this compression; see `ffpp.read_at`."""
    return ffpp.read_at(options, "ffpp_raw", "raw", ("test",))
