"""Nearest neighbours on the features of a linear probe's frozen encoder, beside the probe itself.

Nothing is trained. The number of neighbours is chosen on the validation split, and the test split
is scored once with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from lssat import grid, metrics
from lssat.evaluation import logits
from lssat.evaluation.scores.levels import Level
from lssat.grid.trained import record as record_of
from lssat.metrics import knn_votes
from lssat.params import Train
from lssat.tables import DataError
from lssat.tables.project import RunFiles
from lssat.training.features import Features, Maker
from lssat.training.loader import Crops
from lssat.training.parallel import Processes
from lssat.training.resume import Stop


@dataclass(frozen=True)
class Files:
    """Where the run and its data lie."""

    run: Path
    splits: Mapping[str, Path]  # train, val, test -> table of schema SPLITS
    faces: Path
    codes: Path
    features: Path  # of all frozen encoders of the project


@dataclass(frozen=True)
class Voted:
    """What the nearest neighbours of a run's frozen features say."""

    run: str
    task: grid.Task
    val: dict[int, float | None]  # number of neighbours -> the headline metric on validation
    neighbours: int  # the best on validation, of equals the fewest
    level: Level  # the test split at the headline's level, with the votes as scores of the run

    @property
    def test(self) -> float | None:
        """The headline metric on the test split."""
        scores = self.level.scores[self.run]
        value: float | None = metrics.measure(self.level.kind, self.level.labels, scores)[
            self.task.metric
        ]
        return value


def frozen(record: Mapping[str, Any]) -> bool:
    """Say whether a run's features are of a frozen encoder that it read once."""
    named = grid.parse(record["configuration"])
    tune = record["params"]["train"].get("tune", "full")  # older records do not have it
    return bool(tune == "linear" and not named.masked)


def knn(run: grid.Run, files: Files, device: str = "cpu") -> Voted:
    """Score a probe's encoder by the nearest samples of what the probe was trained on.

    Raises:
        DataError: the run trained its encoder, so that its features are not of a frozen one.
    """
    record = record_of(files.run, "params", "weights_sha256")
    recipe = Train.model_validate(record["params"]["train"])
    if not frozen(record):
        problem = f"trained its encoder (tune: {recipe.tune}), and k-NN is of a frozen one"
        fix = "Name a run with tune: linear and without reconstruction"
        raise DataError(RunFiles(files.run).record, problem, fix)
    torch.set_num_threads(recipe.threads)
    model = logits.load_run(files.run)
    codes = files.codes if model.needs_codes else None
    # As the probe was trained and chosen: nothing of a manipulation that was left out.
    seen: dict[str, dict[str, Any]] = {
        "train": dict(share=(recipe.share, run.seed), methods=recipe.methods),
        "val": dict(methods=recipe.methods),
    }
    data = {
        name: Crops(file, files.faces, codes, model.clips, **seen.get(name, {}))
        for name, file in files.splits.items()
    }
    fabric = Fabric(
        accelerator=device, devices=1, precision=recipe.precision, plugins=[Processes()]
    )
    made = Maker(files.features, model, recipe, fabric, Stop()).of(run.path, data)
    task = made["train"].task
    by_k = _votes(made["train"], made["val"])
    val = {
        k: metrics.measure(task.kind, level.labels, level.scores[run.path])[task.metric]
        for k, level in ((k, _level(run.path, made["val"], votes)) for k, votes in by_k.items())
    }
    sign = 1 if task.metric in metrics.LOWER_IS_BETTER else -1
    known = {k: value for k, value in val.items() if value is not None}
    best = min(known or val, key=lambda k: (sign * known.get(k, 0.0), k))
    votes = _votes(made["train"], made["test"], (best,))[best]
    return Voted(run.path, task, val, best, _level(run.path, made["test"], votes))


def _votes(
    train: Features, asked: Features, numbers: tuple[int, ...] = knn_votes.NEIGHBOURS
) -> dict[int, np.ndarray]:
    return knn_votes.votes(train.array, _targets(train), asked.array, numbers)


def _targets(samples: Features) -> np.ndarray:
    """Return the labels as (N, K) of zeros and ones: each attribute, or each class."""
    kind = samples.task.kind
    if kind == "multilabel":
        return samples.labels.astype(float)
    classes = 2 if kind == "binary" else samples.task.outputs
    return metrics.one_hot(samples.labels[:, 0], classes).astype(float)


def _level(run: str, samples: Features, scores: np.ndarray) -> Level:
    """Return samples and votes at the headline's level: of videos the mean over their frames."""
    task, table = samples.task, samples.table
    ids, groups = table["id"].to_pylist(), table["group"].to_pylist()
    subsets = np.array(table["subset"].to_pylist())
    labels = samples.labels if task.kind == "multilabel" else samples.labels[:, 0].astype(int)
    scores = scores[:, 1] if task.kind == "binary" else scores
    if task.level == "video":
        first = np.sort(np.unique(ids, return_index=True)[1])  # as video_scores: as they appear
        scores, (ids, labels) = (
            metrics.video_scores(ids, scores)[1],
            metrics.video_scores(ids, labels),
        )
        labels = labels.astype(int)
        groups, subsets = [groups[at] for at in first], subsets[first]
    return Level(task.level, task.kind, ids, labels, groups, subsets, {run: scores})


def told(found: Voted) -> str:
    """Say a result in lines."""
    rule = f"cosine, votes weighted with temperature {knn_votes.TEMPERATURE}"
    what = f"{found.task.level} {found.task.metric} of the nearest neighbours, {rule}"
    lines = [f"{found.run}: {what}"]
    for k, value in found.val.items():
        chosen = ", chosen" if k == found.neighbours else ""
        lines.append(f"  k = {k:<4} validation {_number(value)}{chosen}")
    return "\n".join([*lines, f"  test, k = {found.neighbours}: {_number(found.test)}"])


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
