"""Predictions whose truth is known, and what `metrics.json` makes of them."""

import json

import numpy as np
import pyarrow as pa

from lssat import grid
from lssat.evaluation import scores
from lssat.grid import releases
from lssat.params import Evaluate
from lssat.tables import PREDICTIONS

OPTIONS = Evaluate(resamples=200, confidence=0.95, seed=0, batch_size=8)


METHODS = ("original", "Deepfakes", "FaceSwap")


RUNS = [run.path for run in grid.every_run(["ffpp"], ["vit_micro"], ["MRGB-RLDP-CRGB"], [0, 1])]


def deepfake_rows(runs: list[str] = RUNS, pairs: int = 12, signal: float = 1.5) -> list[dict]:
    """Draw two frames of each video of some pairs: one real, one fake by each method."""
    rows = []
    for run in runs:
        rng = np.random.default_rng(grid.Run.of(run).seed)
        for pair in range(pairs):
            for method in METHODS:
                for frame in (0, 5):
                    fake = int(method != "original")
                    rows.append(
                        dict(
                            run=run, id=f"{method}/c23/{pair:03d}", frame=frame, clip=-1,
                            group=f"{pair:03d}", subset=method, level="frame", split="test",
                            labels=[fake], logits=[signal * (fake - 0.5) + rng.normal()],
                        )
                    )  # fmt: skip
    return rows


def image_rows(task: str, n: int = 48, signal: float = 1.5) -> list[dict]:
    """Draw images of a task with three attributes or four classes."""
    rng = np.random.default_rng(4)
    rows = []
    for run in grid.every_run([task], ["vit_micro"], ["MRGB-RRGB-CRGB"], [0, 1]):
        for i in range(n):
            truth = np.eye(4)[i % 4] if task == "affectnet" else np.array([i % 2, i % 3 == 0, 0])
            labels = [i % 4] if task == "affectnet" else truth.astype(int).tolist()
            logits = (signal * (truth - 0.5) + rng.normal(size=len(truth))).tolist()
            rows.append(
                dict(run=run.path, id=f"{i:06d}", frame=0, clip=-1, group=f"{i // 2}", subset="",
                     level="image", split="test", labels=labels, logits=logits)
            )  # fmt: skip
    return rows


def table(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=PREDICTIONS)


def summarise(
    rows: list[dict],
    task: str = "ffpp",
    train: np.ndarray | None = None,
    design: scores.Design | None = None,
) -> dict:
    train = np.array([[1], [1], [0]]) if train is None else train
    found = scores.summarise(table(rows), releases.TASKS[task], train, 0.98, OPTIONS, design)
    json.dumps(found, allow_nan=False)
    return found


def runs_of(configuration: str, backbone: str = "vit_micro", seeds: int = 2) -> list[str]:
    return [run.path for run in grid.every_run(["ffpp"], [backbone], [configuration], range(seeds))]


def signal_rows(signals: dict[str, float], pairs: int = 30) -> list[dict]:
    made = []
    for number, (configuration, signal) in enumerate(signals.items()):
        for run in runs_of(configuration):
            rows = deepfake_rows([run], pairs, signal)
            rng = np.random.default_rng([number, grid.Run.of(run).seed])
            for row in rows:  # noise of its own, so that the arms are not one another's copy
                row["logits"] = [row["logits"][0] + rng.normal()]
            made += rows
    return made
