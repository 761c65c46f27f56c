"""Evaluation of a task: predictions of all of its runs, metrics with intervals.

This is the only step that is given the test split.
"""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import torch

from lssat import grid, predict, scores, tables
from lssat.loader import Crops


@dataclass(frozen=True)
class Files:
    """Where an evaluation reads and writes."""

    runs: dict[str, Path]  # path of a run (its name) -> its folder
    train: Path
    val: Path
    test: Path
    summary: Path  # of the splits
    faces: Path  # folder of shards
    codes: Path  # folder of shards
    predictions: Path
    metrics: Path


def evaluate(task: str, files: Files, params: SimpleNamespace, device: str = "cpu") -> None:
    """Predict validation and test with each run of a task, then write metrics of the test.

    Args:
        params: the view of the rule `evaluate`.
    """
    torch.set_num_threads(params.train.threads)
    parts = []
    for number, (name, folder) in enumerate(sorted(files.runs.items()), start=1):
        model = predict.load_run(folder).to(device)
        for split in ("val", "test"):
            crops = Crops(
                getattr(files, split), files.faces, files.codes if model.needs_codes else None
            )
            found = predict.logits(model, crops, params.evaluate.batch_size)
            parts.append(_rows(name, crops, found))
        print(f"{task}: {number} of {len(files.runs)} runs predicted", flush=True)
    table = pa.concat_tables(parts)
    tables.write_table(files.predictions, table, tables.PREDICTIONS)
    train = tables.read_table(files.train, tables.SPLITS)
    labels = np.array(train["labels"].to_pylist(), dtype=np.int64)
    coverage = tables.read_json(files.summary)["coverage"]["test"]
    known = grid.read_task(tables.metadata(train), files.train)
    measured = scores.summarise(table, known, labels, coverage, params.evaluate)
    tables.write_json(files.metrics, measured)


def _rows(run: str, crops: Crops, logits: np.ndarray) -> pa.Table:
    level = "frame" if crops.task.level == "video" else "image"
    kept = ("id", "frame", "clip", "group", "subset", "split")
    same = {name: crops.table[name] for name in kept}
    columns = {
        **same,
        "run": pa.array([run] * len(crops)),
        "level": pa.array([level] * len(crops)),
        "labels": crops.table["labels"],
        "logits": pa.array(list(logits), type=pa.list_(pa.float32())),
    }
    return pa.table({name: columns[name] for name in tables.PREDICTIONS.names}).cast(
        tables.PREDICTIONS
    )
