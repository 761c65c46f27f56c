"""The commands of runs: training, and what evaluates them."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lssat import grid, params
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders
from lssat.orchestrate import cluster
from lssat.params import hardware
from lssat.tables import DataError
from lssat.tables.project import Project


@app.command(epilog=example("lssat train --run ffpp/vit_micro/MRGB-RLDP-CRGB/seed0"))
@option.given_as("machine", option.TRAINING)
def train(
    run: option.RunPath,
    device: option.Device = option.MACHINE.device,
    tracking: Annotated[
        str,
        typer.Option(
            help="JSON of the section tracking: the run is in MLflow while it trains.",
            envvar="LSSAT_TRACKING",
        ),
    ] = "",
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
    **machine: Any,
) -> None:
    """Train one run, or go on with it, and keep the weights of its best epoch by validation.

    SIGTERM, SIGUSR1 and Ctrl-C save its state; the same command then goes on, to the same result.
    """
    machine["device"] = device
    if problems := hardware.problems(machine, spelt="--{} {}", here=machine["devices"] > 1):
        raise DataError.of("lssat train", problems)
    which = grid.Run.of(run)
    data, out, states = project.data(which.task), project.runs.run(run), project.states / run
    with quick_imports(*out, states / ".lock"):
        from lssat.tracking import live
        from lssat.training import train as step
        from lssat.training.parallel import is_first

    view = params.view(params_, params.views.TrainView, configuration=which.configuration)
    needs = grid.parse(which.configuration).texture is not None
    files = step.Files(
        train=data.splits.train,
        val=data.splits.val,
        faces=data.faces.root,
        codes=data.texture(view.texture.kind).root if needs else None,
        weights=out.weights,
        curve=out.curve,
        record=out.record,
        reconstruction=out.reconstruction,
        checkpoints=states,
        features=project.features,
    )
    section = json.loads(tracking) if tracking and is_first() else None
    try:
        with live.watching(which, view, section, device) as observer:
            step.train(which, files, view, hardware.read(machine), observer)
    except step.Stopped as stopped:
        print(stopped, file=sys.stderr)
        cluster.go_on(stopped.code)
        raise typer.Exit(stopped.code) from None


@app.command(
    epilog=example(
        "lssat repeat --run ffpp/vit_mini/MRGB-RLDP-CRGB/seed0",
        "--again ffpp/vit_mini/MRGB-RLDP-CRGB-lambda0.1/seed0",
    )
)
def repeat(
    run: option.RunPath,
    again: Annotated[str, typer.Option(help="Its other name.")],
    project: option.InProject = option.HERE,
) -> None:
    """Give a run a second folder, for a configuration whose own lambda is the recipe's."""
    from lssat.grid import trained

    trained.repeat(project.runs.run(run), project.runs.run(again))


@app.command(
    epilog=example("lssat external --run ffpp/xception/external/seed0 --scores xception.csv")
)
def external(
    run: option.RunPath,
    scores: Annotated[Path, typer.Option(help="CSV or Parquet of ids and scores.")],
    project: option.InProject = option.HERE,
) -> None:
    """Hold another program's scores to a task's test split, and put them beside its runs."""
    which = grid.Run.of(run)
    data = project.data(which.task)
    out = data.external.scores(which.backbone, which.seed)
    with quick_imports(out):
        from lssat.data import external as step

    step.write(which, step.Files(scores, data.splits, out))


@app.command(epilog=example("lssat evaluate --task celeba"))
def evaluate(
    task: option.Task,
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Predict with each run of a task and measure, once, on the test split."""
    _evaluate(task, task, device, params_, project)


@app.command(epilog=example("lssat cross --task ffpp --dataset celebdf"))
def cross(
    task: option.Trained,
    dataset: option.Dataset,
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Test the runs of a task on a data set that they were not trained on."""
    _evaluate(task, dataset, device, params_, project)


def _evaluate(task: str, dataset: str, device: str, params_: str, project: Project) -> None:
    results = project.results.task(task)
    out = results if dataset == task else results.cross(dataset)
    with quick_imports(out.predictions, out.metrics):
        from lssat.evaluation import evaluate as step

    view = params.view(params_, params.views.EvaluateView)
    data, trained = project.data(dataset), project.data(task)
    others = map(grid.Run.of, grid.external(view.benchmark.external, [dataset]))
    files = step.Files(
        runs=run_folders(project, task, view),
        external=[data.external.scores(run.backbone, run.seed) for run in others],
        train=trained.splits.train,
        val=trained.splits.val if dataset == task else None,
        test=data.splits.test,
        summary=data.splits.summary,
        faces=data.faces.root,
        codes=data.texture(view.texture.kind).root,
        predictions=out.predictions,
        metrics=out.metrics,
        features=project.features,
    )
    step.evaluate(dataset, files, view, device)


@app.command(epilog=example("lssat robustness --task celeba"))
def robustness(
    task: option.Task,
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Measure the runs of a task on perturbed test crops."""
    data, out = project.data(task), project.results.task(task).robustness
    with quick_imports(out):
        from lssat.evaluation import robustness as step

    view = params.view(params_, params.views.RobustnessView)
    runs, splits = run_folders(project, task, view), data.splits
    files = step.Files(runs, splits.train, splits.test, data.faces.root, out)
    step.robustness(task, files, view, device)


@app.command(epilog=example("lssat format-probe --task celeba"))
def format_probe(
    task: option.Task,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Score what size, quality and codec of the files alone predict: a baseline beside the runs."""
    data, out = project.data(task), project.results.task(task).format
    with quick_imports(out):
        from lssat.evaluation import format_probe as step

    view = params.view(params_, params.views.FormatProbeView)
    step.probe(data.splits.train, data.splits.test, data.formats, out, view)


@app.command(epilog=example("lssat slices --task celeba"))
def slices(
    task: option.Task,
    listed: Annotated[
        bool,
        typer.Option("--listed", help="By the CSV of slices.lists, not by slices.attributes."),
    ] = False,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Measure groups of the test samples: worst group, gap, intervals, by attribute."""
    rule = "slices_listed" if listed else "slices"
    results = project.results.task(task)
    with quick_imports(results.slices(rule)):
        from lssat.evaluation import slices as step

    files = step.Files(results.predictions, results.metrics, results.slices(rule))
    if listed:
        by_list = params.view(params_, params.views.SlicesListedView, task=task)
        lists = step.Annotated(Path(by_list.slices.lists[task]), project.data(task).manifest)
        step.listed(task, files, lists, by_list.slices.min_n, by_list.evaluate)
    else:
        view = params.view(params_, params.views.SlicesView, task=task)
        step.own(task, files, view.slices.attributes[task], view.slices.min_n, view.evaluate)
