"""A whole small project, from a drawn raw tree to metrics, made by the steps themselves."""

from pathlib import Path

from helpers import ROOT
from helpers.training import view
from helpers.trees import FACES as SETTINGS
from lssat import grid, params
from lssat.data import datasets, faces, splits, texture
from lssat.evaluation import evaluate
from lssat.training import train as training


def project(root: Path, dataset: str, options: params.Dataset, runs: list[grid.Run]) -> Path:
    """Make data/, runs/ and results/ below `root`, in the project's layout; crops of 40 px."""
    data = root / "data/prepared" / dataset
    crops, codes = data / "faces/shard-00000.npy", data / "texture/ldp/shard-00000.npy"
    manifest, lost = data / "manifest.parquet", data / "manifest.rejects.parquet"
    table, rejects = crops.with_suffix(".parquet"), crops.with_suffix(".rejects.parquet")
    settings = SETTINGS.model_copy(update={"size": 40})
    datasets.manifest(dataset, options, manifest, lost)
    faces.crop_shard(manifest, dataset, options, settings, 0, crops, table, rejects)
    kind = params.Texture(kind="ldp", k=3, encoding="code")
    texture.write_shard(crops, table, kind, codes, codes.with_suffix(".parquet"))
    files = {name: data / f"splits/{name}.parquet" for name in splits.NAMES}
    files |= {f"{name}_ids": data / f"splits/{name}.txt" for name in (*splits.NAMES, "unused")}
    files["summary"] = data / "splits/summary.json"
    chosen = params.Splits(seed=0, affectnet_test=0.5, selection="val", holdout=0.1)
    splits.write(dataset, manifest, lost, [table], [rejects], options, chosen, files)
    for run in runs:
        _train(root, run, files, crops.parent, codes.parent)
    _evaluate(root, dataset, runs, files, crops.parent, codes.parent)
    return root


def _train(root: Path, run: grid.Run, files: dict, crops: Path, codes: Path) -> None:
    out = root / "runs" / run.path
    where = training.Files(
        train=files["train"], val=files["val"], faces=crops, codes=codes,
        weights=out / "weights.safetensors", curve=out / "curve.csv",
        record=out / "record.json", reconstruction=out / "reconstruction.npz",
        checkpoints=root / "checkpoints" / run.path,
    )  # fmt: skip
    training.train(run, where, view(epochs=3, batch_size=2, warmup_epochs=0, lr=3e-3))


def _evaluate(
    root: Path, task: str, runs: list[grid.Run], files: dict, crops: Path, codes: Path
) -> None:
    part = params.view(str(ROOT / "params.yaml"), "evaluate")
    part.evaluate = part.evaluate.model_copy(update={"resamples": 100})
    out = root / "results/tasks" / task
    where = evaluate.Files(
        runs={run.path: root / "runs" / run.path for run in runs},
        train=files["train"], val=files["val"], test=files["test"], summary=files["summary"],
        faces=crops, codes=codes,
        predictions=out / "predictions.parquet", metrics=out / "metrics.json",
    )  # fmt: skip
    evaluate.evaluate(task, where, part)
