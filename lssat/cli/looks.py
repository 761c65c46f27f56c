"""The commands of a closer look: where models look, what they are most wrong about."""

from pathlib import Path
from typing import Annotated

import typer

from lssat import params
from lssat.cli.base import Device, ParamsOption, app, example, quick_imports, run_folders


@app.command(
    epilog=example("lssat explain --task celeba --runs runs --test splits/test.parquet ...")
)
def explain(
    task: Annotated[str, typer.Option(help="A section of datasets.")],
    runs: Annotated[Path, typer.Option(help="Folder of all runs.")],
    test: Annotated[Path, typer.Option(help="Test split.")],
    faces: Annotated[Path, typer.Option(help="Folder of the crops' shards.")],
    codes: Annotated[Path, typer.Option(help="Folder of the texture's shards.")],
    results: Annotated[Path, typer.Option(help="Folder of the task's predictions and metrics.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    device: Device = "cpu",
    params_: ParamsOption = "params.yaml",
) -> None:
    """Show where a task's runs look: attention, gradients, embeddings, confident errors."""
    with quick_imports():
        from lssat import examine as step

    view = params.view(params_, "explain")
    files = step.Files(
        runs=run_folders(runs, task, view.benchmark),
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
    out: Annotated[Path, typer.Option(help="Page to write; it shows faces, so keep it here.")],
    params_: ParamsOption = "params.yaml",
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
