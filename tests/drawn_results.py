"""Results of a whole benchmark, drawn by code in the layout of the project, for tests."""

import csv
import json
from pathlib import Path

import numpy as np

from lssat import grid, scores, tables
from lssat.params import Evaluate
from lssat.report import OUTPUTS, TaskFiles

SIZE, PATCH = 96, 16
METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
CONFIGURATIONS = (
    "MRGB-RRGB-CRGB",
    "MRGB-RLDP-CRGB",
    "MLDP-RRGB-CRGB",
    "none-none-CRGB",
)
BACKBONES = ("vit_micro", "vit_mini")
EVALUATE = Evaluate(resamples=100, confidence=0.95, seed=0, batch_size=8)
PARAMS = {"report": {"title": "lssat on its built-in sample", "note": "Proof of the machinery, not science."}}  # fmt: skip # noqa: E501
_SKILL = {"MRGB-RRGB-CRGB": 1.3, "MRGB-RLDP-CRGB": 1.7, "MLDP-RRGB-CRGB": 1.0, "none-none-CRGB": 1.2}  # fmt: skip # noqa: E501


def draw(
    root: Path,
    tasks: tuple[str, ...] = tuple(grid.TASKS),
    backbones: tuple[str, ...] = BACKBONES,
    configurations: tuple[str, ...] = CONFIGURATIONS,
    seeds: tuple[int, ...] = (0, 1),
    texture: bool = True,
    rejects: int = 3,
) -> dict[str, TaskFiles]:
    """Write the results of a grid below `root` and say where they lie."""
    return {
        task: _task(
            root,
            task,
            grid.runs([task], list(backbones), list(configurations), list(seeds)),
            texture,
            rejects,
        )  # noqa: E501
        for task in tasks
    }


def outputs(root: Path) -> dict[str, Path]:
    """Where a report is written."""
    return {name: root / "results" / name for name in OUTPUTS}


def _task(root: Path, task: str, runs: list[grid.Run], texture: bool, rejects: int) -> TaskFiles:
    rng = np.random.default_rng(len(task))
    known = grid.TASKS[task]
    base, results = root / "data" / known.dataset, root / "results" / task
    samples = _samples(task, rng)
    rows = [row for run in runs for row in _predictions(run, samples, rng)]
    files = TaskFiles(
        metrics=results / "metrics.json",
        predictions=results / "predictions.parquet",
        mlflow=results / "mlflow.json",
        runs={run.path: root / "runs" / run.path for run in runs},
        faces=[_shard(base / "faces", i, samples, rng, None) for i in range(2)],
        texture=[_shard(base / "texture/ldp", i, samples, rng, "ldp") for i in range(2)]
        if texture
        else [],
        splits=base / "splits" / "summary.json",
        rejects=[base / "manifest.rejects.parquet"],
    )
    tables.write_table(files.predictions, rows, tables.PREDICTIONS)
    labels = np.array([sample["labels"] for sample in samples])
    table = tables.read_table(files.predictions, tables.PREDICTIONS)
    found = scores.summarise(table, task, labels, 0.9875, EVALUATE)
    tables.write_json(files.metrics, found)
    ids = {run.path: f"{i:032x}" for i, run in enumerate(runs)}
    tables.write_json(files.mlflow, {"experiment": f"lssat-{task}", "runs": ids})
    tables.write_json(files.splits, _summary(known.dataset))
    _rejects(files.rejects[0], known.dataset, rejects)
    for run in runs:
        _run(files.runs[run.path], run, known, rng)
    return files


def _samples(task: str, rng: np.random.Generator) -> list[dict]:
    if task == "deepfake":
        return [
            dict(id=f"{method}/c23/{n:03}_{n + 1:03}", frame=10 * f, group=f"{n:03}_{n + 1:03}",
                 subset=method, labels=[int(method != "original")])
            for method in ("original", *METHODS) for n in range(16) for f in range(3)
        ]  # fmt: skip
    if task == "attributes":
        active = rng.random((96, 8)) < 0.4
        return [
            dict(id=f"{n:06}.jpg", frame=0, group=str(n % 48), subset="",
                 labels=[*row.astype(int).tolist(), *[0] * 32])
            for n, row in enumerate(active)
        ]  # fmt: skip
    return [
        dict(id=f"val/{n}", frame=0, group=f"val/{n}", subset="", labels=[n % 8]) for n in range(96)
    ]


def _predictions(run: grid.Run, samples: list[dict], rng: np.random.Generator) -> list[dict]:
    skill = _SKILL.get(run.configuration, 1.0) + 0.3 * (run.backbone == "vit_mini")
    if run[1:] == ("vit_micro", "MLDP-RRGB-CRGB", 1):
        skill = 0.0  # a run that has not learnt
    level = "frame" if run.task == "deepfake" else "image"
    labels = np.array([sample["labels"] for sample in samples])
    signal = np.eye(8)[labels[:, 0]] if run.task == "emotion" else 2.0 * labels - 1
    skill *= 0.3 if run.task == "deepfake" else 0.6 if run.task == "attributes" else 1
    logits = skill * signal + rng.normal(0, 1.2, signal.shape)
    return [
        {
            **sample,
            "run": run.path,
            "level": level,
            "split": "test",
            "logits": row.tolist(),
        }
        for sample, row in zip(samples, logits, strict=True)
    ]


