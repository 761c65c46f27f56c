"""What the commands share: the application, quick imports, their end."""

import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import typer

from lssat import grid
from lssat.cli import apart


class _App(typer.Typer):
    """Commands that hold what they are to write against what they are to read."""

    def command(self, *args: Any, **options: Any) -> Any:
        return super().command(*args, **{"cls": apart.Command} | options)


app = _App(
    help="The open benchmark of ViT backbones with an MAE auxiliary task (L-SSAT).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Pause the garbage collector: imports make a million objects and no garbage (-15 %)."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def leave(code: int) -> NoReturn:
    """End the process at once: after torch, freeing a million objects takes as long as an import.

    What `quick_imports` froze cannot be freed either, and triton's binding library would report
    it on stderr as leaked, thirty lines below the message that matters. What other libraries
    have registered for the end runs; mypy ends in the same way.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def example(line: str) -> str:
    """Return the last line of a command's help."""
    return f"Example: [bold]{line}[/bold]"


def run_folders(runs: Path, task: str, view: Any) -> dict[str, Path]:
    """Return the folder of each run of a task, by the run's path.

    Args:
        view: of a rule that reads the grid's lists and `train.lambda_cls`.
    """
    listed = grid.runs_of(view.benchmark, [task], view.train.lambda_cls)
    return {run.path: runs / run.path for run in listed}
