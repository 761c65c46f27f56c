"""What the commands share: the application, quick imports, their end."""

import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol

import typer
from typer.core import TyperGroup

import lssat
from lssat import grid, tables
from lssat.cli import outputs
from lssat.tables.project import Project

if TYPE_CHECKING:
    from rich.console import Console

    from lssat.params import GridLists, RowRecipe

# For people, in the order of their help; then what keeps a project; the others are steps.
PEOPLE = (
    "init",
    "doctor",
    "plan",
    "run",
    "status",
    "show",
    "predict",
    "compare",
    "knn",
    "verify",
    "weights",
    "blends",
    "sync",
    "report",
)
UPKEEP = ("check", "rejects", "save", "digest", "restore")
_STEPS = "Steps of the pipeline, as Snakemake calls them"


class _Group(TyperGroup):
    """Commands in the order of their use, not of their names."""

    def list_commands(self, ctx: Any) -> list[str]:
        first = (*PEOPLE, *UPKEEP)
        steps = [name for name in self.commands if name not in first]
        return [*(name for name in first if name in self.commands), *steps]


class _App(typer.Typer):
    """Commands that hold what they are to write against what they are to read."""

    def command(self, *args: Any, **options: Any) -> Any:
        def register(function: Any) -> Any:
            name = function.__name__
            panel = None if name in PEOPLE else "Upkeep" if name in UPKEEP else _STEPS
            given = {"cls": outputs.Command, "rich_help_panel": panel} | options
            return super(_App, self).command(*args, **given)(function)

        return register


app = _App(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


def _version(asked: bool) -> None:
    if asked:
        print(f"lssat {lssat.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """The open benchmark of ViT backbones with an MAE auxiliary task (L-SSAT)."""


@contextlib.contextmanager
def quick_imports(*outputs: Path) -> Iterator[None]:
    """Pause the garbage collector: imports make a million objects and no garbage (-15 %).

    Args:
        outputs: files that the step is to write; one that cannot be written ends it here.
    """
    for file in outputs:
        tables.check_writable(file)
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


def answer(json_: str | None, document: Any, show: Callable[[], object]) -> None:
    """Give a result: to people, as JSON on stdout alone, or to people and as JSON in a file.

    Args:
        json_: of `option.Json`.
        document: plain values.
        show: prints for people.
    """
    if json_ != "-":
        show()
    write_json(json_, document)


def write_json(json_: str | None, document: Any) -> None:
    """Write a result as JSON where that is asked for: to a file, or `-`, stdout."""
    if json_ == "-":
        print(tables.json_text(document), end="")
    elif json_:
        tables.write_json(json_, document, sealed=False)


def console() -> "Console":
    """Return a console that prints text as it is."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False)


def example(*parts: str) -> str:
    """Return the last line of a command's help: one that can be run in a project as it stands.

    Args:
        parts: of the line, as they fit the source.
    """
    return f"Example: [bold]{' '.join(parts)}[/bold]"


class _Grid(Protocol):
    """A view that holds what names the runs of a task."""

    @property
    def benchmark(self) -> "GridLists": ...
    @property
    def train(self) -> "RowRecipe": ...


def run_folders(project: Project, task: str, view: _Grid) -> dict[str, Path]:
    """Return the folder of each run of a task, by the run's path."""
    listed = grid.runs_of(view.benchmark, [task], view.train.lambda_cls)
    return {run.path: project.runs.run(run.path).root for run in listed}
