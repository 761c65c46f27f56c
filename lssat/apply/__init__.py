"""A trained run applied to files that are in no data set, through the benchmark's own code."""

from lssat.apply.files import files
from lssat.apply.opened import Opened, open_run
from lssat.apply.score import MEMORY, TIMEOUT, How, Rejected, Scored, Scorer, notes

__all__ = [
    "MEMORY", "TIMEOUT", "How", "Opened", "Rejected", "Scored", "Scorer", "files", "notes",
    "open_run",
]  # fmt: skip
