"""A whole small project, from a drawn raw tree to metrics, made by the steps themselves."""

from pathlib import Path

from helpers import ROOT
from helpers.training import view
from helpers.trees import FACES as SETTINGS
from helpers.views import changed
from lssat import grid, params
from lssat.data import datasets, faces, splits, texture
from lssat.evaluation import evaluate
from lssat.tables.project import Data, Project
from lssat.training import train as training


def project(root: Path, dataset: str, options: params.Dataset, runs: list[grid.Run]) -> Path:
    """Make data/, runs/ and results/ below `root`, in the project's layout; crops of 40 px."""
    data = Project(root).data(dataset)
    crops, codes = data.faces.shard(0), data.texture("ldp").shard(0)
    settings = SETTINGS.model_copy(update={"size": 40})
    datasets.manifest(dataset, options, data.manifest, data.rejects)
    faces.crop_shard(data.manifest, dataset, options, settings, 0, *crops)
    kind = params.Texture(kind="ldp", k=3, encoding="code")
    texture.write_shard(crops.npy, crops.table, kind, codes.npy, codes.table)
    chosen = params.Splits(seed=0, affectnet_test=0.5, selection="val", holdout=0.1)
    read = data.manifest, data.rejects, [crops.table], [crops.rejects]
    splits.write(dataset, *read, options, chosen, data.splits.files)
    for run in runs:
        _train(Project(root), run, data)
    _evaluate(Project(root), dataset, runs, data)
    return root


def _train(project: Project, run: grid.Run, data: Data) -> None:
    out = project.runs.run(run.path)
    where = training.Files(
        data.splits.train, data.splits.val, data.faces.root, data.texture("ldp").root, *out,
        checkpoints=project.states / run.path,
        features=project.features,
    )  # fmt: skip
    training.train(run, where, view(epochs=3, batch_size=2, warmup_epochs=0, lr=3e-3))


def _evaluate(project: Project, task: str, runs: list[grid.Run], data: Data) -> None:
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    part = changed(part, evaluate={"resamples": 100})
    out, splits = project.results.task(task), data.splits
    where = evaluate.Files(
        runs={run.path: project.runs.run(run.path).root for run in runs},
        train=splits.train, val=splits.val, test=splits.test, summary=splits.summary,
        faces=data.faces.root, codes=data.texture("ldp").root,
        predictions=out.predictions, metrics=out.metrics,
    )  # fmt: skip
    evaluate.evaluate(task, where, part)
