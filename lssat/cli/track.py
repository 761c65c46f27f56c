"""The commands that log in MLflow what runs, evaluations and the report have written."""

import re
from typing import Annotated

import typer

from lssat import params
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders
from lssat.tables.project import ATTACHED


@app.command(epilog=example("lssat track --task celeba"))
def track(
    task: option.Task,
    added: Annotated[
        str | None,
        typer.Option(help="Add this to its runs: slices, slices_listed or cross/<data set>."),
    ] = None,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Log the runs of a task in MLflow: losses, metrics, parameters, tags; or what came later."""
    results, tracked = project.results.task(task), project.results.mlflow
    out, database = tracked(_name(task, added)), project.database
    with quick_imports(out, database, project.artifacts / "0"):
        from lssat.tracking import runs as step

    if added is None:
        view = params.view(params_, params.views.TrackView)
        runs = run_folders(project, task, view)
        files = step.Files(runs, results.metrics, database, project.artifacts, out)
        step.track(task, files, view.tracking.experiment, view.tracking.uri)
        return
    kind, _, dataset = added.partition("/")
    uri = params.view(params_, params.views.TrackSlicesView).tracking.uri
    measured = results.cross(dataset).metrics if dataset else results.slices(kind)
    prefix = f"{added}/" if dataset else "slice/"
    step.track_more(prefix, measured, tracked(task), database, uri, out)


def _name(task: str, added: str | None) -> str:
    """Return the name of the ids: of a task, or of what is added to its runs."""
    if added is None or re.fullmatch(r"cross/[a-z0-9_]+", added):
        return added or task
    if added in ("slices", "slices_listed"):
        return f"{added}/{task}"
    raise typer.BadParameter(f"--added {added!r} is not slices, slices_listed or cross/<data set>")


@app.command(epilog=example("lssat track-report"))
def track_report(
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Attach the report to the MLflow parent run of each task."""
    results = project.results
    with quick_imports(results.attached, project.database):
        from lssat.tracking import runs as tracking

    view = params.view(params_, params.views.TrackReportView)
    tracked = [results.mlflow(task) for task in view.benchmark.tasks]
    files = list(results.report(*ATTACHED).values())
    tracking.track_report(tracked, files, project.database, view.tracking.uri, results.attached)
