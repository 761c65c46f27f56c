"""Nearest neighbours on the features of a linear probe's frozen encoder, beside the probe itself.

Nothing is trained. The number of neighbours is chosen on the validation split, and the test split
is scored once with it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from lssat import grid, metrics
from lssat.evaluation import logits
from lssat.grid.trained import record as record_of
from lssat.metrics import neighbours
from lssat.params import Train
from lssat.tables import DataError
from lssat.tables.project import RunFiles, Splits
from lssat.training.features import Features, Maker
from lssat.training.loader import Crops
from lssat.training.parallel import Processes
from lssat.training.resume import Stop


@dataclass(frozen=True)
class Files:
    """Where the run and its data lie."""

    run: Path
    splits: Splits
    faces: Path
    codes: Path
    features: Path  # of all frozen encoders of the project


def knn(run: grid.Run, files: Files, device: str = "cpu") -> dict[str, Any]:
    """Score a probe's encoder by the nearest training samples.

    Returns:
        `run`, `metric`, `level`, `rule` (in words), `val` (number of neighbours -> the metric),
        `neighbours` (the best on validation, of equals the fewest) and `test` (the metric).

    Raises:
        DataError: the run trained its encoder, so that its features are not of a frozen one.
    """
    record = record_of(files.run, "params", "weights_sha256")
    recipe = Train.model_validate(record["params"]["train"])
    named = grid.parse(run.configuration)
    if recipe.tune != "linear" or named.masked:
        problem = f"trained its encoder (tune: {recipe.tune}), and k-NN is of a frozen one"
        fix = "Name a run with tune: linear and without reconstruction"
        raise DataError(RunFiles(files.run).record, problem, fix)
    torch.set_num_threads(recipe.threads)
    model = logits.load_run(files.run)
    codes = files.codes if model.needs_codes else None
    share = recipe.share, run.seed
    data = {
        name: Crops(file, files.faces, codes, model.clips, share if name == "train" else (1.0, 0))
        for name, file in files.splits.tables.items()
    }
    fabric = Fabric(
        accelerator=device, devices=1, precision=recipe.precision, plugins=[Processes()]
    )
    made = Maker(files.features, model, recipe, fabric, Stop()).of(run.path, data)
    task = made["train"].task
    metric = task.metric
    scored = {name: _votes(made["train"], made[name]) for name in ("val", "test")}
    val = {k: _measured(made["val"], scores, metric) for k, scores in scored["val"].items()}
    sign = 1 if metric in metrics.LOWER_IS_BETTER else -1
    known = {k: value for k, value in val.items() if value is not None}
    best = min(known or val, key=lambda k: (sign * known.get(k, 0.0), k))
    rule = f"cosine, votes weighted with temperature {neighbours.TEMPERATURE}"
    facts = dict(run=run.path, metric=metric, level=task.level, rule=rule)
    test = _measured(made["test"], scored["test"][best], metric)
    return facts | dict(val=val, neighbours=best, test=test)


def _votes(train: Features, asked: Features) -> dict[int, np.ndarray]:
    return neighbours.votes(train.array, _targets(train), asked.array)


def _targets(samples: Features) -> np.ndarray:
    """Return the labels as (N, K) of zeros and ones: each attribute, or each class."""
    kind = samples.task.kind
    if kind == "multilabel":
        return samples.labels.astype(float)
    classes = 2 if kind == "binary" else samples.task.outputs
    return metrics.one_hot(samples.labels[:, 0], classes).astype(float)


def _measured(samples: Features, scores: np.ndarray, metric: str) -> float | None:
    """Return the task's headline: of videos of the mean over their frames."""
    kind, labels = samples.task.kind, samples.labels
    scores = scores[:, 1] if kind == "binary" else scores
    if samples.task.level == "video":
        ids = samples.table["id"].to_pylist()
        scores, labels = (metrics.video_scores(ids, each)[1] for each in (scores, labels))
    labels = labels if kind == "multilabel" else labels[:, 0].astype(int)
    value: float | None = metrics.measure(kind, labels, scores)[metric]
    return value


def told(found: dict[str, Any]) -> str:
    """Say a result in lines."""
    metric, level = found["metric"], found["level"]
    lines = [f"{found['run']}: {level} {metric} of the nearest neighbours, {found['rule']}"]
    for k, value in found["val"].items():
        chosen = ", chosen" if k == found["neighbours"] else ""
        lines.append(f"  k = {k:<4} validation {_number(value)}{chosen}")
    return "\n".join([*lines, f"  test, k = {found['neighbours']}: {_number(found['test'])}"])


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
