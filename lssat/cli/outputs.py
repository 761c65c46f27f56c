"""No output is an input: what a command is to write is held against what it is to read."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand

from lssat.tables import DataError
from lssat.tables.project import SNAKEFILE, Project

_OUTPUTS = "lssat.outputs"  # in a command's context: option -> Output
_ARGUMENT = "an argument"


class Output(NamedTuple):
    """A path that a command is to write."""

    path: Path
    folder: bool  # to write into
    apart: bool  # replaces nothing in a folder that is read
    endings: tuple[str, ...] = ()  # of names that it may replace; none: whatever it is called


def note(ctx: Any, param: Any, output: Output) -> None:
    """Note that an option of a command names an output."""
    ctx.meta.setdefault(_OUTPUTS, {})[param.name] = output


class Command(TyperCommand):
    """A command that refuses, before it does anything, to write over what it is to read."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse what is empty, as a variable that is not set is: a path of it is this folder."""
        if "" in args:
            raise typer.BadParameter("one of the arguments is empty; is a variable not set?")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Check the options, all of which are known by now, and run."""
        noted: dict[str, Output] = ctx.meta.get(_OUTPUTS, {})
        read = [
            named for param in self.params if param.name not in noted for named in _of(param, ctx)
        ]
        folders = [path for name, path in read if os.path.isdir(path) and name != _ARGUMENT]
        files = [output for output in noted.values() if not output.folder]
        for output in files:
            from_inputs(output.path, [named for named in read if not os.path.isdir(named[1])])
            outside(output.path, folders if output.apart else [])
        _different([output.path for output in files])
        for output in files:
            if output.endings:
                like(output.path, output.endings)
        return super().invoke(ctx)


def _of(param: Any, ctx: Any) -> list[tuple[str, Path]]:
    """Return the paths that an option or argument names, each with how it is called."""
    value = ctx.params.get(param.name)
    called = param.opts[-1] if param.opts[-1].startswith("-") else _ARGUMENT
    if param.name == "params_" and isinstance(value, str) and not value.lstrip().startswith("{"):
        return [(called, Path(value))]
    values = value if isinstance(value, list | tuple) else [value]
    kinds = Path | str if param.metavar == "PATH" else Path  # a text may be an address instead
    return [(called, Path(path)) for path in values if isinstance(path, kinds)]


def from_inputs(out: Path, inputs: list[tuple[str, Path]]) -> None:
    """Refuse an output that is one of the inputs, under whatever name.

    Args:
        inputs: what names an input, and the file.

    Raises:
        DataError: it is one, or a link to it.
    """
    for name, path in inputs:
        if _same(out, path):
            problem = f"is to be written, and is read as well ({name}: {path})"
            raise DataError(out, problem, "Nothing was written. Name another file")


def outside(out: Path, folders: list[Path]) -> None:
    """Refuse to replace a file in a folder that is read; a new file there harms nothing.

    Raises:
        DataError: it lies in one of them.
    """
    for folder in folders:
        inside = (
            os.path.exists(out)
            and os.path.isdir(folder)
            and out.resolve().is_relative_to(folder.resolve())
        )
        if inside:
            problem = f"is to be written, and lies in {folder}, which is read"
            raise DataError(out, problem, "Nothing was written. Name another file, or remove it")


def like(out: Path, endings: tuple[str, ...]) -> None:
    """Refuse to replace a file of another kind, or one that the steps of a project made.

    Args:
        endings: of the names of such files, the first being the usual one.

    Raises:
        DataError: it is one, such as params.yaml for a page, or a run's record.json.
    """
    if not out.is_file():  # also /dev/null
        return
    if out.suffix.lower() not in endings:
        problem = f"is there already, and is no {endings[0]} file"
        raise DataError(out, problem, "Nothing was written. Name another file, or remove it")
    file = out.resolve()
    for folder in (each for each in file.parents if (each / SNAKEFILE).is_file()):
        project = Project(folder)
        for made in (project.prepared, project.runs.root, project.results.root):
            if file.is_relative_to(made):
                problem = f"is there already, made by the benchmark's steps in {made.name}/"
                raise DataError(out, problem, "Nothing was written. Name another file")


def _different(outputs: list[Path]) -> None:
    for number, path in enumerate(outputs):
        for other in outputs[:number]:
            if _same(path, other) or os.path.abspath(path) == os.path.abspath(other):
                problem = f"is named as two outputs, here as {other}"
                raise DataError(path, problem, "Nothing was written. Name another file")


def _same(one: Path, other: Path) -> bool:
    """Say whether two paths are one file; links and the case of names do not hide it."""
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them is not there
        return False
