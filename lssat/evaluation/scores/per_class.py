"""Results of each attribute, and of each class against the rest with the confusion matrix."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from lssat import metrics
from lssat.evaluation.scores import cells, measured
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.measured import Measured
from lssat.evaluation.scores.run_group import Scored
from lssat.params import Evaluate

Intervals = dict[tuple[str, str], measured.Span]  # of (backbone, configuration)


class Apart(NamedTuple):
    """What the rows of all backbones and configurations share."""

    level: Level  # the headline's
    classes: tuple[str, ...]  # names of the attributes or classes
    results: Measured  # of the level, with `each`
    intervals: dict[tuple[str, int], Intervals]  # of each metric and column
    train_labels: np.ndarray  # (M,), (M, 1) or (M, A), for the baseline


def intervals(
    rows: list[Scored], level: Level, results: Measured, options: Evaluate
) -> dict[tuple[str, int], Intervals]:
    """Return the intervals of all rows for each metric of `metrics.EACH` and attribute or class."""
    if level.kind == "binary":
        return {}
    classes = next(iter(level.scores.values())).shape[1]
    shares = _indicators(level.kind, level.labels, classes).mean(axis=0)
    varied = int(((shares > 0) & (shares < 1)).sum())
    return {
        (metric, column): measured.intervals(
            rows, results, f"each/{metric}", options, column, beside=varied
        )
        for metric in metrics.EACH[level.kind]
        for column in range(classes)
    }


def each(scored: Scored, apart: Apart, runs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a row for each attribute or class x metric of `metrics.EACH`; none of a binary task.

    Args:
        scored: the backbone and configuration.
        runs: the entries of metrics.json of the runs.

    Returns:
        rows like those of the table, with the `class`, its `prevalence` in the test split and
        `train_prevalence`. A constant attribute or absent class leaves null with a note.
    """
    level, classes, results, known, train_labels = apart
    if level.kind == "binary":
        return
    truth = _indicators(level.kind, level.labels, level.scores[scored.runs[0]].shape[1])
    train = _indicators(level.kind, train_labels, truth.shape[1])
    down = cells.fallen(runs)
    size = dict(level=level.name, n=len(truth), groups=results.clusters, seeds=scored.seeds)
    for column in range(truth.shape[1]):
        shares = dict(
            prevalence=_share(truth[:, column]), train_prevalence=_share(train[:, column])
        )
        first = {**scored.labels, "class": classes[column], **size, **shares}
        baselines = _baseline(level.kind, train[:, column], truth[:, column], truth.shape[1])
        for metric in metrics.EACH[level.kind]:
            values = [_value(results, run, metric, column) for run in scored.runs]
            reasons = [
                None if value is not None else _why(level, truth[:, column], run)
                for run, value in zip(scored.runs, values, strict=True)
            ]
            why = cells.of_seeds(scored.seeds, reasons)
            interval = known[metric, column].get(measured.key(scored))
            yield first | cells.filled(metric, values, interval, baselines[metric], why, down)


def _value(results: Measured, run: str, metric: str, column: int) -> float | None:
    values = results.values.get(run, {}).get(f"each/{metric}")
    return None if values is None else values[column]


def _indicators(kind: str, labels: np.ndarray, columns: int) -> np.ndarray:
    """Return labels (N, A) of 0 and 1: of attributes as they are, of classes one column each."""
    return labels if kind == "multilabel" else metrics.one_hot(labels.ravel(), columns)


def _share(column: np.ndarray) -> float | None:
    return float(column.mean()) if len(column) else None


def _baseline(
    kind: str, train: np.ndarray, truth: np.ndarray, classes: int
) -> dict[str, float | None]:
    """Return the best constant answer of one attribute, or the best blind answer of a class.

    Of a class that is the recall of a random guess (their mean is the baseline of balanced
    accuracy), the precision of any blind answer, and the F1 of naming it every time.
    """
    if kind == "multilabel":
        return metrics.trivial(kind, train[:, None], truth[:, None], 1)
    share = float(truth.mean())
    if share in (0, 1):
        return dict.fromkeys(metrics.EACH[kind])
    blind = metrics.Blind(classes, share, truth.mean(keepdims=True))
    return {name: metrics.blindly(name, blind) for name in metrics.EACH[kind]}


def _why(level: Level, truth: np.ndarray, run: str) -> str:
    """Say why a run has no value of an attribute or class."""
    if reason := metrics.unusable(level.scores[run]):
        return reason
    if level.kind == "multilabel":
        return f"constant here: all {len(truth)} labels are {truth[0]}"
    if not truth.any():
        return f"no sample of this class among {len(truth)} labels"
    if truth.all():
        return f"no sample of another class among {len(truth)} labels"
    return "never predicted"


def confusion(scored: Scored, apart: Apart, runs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the confusion matrix of a backbone and configuration of a `multiclass` task.

    Returns:
        `counts` (K, K): rows are the true class, columns the predicted one, summed over seeds;
        `shares`: each row divided by its sum, None where the class is absent. As every seed has
        the same test samples, that is also the mean over seeds. None where a run has a score
        that is not finite, with a note.
    """
    level = apart.level
    if level.kind != "multiclass":
        return
    down = cells.fallen(runs)
    first = dict(level=level.name, n=len(level.labels), seeds=scored.seeds, runs=scored.runs)
    scores = [level.scores[run] for run in scored.runs]
    named = list(apart.classes[: scores[0].shape[1]])
    bad = cells.of_seeds(scored.seeds, [metrics.unusable(run_scores) for run_scores in scores])
    counts = None if bad else _counts(level.labels, scores)
    yield {
        **scored.labels,
        **first,
        "classes": named,
        "counts": None if counts is None else counts.tolist(),
        "shares": None if counts is None else _shares(counts),
        "note": "; ".join(dict.fromkeys([*bad, *down])) or None,
        "collapsed": bool(down),
    }


def _counts(labels: np.ndarray, scores: list[np.ndarray]) -> np.ndarray:
    predictions = [metrics.predicted("multiclass", run_scores) for run_scores in scores]
    return np.sum(
        [metrics.confusion(labels, predicted, scores[0].shape[1]) for predicted in predictions],
        axis=0,
    )


def _shares(counts: np.ndarray) -> list[list[float] | None]:
    return [(row / row.sum()).tolist() if row.any() else None for row in counts]
