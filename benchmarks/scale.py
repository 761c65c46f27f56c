"""How long, and in how much memory, does a whole task take to evaluate after its training?

    python benchmarks/scale.py
    python benchmarks/scale.py --tasks celeba --sizes 15

Artifacts of the papers' size with random logits: FF++ of 700 test videos x 32 frames, CelebA of
19,962 images x 40 attributes, AffectNet of 2,000 images x 8 classes; splits, records of runs and
predictions as the steps write them. `--sizes` are multiples of a small grid of 6 runs (1, 4 and
15: up to 90 runs of a task); a size of the samples can be set by --share. Each row is a process
of its own: seconds of CPU and of wall time, and the most memory that it held.
"""

import argparse
import contextlib
import functools
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from lssat import grid, params, tables
from lssat.evaluation import logits
from lssat.evaluation.scores import levels
from lssat.grid import releases

SAMPLES = {"ffpp": 700, "celeba": 19_962, "affectnet": 2_000}  # videos or images of the test
FRAMES = 32
BACKBONES = ("vit_tiny", "vit_small", "vit_base", "vit_large", "deit_base")
CONFIGURATIONS = ("MRGB-RRGB-CRGB", "MRGB-RLDP-CRGB", "none-none-CRGB")
SMALL = 6  # runs


