"""Rows of k-NN scores beside a task's linear probes: means over seeds with their intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lssat.evaluation.knn import Voted
from lssat.evaluation.scores import cells
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.measured import intervals, key, measured
from lssat.evaluation.scores.run_group import by_seed
from lssat.params import Evaluate


def rows(found: Sequence[Voted], train_labels: np.ndarray, options: Evaluate) -> list[dict]:
    """Return a row for each backbone and configuration of probes.

    Args:
        found: the runs of one task.
        train_labels: (M,) or (M, A), of the training split, for the trivial baseline.

    Returns:
        as rows of `table` in metrics.json, of the headline metric alone, with `neighbours`: the
        number of them that each seed's validation chose.
    """
    kinds: dict[tuple[str, ...], list[Voted]] = {}
    for each in found:  # encoders of clips may see other videos than those of images
        kinds.setdefault(tuple(each.level.ids), []).append(each)
    return [row for own in kinds.values() for row in _rows(own, train_labels, options)]


def _rows(found: list[Voted], train_labels: np.ndarray, options: Evaluate) -> list[dict[str, Any]]:
    by_run = {each.run: each for each in found}
    scores = {run: each.level.scores[run] for run, each in by_run.items()}
    level: Level = found[0].level._replace(scores=scores)
    metric, groups = found[0].task.metric, by_seed(list(by_run))
    results = measured(level, options, names=[metric])
    spans = intervals(groups, results, metric, options)
    baseline = cells.baseline(level, train_labels)[metric]
    size = dict(n=len(level.ids), groups=results.clusters)
    made = []
    for scored in groups:
        values, reasons = cells.by_seed(scored, results, metric)
        span = spans.get(key(scored))
        row = scored.labels | dict(level=level.name, metric=metric, **size, seeds=scored.seeds)
        row |= cells.row(values, span, cells.of_seeds(scored.seeds, reasons))
        row |= cells.beside(span, baseline, metric)
        row |= dict(runs=scored.runs, neighbours=[by_run[run].neighbours for run in scored.runs])
        made.append(row)
    return made
