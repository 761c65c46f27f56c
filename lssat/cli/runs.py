"""The commands of runs: training, and what evaluates them."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lssat import grid, params
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders
from lssat.grid.releases import HOME
from lssat.params import hardware
from lssat.tables import DataError


@app.command(
    epilog=example(
        "lssat train --run ffpp/vit_micro/MRGB-RLDP-CRGB/seed0",
        "--train data/prepared/ffpp/splits/train.parquet",
        "--val data/prepared/ffpp/splits/val.parquet",
        "--faces data/prepared/ffpp/faces --codes data/prepared/ffpp/texture/ldp",
        "--out runs/ffpp/vit_micro/MRGB-RLDP-CRGB/seed0",
    )
)
def train(
    run: Annotated[str, typer.Option(help="<task>/<backbone>/<configuration>/seed<k>.")],
    train: Annotated[Path, typer.Option(help="Training split.")],
    val: Annotated[Path, typer.Option(help="Validation split.")],
    faces: option.Crops,
    out: Annotated[Path, option.writes("The run's folder.", folder=True)],
    codes: Annotated[Path | None, typer.Option(help="Folder of the texture's shards.")] = None,
    checkpoints: Annotated[
        Path, option.writes("Folder of all runs' states while they are under way.", folder=True)
    ] = Path("checkpoints"),
    device: option.Device = option.MACHINE.device,
    devices: option.Devices = option.MACHINE.devices,
    strategy: option.Strategy = option.MACHINE.strategy,
    compile_: option.Compile = option.MACHINE.compile,
    minutes: option.Minutes = option.MACHINE.minutes,
    readers: option.Readers = option.MACHINE.readers,
    energy: option.Energy = option.MACHINE.energy,
    country: option.Country = option.MACHINE.country,
    tracking: Annotated[
        str,
        typer.Option(
            help="JSON of the section tracking: the run is in MLflow while it trains.",
            envvar="LSSAT_TRACKING",
        ),
    ] = "",
    params_: option.Params = "params.yaml",
) -> None:
    """Train one run, or go on with it, and keep the weights of its best epoch by validation.

    SIGTERM, SIGUSR1 and Ctrl-C save its state; the same command then goes on, to the same result.
    """
    machine = dict(
        device=device,
        devices=devices,
        strategy=strategy,
        compile=compile_,
        minutes=minutes,
        readers=readers,
        energy=energy,
        country=country,
    )
    if problems := hardware.problems(machine, spelt="--{} {}", here=devices > 1):
        raise DataError.of("lssat train", problems)
    with quick_imports():
        from lssat.tracking import live
        from lssat.training import train as step
        from lssat.training.parallel import is_first

    view = params.view(params_, "train")
    which = grid.Run.of(run)
    needs = grid.parse(which.configuration).texture is not None
    files = step.Files(
        train=train,
        val=val,
        faces=faces,
        codes=codes if needs else None,
        weights=out / "weights.safetensors",
        curve=out / "curve.csv",
        record=out / "record.json",
        reconstruction=out / "reconstruction.npz",
        checkpoints=checkpoints / which.path,
    )
    section = json.loads(tracking) if tracking and is_first() else None
    try:
        with live.watching(which, view, section, device) as observer:
            step.train(which, files, view, hardware.read(machine), observer)
    except step.Stopped as stopped:
        print(stopped, file=sys.stderr)
        raise typer.Exit(stopped.code) from None


@app.command(
    epilog=example(
        "lssat repeat --run runs/ffpp/vit_mini/MRGB-RLDP-CRGB/seed0",
        "--out runs/ffpp/vit_mini/MRGB-RLDP-CRGB-lambda0.1/seed0",
    )
)
def repeat(
    run: Annotated[Path, typer.Option(help="Folder of the run.")],
    out: Annotated[Path, option.writes("Its other folder.", folder=True)],
) -> None:
    """Give a run a second folder, for a configuration whose own lambda is the recipe's."""
    from lssat.grid import trained

    trained.repeat(run, out)


