"""Evaluation of a task: predictions of all of its runs, metrics with intervals.

This is the only step that is given a test split: that of the task, or of a data set on which the
task's runs are only tested.
"""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import torch

from lssat import grid, predict, scores, tables
from lssat.loader import Crops
from lssat.tables import DataError


@dataclass(frozen=True)
class Files:
    """Where an evaluation reads and writes.

    Across data sets `train` is of the task that the runs were trained on, there is no `val`, and
    `test` and what follows are of the other data set.
    """

    runs: dict[str, Path]  # path of a run (its name) -> its folder
    train: Path
    val: Path | None
    test: Path
    summary: Path  # of the splits
    faces: Path  # folder of shards
    codes: Path  # folder of shards
    predictions: Path
    metrics: Path


def evaluate(dataset: str, files: Files, params: SimpleNamespace, device: str = "cpu") -> None:
    """Predict validation and test with each run of a task, then write metrics of the test.

    Args:
        dataset: the task's own, or one that its runs are only tested on; for messages.
        params: the view of the rule `evaluate` or `cross`.

    Raises:
        DataError: unusable input, or a data set of another kind of task than the runs'.
    """
    trained, labels = _trained(files)
    torch.set_num_threads(params.train.threads)
    parts, weights = [], {}
    for number, (name, folder) in enumerate(sorted(files.runs.items()), start=1):
        model = predict.load_run(folder).to(device)
        weights[name] = tables.read_json(folder / "record.json")["weights_sha256"]
        for split in filter(None, (files.val, files.test)):
            codes = files.codes if model.needs_codes else None
            crops = Crops(split, files.faces, codes, model.clips)
            found = predict.logits(model, crops, params.evaluate.batch_size)
            parts.append(_rows(name, crops, found))
        print(f"{dataset}: {number} of {len(files.runs)} runs predicted", flush=True)
    table = pa.concat_tables(parts)
    tables.write_table(files.predictions, table, tables.PREDICTIONS)
    coverage = tables.read_json(files.summary)["coverage"]["test"]
    design = scores.Design(params.benchmark.configurations, params.train.lambda_cls)
    measured = scores.summarise(table, crops.task, labels, coverage, params.evaluate, design)
    tables.write_json(files.metrics, measured | {"task": trained.name, "weights": weights})


def _trained(files: Files) -> tuple[grid.Task, np.ndarray]:
    """Return the task that the runs were trained on, and the labels for the trivial baseline."""
    train = tables.read_table(files.train, tables.SPLITS)
    trained = grid.read_task(tables.metadata(train), files.train)
    tested = grid.read_task(
        tables.metadata(tables.read_table(files.test, tables.SPLITS)), files.test
    )
    if (tested.kind, tested.outputs) != (trained.kind, trained.outputs):
        problem = f"is {tested.kind} with {tested.outputs} outputs"
        fix = f"The runs of {trained.name} are {trained.kind} with {trained.outputs}"
        raise DataError(files.test, problem, fix)
    return trained, np.array(train["labels"].to_pylist(), dtype=np.int64)


def _rows(run: str, crops: Crops, logits: np.ndarray) -> pa.Table:
    level = "clip" if crops.clips else "frame" if crops.task.level == "video" else "image"
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