def _face(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw faces, uint8 (n, SIZE, SIZE, 3): smooth ovals, about as hard to compress as real ones."""
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    tone = rng.uniform(120, 220, (n, 1, 1))
    face = tone * np.exp(-((x / 0.75) ** 4 + (y / 0.95) ** 4))
    for side in (-0.32, 0.32):
        face = face - 90 * np.exp(-(((x - side) / 0.13) ** 2 + ((y + 0.2) / 0.08) ** 2))
    face = face - 70 * np.exp(
        -((x / 0.3) ** 2 + ((y - 0.5) / rng.uniform(0.05, 0.12, (n, 1, 1))) ** 2)
    )
    image = face[..., None] * [1.0, 0.84, 0.72] + 30 + rng.normal(0, 2, (n, SIZE, SIZE, 3))
    return image.clip(0, 255).astype(np.uint8)


def _codes(rng: np.random.Generator, faces: np.ndarray) -> np.ndarray:
    edges = np.abs(np.diff(faces[..., 0].astype(int), axis=-1, append=0))
    return ((edges * 37 + rng.integers(0, 8, edges.shape)) % 217 + 7).astype(np.uint8)


def _shard(
    folder: Path, i: int, samples: list, rng: np.random.Generator, kind: str | None
) -> tuple:
    rows = samples[i * 12 : i * 12 + 12]
    faces = _face(rng, len(rows))
    path, table = folder / f"shard-{i:05}.npy", folder / f"shard-{i:05}.parquet"
    digest = tables.write_shard(path, _codes(rng, faces) if kind else faces)
    where = [{"id": r["id"], "frame": r["frame"], "shard": i, "row": n} for n, r in enumerate(rows)]
    header = {"sha256": digest} | ({"kind": kind, "k": "3"} if kind else {})
    if not kind:
        more = dict(box=[0.0, 0.0, 96.0, 96.0], landmarks=[], score=0.99, n_faces=1, n_frames=30)
        where = [{**row, **more, "sha256": "0" * 64} for row in where]
    tables.write_table(table, where, tables.TEXTURE if kind else tables.FACES, header)
    return path, table


def _summary(dataset: str) -> dict:
    counts = {
        "train": {"0": 240, "1": 600},
        "val": {"0": 48, "1": 120},
        "test": {"0": 48, "1": 192},
    }
    return {
        "dataset": dataset,
        "samples": {"train": 840, "val": 168, "test": 240},
        "labels": counts,
        "coverage": {"train": 0.994, "val": 1.0, "test": 0.9875},
    }


def _rejects(path: Path, dataset: str, n: int) -> None:
    rows = [
        tables.reject(
            dataset,
            f"sample-{i}",
            f"videos/{i:03}.mp4",
            "faces",
            "no_face",
            "none found",
        )
        for i in range(n)
    ]
    tables.write_table(path, rows, tables.REJECTS)


def _run(folder: Path, run: grid.Run, known: grid.Task, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    alone = run.configuration.startswith("none")
    metric = f"val_{known.metric}"
    value = 0.5
    with open(folder / "curve.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "lr", "loss_cls", "loss_rec", "val_loss_cls", metric])
        for epoch in range(8):
            loss = 0.7 * np.exp(-epoch / 5) + rng.normal(0, 0.02)
            value = 0.5 + 0.35 * (1 - np.exp(-epoch / 3)) + rng.normal(0, 0.02)
            rec = "" if alone else 0.9 * np.exp(-epoch / 9) + 0.2 + rng.normal(0, 0.01)
            writer.writerow([epoch, 1e-3, loss, rec, loss + 0.03 * epoch, value])
    arrays = {}
    if not alone:
        faces = _face(rng, 6)
        mask = (rng.random((6, (SIZE // PATCH) ** 2)).argsort(1) < 27).astype(np.uint8)
        texture = "RLDP" in run.configuration
        target = np.repeat(_codes(rng, faces)[..., None], 3, -1) if texture else faces
        blurred = np.broadcast_to(target.mean((1, 2), keepdims=True), target.shape)
        holes = mask.reshape(-1, 6, 6).repeat(PATCH, 1).repeat(PATCH, 2)[..., None] == 1
        output = np.where(holes, 0.6 * target + 0.4 * blurred, target).astype(np.uint8)
        arrays = dict(input=faces, mask=mask, target=target, output=output)
    np.savez_compressed(folder / "reconstruction.npz", **arrays)
    record = {
        "run": run.path, "task": run.task, "backbone": run.backbone, "seed": run.seed,
        "configuration": str(grid.parse(run.configuration)), "best_epoch": 6, "epochs": 8,
        "select_metric": metric, "best_value": float(value), "parameters": 412_808,
        "decoder_parameters": 0 if alone else 91_200, "seconds": 12.4, "imgs_per_second": 541.9,
        "weights_sha256": f"{run.seed}" * 64, "device": "cpu",
        "environment": {"python": "3.11.7", "torch": "2.15.0", "timm": "1.0.31"},
        "git": {"revision": "a6f2230" + "0" * 33, "dirty": False},
        "params": {"texture": {"kind": "ldp", "k": 3}, "train": {"epochs": 8, "lr": 1e-3}},
        "data": {"train": "1" * 64, "val": "2" * 64},
    }  # fmt: skip
    (folder / "record.json").write_text(json.dumps(record))
