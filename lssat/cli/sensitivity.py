"""The commands of what is only computed when it is asked for."""

from pathlib import Path
from typing import Annotated

import typer

from lssat import params
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders


@app.command(
    epilog=example(
        "lssat variant --task ffpp --variant margin-1.6 --runs runs",
        "--manifest data/prepared/ffpp/manifest.parquet",
        "--test data/prepared/ffpp/splits/test.parquet --faces data/prepared/ffpp/faces",
        "--out results/tasks/ffpp/sensitivity/margin-1.6.parquet",
    )
)
def variant(
    task: option.Task,
    variant: Annotated[str, typer.Option(help="margin-<margin> or frames-<count>.")],
    runs: option.Runs,
    manifest: option.Manifest,
    test: option.TestSplit,
    faces: option.Crops,
    out: Annotated[Path, option.writes("Table of predictions to write.")],
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
) -> None:
    """Predict on the test faces cropped with another margin, or from more frames."""
    with quick_imports():
        from lssat.evaluation.sensitivity import variants as step

    view = params.view(params_, "variant", task=task)
    files = step.Files(run_folders(runs, task, view), manifest, test, faces, out)
    step.variant(task, variant, files, view, device)


@app.command(
    epilog=example(
        "lssat sensitivity --task ffpp",
        "--test data/prepared/ffpp/splits/test.parquet",
        "--metrics results/tasks/ffpp/metrics.json",
        "--predictions results/tasks/ffpp/predictions.parquet",
        "--faces data/prepared/ffpp/faces/shard-00000.parquet",
        "--variants results/tasks/ffpp/sensitivity/margin-1.6.parquet",
        "--out results/tasks/ffpp/sensitivity/sensitivity.json",
        "--table results/tasks/ffpp/sensitivity/sensitivity.csv",
        "--picture results/tasks/ffpp/sensitivity/sensitivity.svg",
    )
)
def sensitivity(
    task: option.Task,
    test: option.TestSplit,
    metrics: Annotated[Path, typer.Option(help="The task's metrics.json.")],
    predictions: Annotated[Path, typer.Option(help="Predictions of the evaluation.")],
    faces: option.CropTables,
    out: option.JsonOut,
    table: Annotated[Path, option.writes("CSV to write.")],
    picture: Annotated[Path, option.writes("SVG to write.")],
    variants: Annotated[
        list[Path] | None, typer.Option(help="Predictions of lssat variant; once for each.")
    ] = None,
    params_: option.Params = "params.yaml",
) -> None:
    """Compare crops of other margins and other numbers of frames with the default."""
    with quick_imports():
        from lssat.evaluation import sensitivity as step

    view = params.view(params_, "sensitivity", task=task)
    named = {file.name.removesuffix(".parquet"): file for file in variants or []}
    files = step.Files(test, predictions, metrics, faces, named, out, table, picture)
    step.sensitivity(task, files, view)
