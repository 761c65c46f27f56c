"""The command line: each command is what its Snakemake rule calls, and runs by hand as well.

Imports of a command stand inside it, and those of all commands inside `main`: the entry point
itself must stay light, since a step may be done by a fork of a process that has them.
"""

import io
import os
import sys
import traceback

from lssat.orchestrate import fork_server, steps

__all__ = ["main"]


def main() -> None:
    """Run the command line; a DataError is one line on stderr and exit code 1.

    What the terminal's encoding cannot show is spelt out: a name never ends a command.
    """
    _have_streams()
    for name in ("COLUMNS", "LINES"):  # 0, as some shells without a terminal say, prints nothing
        if os.environ.get(name, "").strip("0") == "":
            os.environ.pop(name, None)
    steps.follow()
    if (code := fork_server.hand_over()) is not None:
        sys.exit(code)
    try:
        _work()
    except KeyboardInterrupt:  # before a command has its own way of stopping
        sys.exit(130)


def _have_streams() -> None:
    """Open what was closed (`>&-`) to nowhere: else the next file would take a stream's number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def _work() -> None:
    from lssat.cli.commands import app, leave
    from lssat.tables import DataError, refused

    code = 0
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
    except Exception as error:
        told = refused(error) if isinstance(error, OSError) else None
        print(told or traceback.format_exc(), file=sys.stderr)
        code = 1
    leave(code)
