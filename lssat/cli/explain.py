"""The commands of a closer look: where models look, what they are most wrong about."""

import json
from typing import Annotated

import typer

from lssat import params
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders
from lssat.tables import DataError, face_privacy


@app.command(epilog=example("lssat explain --task celeba"))
def explain(
    task: option.Task,
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Show where a task's runs look: attention, gradients, embeddings, confident errors."""
    out = project.results.explain(task)
    with quick_imports(out.json, out.maps):
        from lssat.evaluation import explain as step

    view = params.view(params_, params.views.ExplainView)
    data, results = project.data(task), project.results.task(task)
    files = step.Files(
        runs=run_folders(project, task, view),
        test=data.splits.test,
        faces=data.faces.root,
        codes=data.texture(view.texture.kind).root,
        predictions=results.predictions,
        metrics=results.metrics,
        explain=out.json,
        maps=out.maps,
    )
    step.examine(task, files, view, device)


@app.command(epilog=example("lssat speed"))
def speed(
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Time inference of each backbone: one image and a batch, with drawn weights.

    Let nothing else run beside it. Snakemake gives it all cores.
    """
    out = project.results.speed
    with quick_imports(out):
        from lssat.evaluation import speed as step

    step.measure(out, params.view(params_, params.views.SpeedView), device)


@app.command(epilog=example("lssat gallery"))
def gallery(
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Write the page of faces, for this machine only: errors, and what the report leaves out."""
    out = project.results.gallery
    with quick_imports(out):
        from lssat.report import gallery as step
        from lssat.report.sections import heading

    values = params.part(params_, params.views.GalleryView)
    view = params.view(json.dumps(values), params.views.GalleryView)
    files = {
        task: step.Files(
            explain=project.results.explain(task).json,
            maps=project.results.explain(task).maps,
            faces=project.data(task).faces.root,
            codes=project.data(task).texture(view.texture.kind).root,
            runs=project.runs.root,
        )
        for task in view.benchmark.tasks
    }
    places = {task: face_privacy.place(task, values) for task in files}
    step.write(heading.title(values, step.titles(files)), files, out, places)


@app.command(epilog=example("lssat blends --task ffpp"))
def blends(
    task: option.Task,
    seed: Annotated[int, typer.Option(help="Of a run.", min=0)] = 0,
    epoch: Annotated[int, typer.Option(help="Of its training, from 0.", min=0)] = 0,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Write a page of what train.blend makes of real faces: pairs, masks, boundaries."""
    given = params.part(params_, params.views.GalleryView)
    if task not in given["datasets"]:
        problem = f"has no section datasets.{task}"
        raise DataError(params_, problem, f"Name one of {', '.join(given['datasets'])}")
    if face_privacy.place(task, given) == "nowhere":
        problem = "report.faces: none, and the page of blends is made of faces"
        raise DataError(params_, problem, "Write local, or sample")
    data, out = project.data(task), project.results.blends(task)
    with quick_imports(out):
        from lssat.report import blends as step

    step.write(step.Files(data.splits.train, data.faces.root, out), seed, epoch)
    print(f"blends: {out}")
