"""The commands of a closer look: where models look, what they are most wrong about."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lssat import params
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders
from lssat.tables import face_privacy


@app.command(
    epilog=example(
        "lssat explain --task celeba --runs runs",
        "--test data/prepared/celeba/splits/test.parquet",
        "--faces data/prepared/celeba/faces --codes data/prepared/celeba/texture/ldp",
        "--results results/tasks/celeba --out results/explain/celeba",
    )
)
def explain(
    task: option.Task,
    runs: option.Runs,
    test: option.TestSplit,
    faces: option.Crops,
    codes: option.Codes,
    results: Annotated[Path, typer.Option(help="Folder of the task's predictions and metrics.")],
    out: Annotated[Path, option.writes("Folder to write to.", folder=True)],
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
) -> None:
    """Show where a task's runs look: attention, gradients, embeddings, confident errors."""
    with quick_imports():
        from lssat.evaluation import explain as step

    view = params.view(params_, "explain")
    files = step.Files(
        runs=run_folders(runs, task, view),
        test=test,
        faces=faces,
        codes=codes,
        predictions=results / "predictions.parquet",
        metrics=results / "metrics.json",
        explain=out / "explain.json",
        maps=out / "explain.npz",
    )
    step.examine(task, files, view, device)


@app.command(
    epilog=example(
        "lssat speed --out results/speed.json",
    )
)
def speed(
    out: option.JsonOut,
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
) -> None:
    """Time inference of each backbone: one image and a batch, with drawn weights.

    Let nothing else run beside it. Snakemake gives it all cores.
    """
    with quick_imports():
        from lssat.evaluation import speed as step

    step.measure(out, params.view(params_, "speed"), device)


@app.command(
    epilog=example(
        "lssat gallery --data data/prepared --explained results/explain",
        "--out results/local/gallery.html",
    )
)
def gallery(
    data: Annotated[Path, typer.Option(help="Folder of all tasks' data.")],
    explained: Annotated[Path, typer.Option(help="Folder of what `lssat explain` wrote.")],
    out: Annotated[Path, option.writes("Page to write; it shows faces, so keep it here.")],
    runs: option.Runs = Path("runs"),
    params_: option.Params = "params.yaml",
) -> None:
    """Write the page of faces, for this machine only: errors, and what the report leaves out."""
    with quick_imports():
        from lssat.report import gallery as step
        from lssat.report.sections import heading

    values = params.part(params_, "gallery")
    view = params.view(json.dumps(values), "gallery")
    files = {
        task: step.Files(
            explain=explained / task / "explain.json",
            maps=explained / task / "explain.npz",
            faces=data / task / "faces",
            codes=data / task / "texture" / view.texture.kind,
            runs=runs,
        )
        for task in view.benchmark.tasks
    }
    places = {task: face_privacy.place(task, values) for task in files}
    step.write(heading.title(values, step.titles(files)), files, out, places)
