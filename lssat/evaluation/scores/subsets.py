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
    for subset in sorted(set(level.subsets[level.labels == 1])):
        mask = (level.labels == 0) | (level.subsets == subset)
        scores = {run: run_scores[mask] for run, run_scores in level.scores.items()}
        groups = [group for group, chosen in zip(level.groups, mask, strict=True) if chosen]
        part = level._replace(labels=level.labels[mask], scores=scores, groups=groups)
        results = measured.measured(part, options)
        known = {
            metric: measured.intervals(scored, results, metric, options)
            for metric in metrics.NAMES[part.kind]
        }
        for run_group in scored:
            where = dict(subset=str(subset), level=level.name)
            for row in _rows(run_group, part, results, known, runs, train_labels):
                yield {**run_group.labels, **where, **row}


def _rows(
    scored: Scored,
    part: Level,
    results: measured.Measured,
    intervals: dict[str, dict[tuple[str, str], measured.Span]],
    runs: dict[str, dict[str, Any]],
    train_labels: np.ndarray,
) -> Iterator[dict[str, Any]]:
    baselines = cells.baseline(part, train_labels)
    down = cells.fallen([runs[run] for run in scored.runs])
    size = dict(n=len(part.labels), groups=results.clusters, seeds=scored.seeds, runs=scored.runs)
    for metric in metrics.NAMES[part.kind]:
        notes = cells.of_seeds(
            scored.seeds, [results.notes[run].get(metric) for run in scored.runs]
        )
        values = [results.values.get(run, {}).get(metric) for run in scored.runs]
        interval = intervals[metric].get(measured.key(scored))
        row = cells.row(values, interval, [*notes, *down])
        compared = cells.beside(interval, baselines[metric], metric)
        yield {"metric": metric, **size, **row, **compared, "collapsed": bool(down)}
