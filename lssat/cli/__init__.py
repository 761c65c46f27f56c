"""The command line: each command is what its Snakemake rule calls, and runs by hand as well.

Imports of a command stand inside it: the entry point itself must stay light.
"""

import io
import sys
import traceback

from lssat.cli import data, runs, track, explain, results, use, sensitivity  # isort: skip
from lssat.cli.base import app, leave
from lssat.orchestrate import owner
from lssat.tables import DataError

__all__ = ["app", "data", "explain", "main", "results", "runs", "sensitivity", "track", "use"]


def main() -> None:
    """Run the command line; a DataError is one line on stderr and exit code 1.

    What the terminal's encoding cannot show is spelt out: a name never ends a command.
    """
    code = 0
    owner.follow()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except DataError as error:
        print(error, file=sys.stderr)
        code = 1
    except Exception:
        traceback.print_exc()
        code = 1
    leave(code)
