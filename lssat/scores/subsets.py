"""Results by subset: each manipulation method against all reals, at every level."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lssat import metrics, statistics
from lssat.params import Evaluate
from lssat.scores import cells
from lssat.scores.levels import Level
from lssat.scores.scored import Scored


def subsets(
    scored: list[Scored],
    level: Level,
    drawn: statistics.Resamples,
    runs: dict[str, dict[str, Any]],
    train_labels: np.ndarray,
    options: Evaluate,
) -> Iterator[dict[str, Any]]:
    """Yield a row for each backbone x configuration x subset x metric of the table.

    The same resamples as for all samples together: clusters of pairs hold a real video and its
    fakes, so a method's interval differs from the pooled one by its samples alone.

    Args:
        scored: the backbones and configurations.
        level: frames, clips or videos; a task that is not `binary` has no subsets.
        drawn: its resamples.
        runs: the entries of metrics.json by the run's path.
        train_labels: for the baseline, which follows from the subset's own labels.
        options: confidence and seed.
    """
    if level.kind != "binary":
        return
    for subset in sorted(set(level.subsets[level.labels == 1])):
        mask = (level.labels == 0) | (level.subsets == subset)
        scores = {run: found[mask] for run, found in level.scores.items()}
        part = level._replace(labels=level.labels[mask], scores=scores)
        chosen = drawn.of(mask)
        values = cells.resample(part, chosen)
        for each in scored:
            where = dict(subset=str(subset), level=level.name)
            for row in _rows(each, part, chosen, values, runs, train_labels, options):
                yield {**each.labels, **where, **row}


def _rows(
    scored: Scored,
    part: Level,
    drawn: statistics.Resamples,
    values: cells.Values,
    runs: dict[str, dict[str, Any]],
    train_labels: np.ndarray,
    options: Evaluate,
) -> Iterator[dict[str, Any]]:
    found = [metrics.binary(part.labels, part.scores[run]) for run in scored.runs]
    intervals = cells.intervals(scored, values, drawn, options)
    baselines = cells.baseline(part, train_labels)
    down = cells.fallen([runs[run] for run in scored.runs])
    size = dict(n=len(part.labels), groups=drawn.clusters, seeds=scored.seeds, runs=scored.runs)
    for metric in cells.TABLE[part.kind]:
        notes = [each["notes"][metric] for each in found if metric in each["notes"]]
        made = cells.row([each[metric] for each in found], intervals.get(metric), [*notes, *down])
        compared = cells.beside(made, baselines[metric], metric)
        yield {"metric": metric, **size, **made, **compared, "collapsed": bool(down)}
