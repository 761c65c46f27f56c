"""The commands of results and of the whole graph."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lssat import params, tables
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders
from lssat.tables.project import Data


def _data(data: Data, shards: int, *audits: str) -> dict[str, Any]:
    """Where the report finds what the data steps made of a data set."""
    return dict(
        splits=data.splits.summary,
        rejects=data.rejected(shards),
        faces=[shard[:2] for shard in data.faces.first(shards)],
        **{name: data.found(name).json for name in ("audit", "lookalikes")},
        findings=[data.found(name).table for name in ("audit", "lookalikes", *audits)],
    )


@app.command(epilog=example("lssat report"))
def report(
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Write the report: one page, readable without network, and the same numbers as tables."""
    written = project.results.report()
    with quick_imports(*written.values()):
        from lssat import report as step

    values = params.part(params_, "report")
    view = params.view(params_, "report")
    lists = {"slices": view.slices.attributes, "slices_listed": view.slices.lists}
    files = {}
    for task in view.benchmark.tasks:
        made, explained = project.results.task(task), project.results.explain(task)
        data, shards = project.data(task), values["datasets"][task]["shards"]
        sensitivity = made.sensitivity.json
        files[task] = step.TaskFiles(
            robustness=made.robustness,
            format=made.format,
            sensitivity=sensitivity if sensitivity.exists() else None,
            metrics=made.metrics,
            predictions=made.predictions,
            experiment=f"{view.tracking.experiment}-{task}",
            explain=explained.json,
            maps=explained.maps,
            runs=run_folders(project, task, view),
            texture=[shard[:2] for shard in data.texture(view.texture.kind).first(shards)],
            speed=project.results.speed,
            slices=tuple(made.slices(name) for name, asked in lists.items() if task in asked),
            **_data(data, shards),
        )
    across = {}
    for name, home in view.benchmark.cross.items():
        tested = project.results.task(home).cross(name)
        data, shards = project.data(name), values["datasets"][name]["shards"]
        across[name] = step.CrossFiles(
            metrics=tested.metrics,
            predictions=tested.predictions,
            across=data.found("audit_cross").json,
            **_data(data, shards, "audit_cross"),
        )
    step.write(values, files, written, across)


@app.command(epilog=example("lssat show"))
def show(
    results: Annotated[Path, typer.Option(help="Folder of results.")] = option.HERE.results.root,
    everything: Annotated[
        bool, typer.Option("--all", help="What the params.yaml beside it does not ask for, too.")
    ] = False,
) -> None:
    """Print the headline table of what params.yaml asks for, and where the report is."""
    with quick_imports():
        from lssat.use import show as step

    step.show(results, everything)


@app.command(epilog=example("lssat digest"))
def digest(project: option.InProject = option.HERE) -> None:
    """Write the digest of the code of each rule: DVC redoes what an edit of the code changes."""
    from lssat.tables import source

    source.write(project.code)


@app.command(epilog=example("lssat save"))
def save(
    made: Annotated[
        str, typer.Option(help="JSON of what Snakemake knows of its files; - for stdin.")
    ] = "",
) -> None:
    """Save finished results for DVC after a run that was killed; Snakemake's runs end with this."""
    with quick_imports():
        from lssat.orchestrate import lock
        from lssat.orchestrate import save as step

    if not made:  # by hand: not beside a run that is at work
        lock.hold(inside_dvc=False)
    known = json.loads(sys.stdin.read() if made == "-" else made or "{}")
    sets = {name: frozenset(known.get(name, ())) for name in ("fresh", "stale", "done")}
    if told := step.save(step.Made(known.get("params", ""), **sets)):
        print(told, flush=True)


@app.command(hidden=True, epilog=example("lssat restore results/tasks/celeba/metrics.json"))
def restore(outputs: Annotated[list[str], typer.Argument(help="Of one step.")]) -> None:
    """Take a step's outputs from DVC's run cache; exit code 1 if they are not there."""
    with quick_imports():
        from lssat.orchestrate import restore as step

    if not step.restore(outputs):
        sys.exit(1)
    print("The same work was done before: its outputs were taken from DVC's cache.")


@app.command(epilog=example("lssat sync"))
def sync(
    code: Annotated[
        bool,
        typer.Option("--code", help="The code has changed, and no result: keep what is there."),
    ] = False,
) -> None:
    """Put Snakemake in step after `dvc pull` or `dvc checkout`, if DVC finds all up to date.

    After an update of lssat itself, `--code` keeps finished results: you say that it changes none.
    """
    with quick_imports():
        from lssat.orchestrate import sync as step

    sys.exit(step.sync(code))


@app.command(epilog=example("lssat run --task celeba --seed 0"))
def run(
    cores: Annotated[int, typer.Option(help="Cores for Snakemake.")] = 8,
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
    chosen = part.part(values, *(each or [] for each in asked))  # type: ignore[arg-type]
    if not (code := step.run(cores, chosen.targets)):
        print(part.told(values, chosen))
    sys.exit(code)


@app.command(epilog=example("lssat status"))
def status(json_: option.Json = None) -> None:
    """Say what is done, at work, still to do and why, and what failed with its last words."""
    with quick_imports():
        from lssat.orchestrate import status as step

    found = step.status()
    if json_ != "-":
        from rich.console import Console

        step.show(found, Console(markup=False, emoji=False, highlight=False))
    if json_ == "-":
        print(tables.json_text(step.document(found)), end="")
    elif json_:
        tables.write_json(json_, step.document(found), sealed=False)
