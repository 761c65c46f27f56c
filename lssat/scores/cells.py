"""A number as the tables hold it: a value a seed, their mean, its interval, why there is none."""

from typing import Any

import numpy as np

from lssat import metrics, statistics
from lssat.params import Evaluate
from lssat.scores.levels import Level
from lssat.scores.scored import Scored

# The metrics that get a row with an interval in the table, of each kind of task.
TABLE = {
    "binary": ("auc", "eer", "ap", "tpr_at_fpr01", "accuracy", "balanced_accuracy"),
    "multilabel": ("balanced_accuracy", "accuracy", "f1", "auc", "ap"),
    "multiclass": ("top1", "macro_f1", "balanced_accuracy", "mean_ovr_accuracy", "auc"),
}

Values = dict[str, dict[str, np.ndarray]]  # run -> metric -> in every resample, (B,) or (B, A)


def baseline(level: Level, train_labels: np.ndarray) -> dict[str, float | None]:
    """Return the metrics of the best constant answer; `metrics.trivial` says which."""
    classes = next(iter(level.scores.values())).shape[-1]
    return metrics.trivial(level.kind, train_labels, level.labels, classes)


def resample(level: Level, drawn: statistics.Resamples, each: bool = False) -> Values:
    """Return for each run with finite scores the metrics of the table in every resample.

    Args:
        level: whose labels and scores.
        drawn: the resamples of its samples.
        each: whether those of each attribute or class come too, (B, A) under `each/<name>`.
    """
    able = {run: found for run, found in level.scores.items() if not metrics.unusable(found)}
    names = TABLE[level.kind]
    return {
        run: statistics.resampled(
            metrics.prepare(level.kind, level.labels, found, names, each), drawn
        )
        for run, found in able.items()
    }


def intervals(
    scored: Scored, values: Values, drawn: statistics.Resamples, options: Evaluate
) -> dict[str, statistics.Interval]:
    """Return the interval of each metric's mean over seeds; {} where a run has no values."""
    if not all(run in values for run in scored.runs):
        return {}
    mine = [
        {name: found for name, found in values[run].items() if not name.startswith("each/")}
        for run in scored.runs
    ]
    return statistics.intervals_of(mine, drawn, options.confidence, options.seed)


def row(
    values: list[float | None], interval: statistics.Interval | None, notes: list[str]
) -> dict[str, Any]:
    """Return mean, interval and note of one metric; one undefined seed leaves all undefined."""
    defined = [value for value in values if value is not None]
    mean = float(np.mean(defined)) if len(defined) == len(values) else None
    if mean is None or interval is None:
        interval = statistics.Interval(None, None)
    elif interval.note:
        notes = [*notes, interval.note]
    note = "; ".join(dict.fromkeys(notes)) or None
    return dict(values=values, mean=mean, low=interval.low, high=interval.high, note=note)


def beside(row: dict[str, Any], baseline: float | None, metric: str) -> dict[str, Any]:
    """Return the baseline, and whether the whole interval lies on its better side."""
    return dict(baseline=baseline, beats_baseline=_beats(row, baseline, metric))


def _beats(row: dict[str, Any], baseline: float | None, metric: str) -> bool:
    if row["low"] is None or baseline is None:
        return False
    lower = metric in metrics.LOWER_IS_BETTER
    return row["high"] < baseline if lower else row["low"] > baseline


def fallen(runs: list[dict[str, Any]]) -> list[str]:
    """Return a note for each of a row's runs (entries of metrics.json) that collapsed."""
    return [
        f"collapsed: seed {run['seed']} {run['notes']['collapsed']}"
        for run in runs
        if run["collapsed"]
    ]
