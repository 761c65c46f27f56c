"""Results by subset: each manipulation method against all reals, at every level."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lssat import metrics
from lssat.evaluation.scores import cells, measured
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.run_group import Scored
from lssat.params import Evaluate


def subsets(
    scored: list[Scored],
    level: Level,
    runs: dict[str, dict[str, Any]],
    train_labels: np.ndarray,
    options: Evaluate,
) -> Iterator[dict[str, Any]]:
    """Yield a row for each backbone x configuration x subset x metric of the table.

    Args:
        scored: the backbones and configurations.
        level: frames, clips or videos; a task that is not `binary` has no subsets.
        runs: the entries of metrics.json by the run's path.
        train_labels: for the baseline, which follows from the subset's own labels.
        options: confidence; resamples and seed of what is resampled.
    """
    if level.kind != "binary":
        return
    named = sorted(set(level.subsets[level.labels == 1]))
    for subset in named:
        part = level.part((level.labels == 0) | (level.subsets == subset))
        results = measured.measured(part, options)
        known = {
            metric: measured.intervals(scored, results, metric, options, beside=len(named))
            for metric in metrics.NAMES[part.kind]
        }
        baselines = cells.baseline(part, train_labels)
        for run_group in scored:
            own = {metric: spans.get(measured.key(run_group)) for metric, spans in known.items()}
            entries = [runs[run] for run in run_group.runs]
            for row in cells.rows(run_group, part, results, own, entries, baselines):
                yield row | {"subset": str(subset)}