@app.command(
    epilog=example(
        "lssat evaluate --task celeba --runs runs",
        "--splits data/prepared/celeba/splits",
        "--faces data/prepared/celeba/faces --codes data/prepared/celeba/texture/ldp",
        "--out results/tasks/celeba",
    )
)
def evaluate(
    task: option.Task,
    runs: option.Runs,
    splits: option.Splits,
    faces: option.Crops,
    codes: option.Codes,
    out: Annotated[
        Path, option.writes("Folder for predictions.parquet and metrics.json.", folder=True)
    ],
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
) -> None:
    """Predict with each run of a task and measure, once, on the test split."""
    with quick_imports():
        from lssat.evaluation import evaluate as step

    view = params.view(params_, "evaluate")
    files = step.Files(
        runs=run_folders(runs, task, view),
        train=splits / "train.parquet",
        val=splits / "val.parquet",
        test=splits / "test.parquet",
        summary=splits / "summary.json",
        faces=faces,
        codes=codes,
        predictions=out / "predictions.parquet",
        metrics=out / "metrics.json",
    )
    step.evaluate(task, files, view, device)


@app.command(
    epilog=example(
        "lssat robustness --task celeba --runs runs",
        "--train data/prepared/celeba/splits/train.parquet",
        "--test data/prepared/celeba/splits/test.parquet",
        "--faces data/prepared/celeba/faces",
        "--out results/tasks/celeba/robustness.json",
    )
)
def robustness(
    task: option.Task,
    runs: option.Runs,
    train: Annotated[Path, typer.Option(help="Training split: the trivial baseline.")],
    test: option.TestSplit,
    faces: option.Crops,
    out: option.JsonOut,
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
) -> None:
    """Measure the runs of a task on perturbed test crops."""
    with quick_imports():
        from lssat.evaluation import robustness as step

    view = params.view(params_, "robustness")
    files = step.Files(run_folders(runs, task, view), train, test, faces, out)
    step.robustness(task, files, view, device)


@app.command(
    epilog=example(
        "lssat cross --dataset celebdf --task ffpp --runs runs",
        "--train data/prepared/ffpp/splits/train.parquet",
        "--splits data/prepared/celebdf/splits",
        "--faces data/prepared/celebdf/faces --codes data/prepared/celebdf/texture/ldp",
        "--out results/tasks/ffpp/cross/celebdf",
    )
)
def cross(
    dataset: Annotated[str, typer.Option(help="A data set of benchmark.cross.")],
    train: Annotated[Path, typer.Option(help="Training split of the task: its baseline.")],
    runs: option.Runs,
    splits: Annotated[Path, typer.Option(help="Folder of the data set's splits.")],
    faces: option.Crops,
    codes: option.Codes,
    out: Annotated[
        Path, option.writes("Folder for predictions.parquet and metrics.json.", folder=True)
    ],
    task: Annotated[str, typer.Option(help="The task whose runs are tested.")] = HOME,
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
) -> None:
    """Test the runs of a task on a data set that they were not trained on."""
    with quick_imports():
        from lssat.evaluation import evaluate as step

    view = params.view(params_, "cross")
    files = step.Files(
        runs=run_folders(runs, task, view),
        train=train,
        val=None,
        test=splits / "test.parquet",
        summary=splits / "summary.json",
        faces=faces,
        codes=codes,
        predictions=out / "predictions.parquet",
        metrics=out / "metrics.json",
    )
    step.evaluate(dataset, files, view, device)


@app.command(
    epilog=example(
        "lssat slices --task celeba",
        "--predictions results/tasks/celeba/predictions.parquet",
        "--metrics results/tasks/celeba/metrics.json",
        "--out results/tasks/celeba/slices.json",
    )
)
def slices(
    task: option.Task,
    predictions: Annotated[Path, typer.Option(help="The predictions of lssat evaluate.")],
    metrics: Annotated[Path, typer.Option(help="Its metrics.json.")],
    out: option.JsonOut,
    annotations: Annotated[
        Path | None, typer.Option(help="CSV; default: the attributes of slices.attributes.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="Manifest table, for a CSV.")] = None,
    params_: option.Params = "params.yaml",
) -> None:
    """Measure groups of the test samples: worst group, gap, intervals, by attribute."""
    with quick_imports():
        from lssat.evaluation import slices as step

    files = step.Files(predictions, metrics, out)
    if (annotations is None) != (manifest is None):
        raise typer.BadParameter("--annotations and --manifest go together")
    if annotations is None or manifest is None:
        view = params.view(params_, "slices", task=task)
        names = view.slices.attributes[task]
        step.own(task, files, names, view.slices.min_n, view.evaluate)
    else:
        view = params.view(params_, "slices_listed", task=task)
        lists = step.Annotated(annotations, manifest)
        step.listed(task, files, lists, view.slices.min_n, view.evaluate)
