"""Evaluation of a task: predictions of all of its runs, metrics with intervals.

Only the steps of evaluation, this one and its neighbours `robustness`, `explain` and `sensitivity`,
are given a test split: that of the task, or here of a data set on which the task's runs are only
tested. docs/architecture.md lists who reads test labels.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from lssat import grid, tables
from lssat.evaluation import logits, scores
from lssat.grid.trained import mean
from lssat.params.views import EvaluateView
from lssat.tables.project import RunFiles


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
    external: Sequence[Path] = ()  # scores of other programs, as their step wrote them
    features: Path | None = None  # of frozen encoders; None: they get no k-NN score


def evaluate(dataset: str, files: Files, params: EvaluateView, device: str = "cpu") -> None:
    """Predict validation and test with each run of a task, then write metrics of the test.

    Args:
        dataset: the task's own, or one that its runs are only tested on; for messages.
        params: the view of the rule `evaluate` or `cross`.

    Raises:
        DataError: unusable input, or a data set whose classes are not among the runs'.
    """
    which = logits.trained_on(files.train, files.test)
    trained, tested, batch = which.trained, which.tested, params.evaluate.batch_size
    torch.set_num_threads(params.train.threads)
    parts, records = [], {}
    splits = logits.Splits(files.faces, files.codes)
    for number, (name, folder) in enumerate(sorted(files.runs.items()), start=1):
        model = logits.load_run(folder).to(device)
        records[name] = tables.read_record(
            RunFiles(folder).record, "configuration", "weights_sha256", "params"
        )
        chosen_by = records[name]["params"]["train"].get("methods")  # as in training
        for split in filter(None, (files.val, files.test)):
            crops = splits.seen_by(model, split, chosen_by if split == files.val else None)
            parts.append(logits.predicted(name, model, crops, batch, which.answers))
        print(f"{dataset}: {number} of {len(files.runs)} runs predicted", flush=True)
    others = [tables.read_table(file, tables.PREDICTIONS) for file in files.external]
    table = pa.concat_tables([*parts, *others])
    summary = tables.read_json(files.summary)
    coverage = summary["coverage"]["test"]
    present = summary.get("coverage_present", summary["coverage"])["test"]
    design = scores.Design(params.benchmark.configurations, params.train.lambda_cls)
    measured = scores.summarise(table, tested, which.labels, coverage, params.evaluate, design)
    if near := _nearest(files, records, which, params, device):
        measured["nearest"] = near
    weights = {name: record["weights_sha256"] for name, record in records.items()}
    for row in measured["table"]:  # it decides which of equal rows is called the best
        own = [records[run].get("best_loss") for run in row["runs"] if run in records]
        row["val_loss"] = mean(own)
    made_by = {other["run"][0].as_py(): _source(other) for other in others}
    for entry in measured["runs"]:
        if entry["run"] in made_by:
            entry["external"] = made_by[entry["run"]]
    measured |= {"task": trained.name, "weights": weights, "coverage_present": present}
    if tested.name != trained.name:
        kept = {trained.classes[output] for output in which.answers}
        unasked = [name for name in trained.classes if name not in kept]
        measured["unasked"] = unasked if trained.kind != "binary" else []
    with tables.together():
        tables.write_table(files.predictions, table, tables.PREDICTIONS)
        tables.write_json(files.metrics, measured)


def _nearest(
    files: Files,
    records: dict[str, tables.Record],
    which: logits.Tested,
    params: EvaluateView,
    device: str,
) -> list[dict[str, Any]]:
    """Return the rows of k-NN scores: of probes at home, whose validation chooses k."""
    if files.val is None or files.features is None:
        return []
    if not any(record["params"]["train"].get("tune") == "linear" for record in records.values()):
        return []
    from lssat.evaluation import knn, knn_rows  # what trains is imported: only where it is needed

    splits = {"train": files.train, "val": files.val, "test": files.test}
    found = []
    for name, record in records.items():
        if knn.frozen(record):
            own = knn.Files(files.runs[name], splits, files.faces, files.codes, files.features)
            found.append(knn.knn(grid.Run.of(name), own, device))
    torch.set_num_threads(params.train.threads)
    return knn_rows.rows(found, which.labels, params.evaluate)


def _source(scores: pa.Table) -> dict[str, str]:
    """Return the file that another program's scores came from, and its sha256."""
    return json.loads(tables.metadata(scores)["external"])
