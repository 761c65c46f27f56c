"""The command line: each command is what its Snakemake rule calls, and runs by hand as well.

Imports of a command stand inside it: the entry point itself must stay light.
"""

import sys

from lssat.cli import data, runs, results, use  # isort: skip  # the order of `lssat --help`
from lssat.cli.base import app
from lssat.tables import DataError

__all__ = ["app", "data", "main", "results", "runs", "use"]


def main() -> None:
    """Run the command line; a DataError is one line on stderr and exit code 1."""
    try:
        app()
    except DataError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
