"""The commands that log in MLflow what runs, evaluations and the report have written."""

from pathlib import Path
from typing import Annotated

import typer

from lssat import params
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders


@app.command(
    epilog=example(
        "lssat track --task celeba --runs runs",
        "--metrics results/tasks/celeba/metrics.json --out results/mlflow/celeba.json",
    )
)
def track(
    task: option.Task,
    runs: option.Runs,
    metrics: Annotated[Path, typer.Option(help="The task's metrics.json.")],
    out: option.IdsOut,
    database: option.Database = Path("mlflow.db"),
    artifacts: Annotated[Path, option.writes("Folder of artifacts.", folder=True)] = Path(
        "mlartifacts"
    ),
    params_: option.Params = "params.yaml",
) -> None:
    """Log the runs of a task in MLflow: losses, metrics, parameters, tags."""
    with quick_imports():
        from lssat.tracking import runs as step

    view = params.view(params_, "track")
    files = step.Files(run_folders(runs, task, view), metrics, database, artifacts, out)
    step.track(task, files, view.tracking.experiment, view.tracking.uri)


@app.command(
    epilog=example(
        "lssat track-cross --dataset celebdf",
        "--metrics results/tasks/ffpp/cross/celebdf/metrics.json",
        "--tracked results/mlflow/ffpp.json --out results/mlflow/cross/celebdf.json",
    )
)
def track_cross(
    dataset: Annotated[str, typer.Option(help="A data set of benchmark.cross.")],
    metrics: Annotated[Path, typer.Option(help="The metrics.json of lssat cross.")],
    tracked: Annotated[Path, typer.Option(help="The JSON of MLflow ids of lssat track.")],
    out: option.IdsOut,
    database: option.Database = Path("mlflow.db"),
    params_: option.Params = "params.yaml",
) -> None:
    """Add the metrics of another data set to the MLflow runs, as cross/<dataset>/..."""
    with quick_imports():
        from lssat.tracking import runs as step

    view = params.view(params_, "track_cross")
    step.track_more(f"cross/{dataset}/", metrics, tracked, database, view.tracking.uri, out)


@app.command(
    epilog=example(
        "lssat track-slices --slices results/tasks/celeba/slices.json",
        "--tracked results/mlflow/celeba.json --out results/mlflow/slices/celeba.json",
    )
)
def track_slices(
    slices: Annotated[Path, typer.Option(help="What lssat slices wrote.")],
    tracked: Annotated[Path, typer.Option(help="The JSON of MLflow ids of lssat track.")],
    out: option.IdsOut,
    database: option.Database = Path("mlflow.db"),
    params_: option.Params = "params.yaml",
) -> None:
    """Add worst group and gap to the MLflow runs, as slice/<attribute>/..."""
    with quick_imports():
        from lssat.tracking import runs as step

    view = params.view(params_, "track_slices")
    step.track_more("slice/", slices, tracked, database, view.tracking.uri, out)


@app.command(epilog=example("lssat track-report --results results --out results/mlflow.json"))
def track_report(
    results: Annotated[Path, typer.Option(help="Folder of the report.")],
    out: option.IdsOut,
    database: option.Database = Path("mlflow.db"),
    params_: option.Params = "params.yaml",
) -> None:
    """Attach the report to the MLflow parent run of each task."""
    with quick_imports():
        from lssat import report
        from lssat.tracking import runs as tracking

    view = params.view(params_, "track_report")
    tracked = [results / "mlflow" / f"{task}.json" for task in view.benchmark.tasks]
    files = [results / name for name in report.ATTACHED]
    tracking.track_report(tracked, files, database, view.tracking.uri, out)
