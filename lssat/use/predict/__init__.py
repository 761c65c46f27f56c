"""A trained run applied to files that are in no data set, through the benchmark's own code."""

from lssat.use.predict.files import File, files
from lssat.use.predict.score import MEMORY, TIMEOUT, How, Rejected, Scored, Scorer, notes
from lssat.use.predict.trained_run import Opened, open_run

__all__ = [
    "MEMORY", "TIMEOUT", "File", "How", "Opened", "Rejected", "Scored", "Scorer", "files", "notes",
    "open_run",
]  # fmt: skip
