"""A number as the tables hold it: a value a seed, their mean, its interval, why there is none."""

from typing import Any

import numpy as np

from lssat import metrics, statistics
from lssat.scores.levels import Level


def baseline(level: Level, train_labels: np.ndarray) -> dict[str, float | None]:
    """Return the metrics of the best constant answer; `metrics.trivial` says which."""
    classes = next(iter(level.scores.values())).shape[-1]
    return metrics.trivial(level.kind, train_labels, level.labels, classes)


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
