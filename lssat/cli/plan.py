"""The command that says what a run will take, before it starts."""

import dataclasses
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lssat import params
from lssat.cli import option
from lssat.cli.base import answer, app, console, example, quick_imports


@app.command(epilog=example("lssat plan --gpu H100 --gpus 4"))
def plan(
    cores: Annotated[int, typer.Option(min=1, help="Cores for Snakemake.")] = 8,
    profile: Annotated[Path, typer.Option(help="Folder of a Snakemake profile.")] = Path(
        "profiles/default"
    ),
    gpu: Annotated[
        str | None, typer.Option(help="Plan for this GPU: H100, A100, ...; sets device: cuda.")
    ] = None,
    gpus: Annotated[
        int | None, typer.Option(min=1, help="GPUs that work at a time; default: the profile's.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="TFLOP/s that training reaches on a device, or a core.")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Make a few steps of each kind of run on this device.")
    ] = False,
    json_: option.Json = None,
    params_: Annotated[str, typer.Option("--params", help="Another params.yaml.")] = "params.yaml",
) -> None:
    """Say where the benchmark will run and why, how long, and how much disk, memory and energy.

    Everything is planned from nothing; `lssat status` says what is done.

    Exit code 0: nothing was found that would stop a job; 1: something is lacking.
    """
    with quick_imports():
        from lssat.orchestrate.plan import Costs, rates, terminal, totals
        from lssat.orchestrate.plan import place as places

    if gpu is not None and gpu not in rates.GPUS:
        raise typer.BadParameter(f"--gpu {gpu!r} is not one of {', '.join(rates.GPUS)}")
    if rate is not None and rate <= 0:
        raise typer.BadParameter(f"--rate {rate:g} is not above 0")
    values = params.load(params_)
    place = places.place(profile, cores, gpus, gpu, rate and rate * 1e12)
    costs = Costs(values, place.machine)
    if measure:
        with quick_imports():
            from lssat.orchestrate.plan.measure import measured

        place = dataclasses.replace(place, machine=measured(costs, quiet=json_ == "-"))
        costs = Costs(values, place.machine)
    total = totals.plan(costs)
    lacking = places.lacking(place, total, params_, values.train.batch_size)
    show = partial(terminal.show, total, place, lacking, console())
    answer(json_, terminal.document(total, place, lacking), show)
    sys.exit(1 if lacking else 0)
