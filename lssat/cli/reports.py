"""The commands of the report and the table of results."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from lssat import params
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

    values = params.part(params_, params.views.ReportView)
    view = params.view(params_, params.views.ReportView)
    lists: dict[str, Collection[str]] = {
        "slices": view.slices.attributes,
        "slices_listed": view.slices.lists,
    }
    files = {}
    for task in view.benchmark.tasks:
        results, explained = project.results.task(task), project.results.explain(task)
        data, shards = project.data(task), values["datasets"][task]["shards"]
        sensitivity = results.sensitivity.json
        files[task] = step.TaskFiles(
            robustness=results.robustness,
            format=results.format,
            sensitivity=sensitivity if sensitivity.exists() else None,
            metrics=results.metrics,
            predictions=results.predictions,
            experiment=f"{view.tracking.experiment}-{task}",
            explain=explained.json,
            maps=explained.maps,
            runs=run_folders(project, task, view),
            texture=[shard[:2] for shard in data.texture(view.texture.kind).first(shards)],
            speed=project.results.speed,
            slices=tuple(results.slices(name) for name, asked in lists.items() if task in asked),
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
