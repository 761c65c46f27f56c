"""Explanations of a task's runs: maps of where they look, embeddings, confident errors.

This is part of evaluation: beside `evaluate` it is given a test split, on which it chooses
nothing. The run that is looked at closest is the best by validation.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from lssat import tables
from lssat.evaluation import logits
from lssat.evaluation.explain import choose
from lssat.evaluation.explain.maps import Look
from lssat.params.views import ExplainView
from lssat.tables import DataError, Metrics
from lssat.tables.contracts import VERSION
from lssat.tables.project import RunFiles
from lssat.training.loader import Crops


@dataclass(frozen=True)
class Files:
    """Where the step reads and writes."""

    runs: dict[str, Path]  # path of a run (its name) -> its folder
    test: Path
    faces: Path  # folder of shards
    codes: Path  # folder of shards
    predictions: Path
    metrics: Path
    explain: Path  # JSON
    maps: Path  # NPZ


def examine(dataset: str, files: Files, params: ExplainView, device: str = "cpu") -> None:
    """Explain the first seed of each row, project features, find the most confident errors.

    Args:
        dataset: the task's, for messages.
        params: the view of the rule `explain`.

    Raises:
        DataError: unusable input.
    """
    torch.set_num_threads(params.train.threads)
    records = {
        run: tables.read_record(RunFiles(folder).record) for run, folder in files.runs.items()
    }
    rows = choose.rows(records)
    metric = records[rows[0].run]["select_metric"]
    chosen = choose.best(rows, metric)
    plain = choose.beside(rows, chosen, metric)
    predictions = tables.read_table(files.predictions, tables.PREDICTIONS)
    heat = temperature(tables.read_metrics(files.metrics, "runs"), chosen.run, files.metrics)
    content: dict[str, Any] = dict(version=VERSION, rows=[], embeddings=[], temperature=heat)
    maps: dict[str, np.ndarray] = {}
    read: dict[bool, Crops] = {}
    for number, row in enumerate(rows):
        model = logits.load_run(files.runs[row.run]).to(device)
        if model.clips not in read:
            read[model.clips] = Crops(files.test, files.faces, files.codes, model.clips)
        look = Look(model, read[model.clips], predictions, params.explain, device)
        arrays, facts = look.mean_maps()
        content["rows"].append(row._asdict() | facts | {"maps": f"row{number}"})
        maps |= {f"row{number}_{name}": array for name, array in arrays.items()}
        if row in (chosen, plain):
            content["embeddings"].append(row._asdict() | look.embedding())
        if row == chosen:
            fresh = logits.untrained(files.runs[row.run], params.explain.seed).to(device)
            content |= dict(random=look.likeness(fresh), target=look.named)
            content |= dict(title=look.task.title, level=look.level)
            for name in ("examples", "errors"):
                arrays, content[name] = getattr(look, name)(row.run, heat or 1.0)
                maps |= {f"{name}_{kind}": array for kind, array in arrays.items()}
        print(f"{dataset}: {number + 1} of {len(rows)} rows explained", flush=True)
    content |= dict(task=dataset, chosen=chosen._asdict(), metric=metric)
    with tables.together():
        content |= dict(maps_sha256=tables.write_whole(files.maps, lambda file: _save(file, maps)))
        tables.write_json(files.explain, content)


def temperature(metrics: Metrics, run: str, file: str | Path) -> float | None:
    """Return the temperature that was fitted on a run's validation logits, where there is one.

    Raises:
        DataError: the metrics are of other runs.
    """
    for entry in metrics["runs"]:
        if entry["run"] == run:
            return (entry.get("calibration") or {}).get("temperature")
    raise DataError(file, f"names no run {run}", "Evaluate the task again")


def _save(file: IO[bytes], maps: dict[str, np.ndarray]) -> None:
    np.savez_compressed(file, allow_pickle=False, **maps)  # type: ignore[arg-type]
