"""The commands that run the benchmark, whole or in part, and say how far it is."""

import sys
from typing import Annotated

import typer

from lssat import params
from lssat.cli import option
from lssat.cli.base import answer, app, console, example, quick_imports


@app.command(epilog=example("lssat run --task celeba --seed 0"))
def run(
    cores: Annotated[int, typer.Option(min=1, help="Cores for Snakemake.")] = 8,
    task: Annotated[list[str] | None, typer.Option(help="Only this task; may be repeated.")] = None,
    backbone: Annotated[list[str] | None, typer.Option(help="Only this backbone.")] = None,
    configuration: Annotated[list[str] | None, typer.Option(help="Only this one.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed.")] = None,
) -> None:
    """Run the benchmark through Snakemake, with progress, and print the headline table.

    A part of the grid is trained alone; it is evaluated where it holds all runs of a task. What
    is done stays done: `lssat run` later makes the rest.
    """
    with quick_imports():
        from lssat.orchestrate import part
        from lssat.orchestrate import run as step

    asked = task, backbone, configuration, seed
    if not any(asked):
        sys.exit(step.run(cores))
    step.check_project()
    values = params.load("params.yaml")
    chosen = part.part(values, *(names or [] for names in asked))  # type: ignore[arg-type]
    if not (code := step.run(cores, chosen.targets)):
        print(part.told(values, chosen))
    sys.exit(code)


@app.command(epilog=example("lssat status"))
def status(json_: option.Json = None) -> None:
    """Say what is done, at work, still to do and why, and what failed with its last words."""
    with quick_imports():
        from lssat.orchestrate import status as step

    state = step.status()
    answer(json_, step.document(state), lambda: step.show(state, console()))
