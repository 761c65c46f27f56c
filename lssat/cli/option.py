"""The options that recur, and those that name an output."""

import inspect
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


def writes(
    what: str, *names: str, folder: bool = False, apart: bool = False, endings: tuple[str, ...] = ()
) -> Any:
    """Return an option that names an output; one that cannot be written ends the command at once.

    So does one that is an input (`lssat.cli.outputs`).

    Args:
        what: the help.
        names: of the option, where it is not called as the argument.
        folder: the option names a folder to write into; else a file, where `-` is stdout.
        apart: no file is replaced in a folder that the command reads: it is no step, whose
            outputs lie beside its inputs.
        endings: of the names of files that it may replace, the usual one first.
    """

    def check(
        ctx: typer.Context, param: typer.CallbackParam, path: Path | str | None
    ) -> Path | str | None:
        if path not in (None, "-"):
            tables.check_writable(str(path), folder)
            note(ctx, param, Output(Path(str(path)), folder, apart, endings))
        return path

    return typer.Option(*names, help=what, callback=check)


def _device(name: str) -> str:
    """Refuse a device that is none, or a GPU that torch does not find, before the step works."""
    if problems := hardware.problems({"device": name}, spelt="--{} {}"):
        raise DataError.of("device", problems)
    return name


def _machine(key: str, *names: str) -> Any:
    """Return the option of a key of the machine; a run's profile sets it by a variable."""
    return typer.Option(
        *names,
        help=hardware.explain(key),
        envvar=hardware.variable(key),
        rich_help_panel=_HARDWARE,
    )


def given_as(keywords: str, options: dict[str, tuple[Any, Any]]) -> Any:
    """Return a decorator that gives a command options in place of its `**keywords`.

    Args:
        options: name -> annotation and default.
    """

    def decorate(command: Any) -> Any:
        signature = inspect.signature(command)
        kept = [old for old in signature.parameters.values() if old.name != keywords]
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=of)
            for name, (of, default) in options.items()
        ]
        del command.__annotations__[keywords]
        command.__annotations__ |= {parameter.name: parameter.annotation for parameter in more}
        command.__signature__ = signature.replace(parameters=[*kept, *more])
        return command

    return decorate


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
_TYPES: dict[str, Any] = {
    **{"devices": int, "strategy": str, "compile": bool, "minutes": float},
    **{"readers": int | None, "energy": bool, "country": str | None},
}
TRAINING = {  # what else of a machine a training is given
    key: (
        Annotated[kind, _machine(key, *(["--compile"] if key == "compile" else []))],
        getattr(MACHINE, key),
    )
    for key, kind in _TYPES.items()
}
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
    str | None,
    writes(
        "Write JSON to this file; - for stdout alone.", "--json", apart=True, endings=(".json",)
    ),
]
