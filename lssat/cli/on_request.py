"""The commands of what is only computed when it is asked for."""

from typing import Annotated

import typer

from lssat import params
from lssat.cli import option
from lssat.cli.base import app, example, quick_imports, run_folders


@app.command(epilog=example("lssat variant --task ffpp --variant margin-1.6"))
def variant(
    task: option.Task,
    variant: Annotated[str, typer.Option(help="margin-<margin> or frames-<count>.")],
    device: option.Device = option.MACHINE.device,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Predict on the test faces cropped with another margin, or from more frames."""
    out = project.results.task(task).sensitivity.variant(variant)
    with quick_imports(out):
        from lssat.evaluation.sensitivity import recropped as step

    view = params.view(params_, params.views.VariantView, task=task)
    data, runs = project.data(task), run_folders(project, task, view)
    files = step.Files(runs, data.manifest, data.splits.test, data.faces.root, out)
    step.variant(task, variant, files, view, device)


@app.command(epilog=example("lssat sensitivity --task ffpp"))
def sensitivity(
    task: option.Task,
    params_: option.Params = "params.yaml",
    project: option.InProject = option.HERE,
) -> None:
    """Compare crops of other margins and other numbers of frames with the default."""
    data, results = project.data(task), project.results.task(task)
    out = results.sensitivity
    with quick_imports(out.json, out.table, out.picture):
        from lssat.evaluation import sensitivity as step

    view = params.view(params_, params.views.SensitivityView, task=task)
    own = view.datasets[task]
    faces = [shard.table for shard in data.faces.first(own.shards)]
    names = view.sensitivity.variants(view.faces.margin, own.stored_frames)
    variants = {name: out.variant(name) for name in names}
    read = data.splits.test, results.predictions, results.metrics, faces, variants
    step.sensitivity(task, step.Files(*read, out.json, out.table, out.picture), view)