def splits(task: grid.Task, share: float, folder: Path) -> None:
    """Draw the splits' tables: as many of validation as of test, and few of training."""
    rng = np.random.default_rng(0)
    count = max(60, int(SAMPLES[task.name] * share))
    for split, n in (("train", 200), ("val", count), ("test", count)):
        ids = np.repeat(np.arange(n), FRAMES if task.level == "video" else 1)
        frames = np.tile(np.arange(FRAMES), n) if task.level == "video" else np.zeros(n, int)
        if task.kind == "multilabel":
            labels = rng.random((n, len(task.classes))) < rng.uniform(0.05, 0.6, len(task.classes))
            groups = [f"{who}" for who in rng.integers(max(n // 20, 30), size=n)]
        else:
            labels = (np.arange(n) % max(task.outputs, 2))[:, None]
            groups = [f"{k}" for k in range(n)]
        methods = ("original", "Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
        subset = [methods[k % 5] if task.name == "ffpp" else "" for k in range(n)]
        if task.name == "ffpp":
            labels = np.array([[k % 5 > 0] for k in range(n)])
        columns = {
            "id": [f"{k:06d}" for k in ids],
            "frame": frames,
            "clip": np.full(len(ids), -1),
            "shard": np.zeros(len(ids), int),
            "row": np.arange(len(ids)),
            "labels": labels.astype(int)[ids].tolist(),
            "subset": [subset[k] for k in ids],
            "split": [split] * len(ids),
            "group": [groups[k] for k in ids],
            "seed": np.zeros(len(ids), int),
        }
        columns = {name: columns[name] for name in tables.SPLITS.names}
        table = pa.table(columns).cast(tables.SPLITS)
        tables.write_table(folder / f"{split}.parquet", table, tables.SPLITS, task.header())
    covered = dict.fromkeys(("train", "val", "test"), 1.0)
    tables.write_json(folder / "summary.json", {"coverage": covered, "coverage_present": covered})


def artifacts(task: grid.Task, runs: int, share: float, folder: Path) -> None:
    """Draw splits, and the records of a grid's runs; their weights are never read."""
    splits(task, share, folder)
    seeds = list(range(-(-runs // (len(BACKBONES) * len(CONFIGURATIONS)))))
    grown = grid.every_run([task.name], list(BACKBONES), list(CONFIGURATIONS), seeds)
    # Seeds outermost, so that a small grid has all of its seeds' neighbours.
    chosen = sorted(grown, key=lambda run: (run.backbone, run.configuration, run.seed))[:runs]
    for run in chosen:
        digest = hashlib.sha256(run.path.encode()).hexdigest()
        record = {"version": 1, "weights_sha256": digest, "best_loss": 0.5}
        record |= {"configuration": run.configuration, "params": {"train": {"tune": "full"}}}
        tables.write_json(folder / run.path / "record.json", record)


class Drawn:
    """In place of models and what they see: logits are drawn, half of their noise a backbone's."""

    def __init__(self, *_: object):
        self.read = functools.cache(lambda split: tables.read_table(split, tables.SPLITS))

    def seen_by(self, model: object, split: Path, *_: object) -> pa.Table:
        """Return the samples of a split, read once for all runs."""
        return self.read(split)

    def to(self, device: str) -> "Drawn":
        """As a model."""
        return self


def predicted(
    run: str, model: object, samples: pa.Table, batch_size: int, answers: list[int]
) -> pa.Table:
    """Return the rows of a run on a split with drawn logits; all of its outputs answer."""
    task = grid.read_task(tables.metadata(samples), run)
    truth = levels.matrix(samples["labels"], task.name)
    if task.kind == "multiclass":
        truth = np.eye(task.outputs)[truth[:, 0]]
    backbone, own = (np.random.default_rng(sum(s.encode())) for s in (run.split("/")[1], run))
    noise = backbone.normal(0, 1, truth.shape) + own.normal(0, 1, truth.shape)
    level = "frame" if task.level == "video" else "image"
    return logits.as_table(run, level, samples, 2.0 * truth - 1 + noise)


def evaluate(task: str, runs: list[grid.Run], folder: Path) -> None:
    """The step `lssat evaluate`, with drawn logits."""
    from lssat.evaluation import evaluate as step

    step.logits.load_run, step.logits.predicted = Drawn, predicted
    step.logits.Splits = Drawn
    files = step.Files(
        runs={run.path: folder / run.path for run in runs},
        train=folder / "train.parquet",
        val=folder / "val.parquet",
        test=folder / "test.parquet",
        summary=folder / "summary.json",
        faces=folder,
        codes=folder,
        predictions=folder / "predictions.parquet",
        metrics=folder / "metrics.json",
    )
    step.evaluate(task, files, params.view("presets/paper.yaml", params.views.EvaluateView))


def slices(task: str, runs: list[grid.Run], folder: Path) -> None:
    """The step `lssat slices`, by two attributes."""
    from lssat.evaluation import slices as step

    options = params.view("presets/paper.yaml", params.views.SlicesView, task=task)
    files = step.Files(
        folder / "predictions.parquet", folder / "metrics.json", folder / "slices.json"
    )
    step.own(task, files, ["Male", "Young"], 10, options.evaluate)


STEPS = {"evaluate": evaluate, "slices": slices}


def measure(step: str, task: str, folder: Path) -> None:
    """Run a step in a process of its own and print what it took."""
    began = time.perf_counter()
    command = [sys.executable, __file__, "--step", step, task, str(folder)]
    used = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(f"{used} {time.perf_counter() - began:8.1f} s wall", flush=True)


def drawn_runs(task: str, folder: Path) -> list[grid.Run]:
    """Return the runs of a task that `artifacts` drew, in the order of their names."""
    runs = sorted(path.parent for path in folder.glob(f"{task}/*/*/seed*/record.json"))
    return [grid.Run.of(f"{run.relative_to(folder)}") for run in runs]


def alone(step: str, task: str, folder: Path) -> None:
    """Run a step in this process, on one thread, and print what the process used."""
    runs = drawn_runs(task, folder)
    with threadpool_limits(1), contextlib.redirect_stdout(None):
        STEPS[step](task, runs, folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu, most = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024**2
    name = f"{step} {task}, {len(runs)} runs"
    print(f"{name:32} {cpu:8.1f} s CPU {most:6.2f} GiB", end="")


def main() -> None:
    """Parse the command line, and measure each step at each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=list(SAMPLES), choices=list(SAMPLES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[1, 4, 15], help=f"x {SMALL} runs")
    parser.add_argument("--share", type=float, default=1.0, help="of the papers' test samples")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        step, task, where = asked.step
        return alone(step, task, Path(where))
    for name in asked.tasks:
        for size in asked.sizes:
            with tempfile.TemporaryDirectory() as folder:
                artifacts(releases.TASKS[name], SMALL * size, asked.share, Path(folder))
                measure("evaluate", name, Path(folder))
                if releases.TASKS[name].kind == "multilabel":
                    measure("slices", name, Path(folder))


if __name__ == "__main__":
    main()
