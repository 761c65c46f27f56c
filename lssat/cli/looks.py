"""The commands of a closer look: where models look, what they are most wrong about."""

from pathlib import Path
from typing import Annotated

import typer

from lssat import params
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders


@app.command(
    epilog=example("lssat explain --task celeba --runs runs --test splits/test.parquet ...")
)
def explain(
    task: option.Task,
    runs: option.Runs,
    test: option.TestSplit,
    faces: option.Crops,
    codes: option.Codes,
    results: Annotated[Path, typer.Option(help="Folder of the task's predictions and metrics.")],
    out: Annotated[Path, option.writes("Folder to write to.", folder=True)],
    device: option.Device = "cpu",
    params_: option.Params = "params.yaml",
) -> None:
    """Show where a task's runs look: attention, gradients, embeddings, confident errors."""
    with quick_imports():
        from lssat import examine as step

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


@app.command(epilog=example("lssat gallery --data data/prepared --explained results/explain ..."))
def gallery(
    data: Annotated[Path, typer.Option(help="Folder of all tasks' data.")],
    explained: Annotated[Path, typer.Option(help="Folder of what `lssat explain` wrote.")],
    out: Annotated[Path, option.writes("Page to write; it shows faces, so keep it here.")],
    params_: option.Params = "params.yaml",
) -> None:
    """Write the page of the most confident errors, with their faces: for this machine only."""
    with quick_imports():
        from lssat.report import gallery as step

    view = params.view(params_, "gallery")
    files = {
        task: step.Files(
            explain=explained / task / "explain.json",
            maps=explained / task / "explain.npz",
            faces=data / task / "faces",
            codes=data / task / "texture" / view.texture.kind,
        )
        for task in view.benchmark.tasks
    }
    step.write(view.report.title, files, out)
