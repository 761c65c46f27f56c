"""The options that recur, and those that name an output."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from lssat import tables
from lssat.cli.outputs import Output, note
from lssat.params import hardware
from lssat.tables import DataError
from lssat.tables.project import Project

MACHINE = hardware.Hardware()  # its defaults
HERE = Project()


def writes(what: str, *names: str, folder: bool = False, apart: bool = False) -> Any:
    """Return an option that names an output; one that cannot be written ends the command at once.

    So does one that is an input (`lssat.cli.outputs`).

    Args:
        what: the help.
        names: of the option, where it is not called as the argument.
        folder: the option names a folder to write into; else a file, where `-` is stdout.
        apart: no file is replaced in a folder that the command reads: it is no step, whose
            outputs lie beside its inputs.
    """

    def check(
        ctx: typer.Context, param: typer.CallbackParam, path: Path | str | None
    ) -> Path | str | None:
        if path not in (None, "-"):
            tables.check_writable(str(path), folder)
            note(ctx, param, Output(Path(str(path)), folder, apart))
        return path

    return typer.Option(*names, help=what, callback=check)


def _device(name: str) -> str:
    """Refuse a device that is none, or a GPU that torch does not find, before the step works."""
    if found := hardware.problems({"device": name}, spelt="--{} {}"):
        raise DataError.of("device", found)
    return name


def _machine(key: str, *names: str) -> Any:
    """Return the option of a key of the machine; a run's profile sets it by a variable."""
    return typer.Option(
        *names,
        help=hardware.explain(key),
        envvar=hardware.variable(key),
        rich_help_panel=_HARDWARE,
    )


def _enter(folder: str | Project) -> Project:
    """Go to a project's folder: all that is relative, params.yaml and raw trees too, is so to it.

    Raises:
        DataError: there is no such folder.
    """
    if isinstance(folder, Project):  # the default
        return folder
    try:
        os.chdir(folder)
    except OSError as error:
        problem = f"is no folder to go to: {error.strerror}"
        raise DataError(folder, problem, "Name the folder of a project") from error
    return Project()


_HARDWARE = "Hardware, as in a profile's machine.yaml"
Params = Annotated[
    str, typer.Option("--params", help="A params.yaml, or the JSON of the sections that are read.")
]
Device = Annotated[
    str,
    typer.Option(help=hardware.explain("device"), callback=_device, rich_help_panel=_HARDWARE),
]
Devices = Annotated[int, _machine("devices")]
Strategy = Annotated[str, _machine("strategy")]
Compile = Annotated[bool, _machine("compile", "--compile")]
Minutes = Annotated[float, _machine("minutes")]
Readers = Annotated[int | None, _machine("readers")]
Energy = Annotated[bool, _machine("energy")]
Country = Annotated[str | None, _machine("country")]
Task = Annotated[str, typer.Option(help="A section of datasets.")]
RunPath = Annotated[str, typer.Option(help="<task>/<backbone>/<configuration>/seed<k>.")]
Trained = Annotated[str, typer.Option("--task", help="The task whose runs are tested.")]
Dataset = Annotated[str, typer.Option(help="A data set of benchmark.cross.")]
Shard = Annotated[int, typer.Option(min=0, help="Number of the shard, from 0.")]
Runs = Annotated[Path, typer.Option(help="Folder of all runs.")]
InProject = Annotated[
    Project,
    typer.Option(
        "--project",
        parser=_enter,
        metavar="DIR",
        help="Folder of the project; default: this one.",
        show_default=False,
    ),
]
Json = Annotated[
    str | None, writes("Write JSON to this file; - for stdout alone.", "--json", apart=True)
]
