"""Robustness of a task's runs: the headline metric on perturbed test crops.

Every (perturbation, strength) is applied once and given to all runs. Where a run sees texture it
is computed from the perturbed crop, never read from the cache. A step of evaluation: it is given
the test split.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from lssat import grid, metrics, tables, texture
from lssat.evaluation import logits, perturb
from lssat.evaluation.perturb import PERTURBATIONS
from lssat.evaluation.robustness.rows import CLEAN, RECODED, Point, rows
from lssat.evaluation.robustness.subset import choose
from lssat.evaluation.scores import measured as core
from lssat.evaluation.scores.levels import Level, levels
from lssat.evaluation.scores.measured import Measured
from lssat.evaluation.scores.run_group import Design, by_seed
from lssat.models.ssat import SSAT
from lssat.params.views import RobustnessView
from lssat.tables.contracts import VERSION
from lssat.training.loader import Crops

_AT_ONCE = 2**28  # bytes of crops that are perturbed together and shown to one run after another


@dataclass(frozen=True)
class Files:
    """Where robustness reads and writes."""

    runs: dict[str, Path]  # path of a run (its name) -> its folder
    train: Path
    test: Path
    faces: Path  # folder of shards
    out: Path  # JSON


def robustness(task: str, files: Files, params: RobustnessView, device: str = "cpu") -> None:
    """Score the runs of a task on its test crops, clean and perturbed, and write the result.

    Args:
        task: for messages.
        params: the view of the rule `robustness`.

    Raises:
        DataError: unusable input.
    """
    torch.set_num_threads(params.train.threads)
    known = logits.trained_on(files.train, files.test)
    trained, labels = known.trained, known.labels
    folders = _chosen(files.runs, params)
    models = {run: logits.load_run(folder) for run, folder in folders.items()}
    parts = [
        _Part(files, {run: model for run, model in models.items() if model.clips == clips}, params)
        for clips in sorted({model.clips for model in models.values()})
    ]
    options = params.robustness
    points = [CLEAN, RECODED, *product(options.perturbations, options.strengths)]
    for number, point in enumerate(points, start=1):
        for part in parts:
            part.measure(point, device)
        print(f"{task}: {number} of {len(points)} points of robustness", flush=True)
    facts = _facts(trained, parts, params)
    all_rows = [row for part in parts for row in part.rows(labels)]
    tables.write_json(files.out, facts | {"rows": all_rows})


def _chosen(runs: dict[str, Path], params: RobustnessView) -> dict[str, Path]:
    """Return the runs of the grid, without variants; of each row all, or the first seed."""
    design = Design(params.benchmark.configurations)
    rows = [row for row in by_seed(list(runs)) if not design.sweeps(row.configuration)]
    most = None if params.robustness.seeds == "all" else 1
    return {run: runs[run] for row in rows for run in row.runs[:most]}


class _Part:
    """The runs that see images or frames, or those that see clips, and the samples for them."""

    def __init__(self, files: Files, models: dict[str, SSAT], params: RobustnessView):
        self.models, self.options, self.params = models, params.robustness, params
        clips = next(iter(models.values())).clips
        self.crops = Crops(files.test, files.faces, None, clips)
        for model in models.values():
            logits.check_size(model, self.crops)
        table = self.crops.table
        kinds = None if self.crops.task.kind == "multilabel" else self.crops.labels[:, 0]
        groups = table["group"].to_pylist()
        self.chosen = choose(groups, kinds, self.options.samples, self.options.seed)
        ids, frames = (table[name].to_pylist() for name in ("id", "frame"))
        self.keys = perturb.keys_of(ids, frames)
        self.level: Level | None = None
        self.points: dict[Point, Measured] = {}

    def measure(self, point: Point, device: str) -> None:
        """Predict and measure at one point, all runs on the same perturbed crops."""
        outputs: dict[str, list[np.ndarray]] = {run: [] for run in self.models}
        for imgs, codes in self._perturbed(point):
            for run, model in self.models.items():
                outputs[run] += self._classified(model.to(device), imgs, codes)
                if device != "cpu":
                    model.to("cpu")  # all runs' weights together may be more than fits
        table = pa.concat_tables(
            logits.rows(run, self.crops, np.concatenate(parts), self.chosen)
            for run, parts in outputs.items()
        )
        (row_levels,) = levels(table, self.crops.task.name, self.crops.task.kind)
        self.level = row_levels[-1]
        metric = self.crops.task.metric
        self.points[point] = core.measured(self.level, None, names=[metric])

    def _perturbed(self, point: Point) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield crops and their codes, where a run needs any, in pieces that fit in memory."""
        sample = 3 * self.crops.size**2 * self.crops.frames
        step = max(1, _AT_ONCE // sample)
        needed = any(model.needs_codes for model in self.models.values())
        for start in range(0, len(self.chosen), step):
            rows = self.chosen[start : start + step]
            imgs = np.ascontiguousarray(self.crops.batch(rows).imgs.movedim(1, -1).numpy())
            if point == RECODED:
                imgs = perturb.recode(imgs)
            elif point != CLEAN:
                imgs = perturb.perturb(imgs, *point, self.options.seed, self.keys[rows])
            codes = torch.from_numpy(self._codes(imgs))[:, None] if needed else None
            yield torch.from_numpy(imgs).movedim(-1, 1), codes

    def _codes(self, imgs: np.ndarray) -> np.ndarray:
        options = self.params.texture
        flat = imgs.reshape(-1, *imgs.shape[-3:])
        return texture.codes(flat, options.kind, options.k).reshape(imgs.shape[:-1])

    def _classified(self, model: SSAT, imgs: Tensor, codes: Tensor | None) -> list[np.ndarray]:
        size = self.params.evaluate.batch_size
        pieces = [slice(at, at + size) for at in range(0, len(imgs), size)]
        return [
            logits.classify(model, imgs[piece], None if codes is None else codes[piece])
            for piece in pieces
        ]

    def rows(self, train_labels: np.ndarray) -> list[dict[str, Any]]:
        """Return a row for each backbone and configuration."""
        assert self.level is not None
        level, metric = self.level, self.crops.task.metric
        classes = next(iter(level.scores.values())).shape[-1]
        baseline = metrics.trivial(level.kind, train_labels, level.labels, classes)[metric]
        size = dict(level=level.name, metric=metric, n=len(level.labels))
        size |= dict(groups=self.points[CLEAN].clusters)
        scored = by_seed(list(self.models))
        described = rows(scored, self.points, metric, baseline, self.params.evaluate)
        return [size | row for row in described]


def _facts(task: grid.Task, parts: list[_Part], params: RobustnessView) -> dict[str, Any]:
    options = params.robustness
    return {
        "version": VERSION,
        "task": task.name,
        "kind": task.kind,
        "title": task.title,
        "metric": task.metric,
        "split": "test",
        "confidence": params.evaluate.confidence,
        "seeds": options.seeds,
        "strengths": list(options.strengths),
        "recoded": {"scale": perturb.RECODED_SCALE, "quality": perturb.RECODED_QUALITY},
        "samples": {
            "clip" if part.crops.clips else "crop": [len(part.chosen), len(part.crops)]
            for part in parts
        },
        "perturbations": [
            dict(
                name=name,
                title=perturbation.title,
                what=perturbation.what,
                levels=list(perturbation.levels),
            )
            for name, perturbation in PERTURBATIONS.items()
            if name in options.perturbations
        ],
    }
