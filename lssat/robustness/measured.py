"""From scores at each point of the grid of perturbations to rows with intervals."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lssat import metrics, statistics
from lssat.scores.levels import Level
from lssat.scores.scored import Scored

Point = tuple[str, int]  # perturbation and strength
CLEAN: Point = ("", 0)


class Measured(NamedTuple):
    """The headline metric of each run at a point: its value, and in every resample."""

    values: dict[str, float | None]
    drawn: dict[str, np.ndarray]  # run -> (B,); runs whose scores are not finite are absent
    notes: dict[str, str]  # run -> why it has no value


class Draws(NamedTuple):
    """What the intervals of all points share."""

    resamples: statistics.Resamples
    confidence: float
    seed: int


def measure(level: Level, metric: str, draws: Draws) -> Measured:
    """Compute the metric of each run from its scores at one point."""
    values: dict[str, float | None] = {}
    drawn, notes = {}, {}
    for run, scores in level.scores.items():
        found = metrics.measure(level.kind, level.labels, scores)
        values[run] = found[metric]
        if metric in found["notes"]:
            notes[run] = found["notes"][metric]
        if not metrics.unusable(scores):
            prepared = metrics.prepare(level.kind, level.labels, scores, (metric,))
            drawn[run] = statistics.resampled(prepared, draws.resamples)[metric]
    return Measured(values, drawn, notes)


def row(
    scored: Scored, points: dict[Point, Measured], baseline: float | None, draws: Draws
) -> dict[str, Any]:
    """Describe the runs of one backbone and configuration at all points.

    Args:
        points: every (perturbation, strength), and `CLEAN`.
        baseline: of the metric, without looking at the input.

    Returns:
        `clean`, a list of `points`, a list of `kinds` (each perturbation's mean over its
        strengths), and `corrupted`: the mean over all points, with the paired `drop` from clean
        and the share `retained` of what clean has above the baseline. Undefined is None, with a
        note.
    """
    every = [point for point in points if point != CLEAN]
    kinds = dict.fromkeys(name for name, _ in every)
    clean = _value(scored, [points[CLEAN]], draws)
    corrupted = _value(scored, [points[point] for point in every], draws)
    return {
        **scored.labels,
        **dict(seeds=scored.seeds, runs=scored.runs, baseline=baseline, clean=clean),
        "points": [
            dict(perturbation=name, strength=strength)
            | _value(scored, [points[name, strength]], draws)
            for name, strength in every
        ],
        "kinds": [
            dict(perturbation=kind)
            | _value(scored, [points[point] for point in every if point[0] == kind], draws)
            for kind in kinds
        ],
        "corrupted": corrupted
        | _drop(scored, points[CLEAN], [points[point] for point in every], draws)
        | _retained(clean["mean"], corrupted["mean"], baseline),
    }


def _value(scored: Scored, points: Sequence[Measured], draws: Draws) -> dict[str, Any]:
    """Return the mean over points and seeds; one that is undefined leaves it undefined."""
    by_seed = [_mean([point.values[run] for point in points]) for run in scored.runs]
    notes = [point.notes[run] for point in points for run in scored.runs if run in point.notes]
    interval = _interval(_resampled(scored, points), draws)
    if interval.note:
        notes.append(interval.note)
    return dict(
        values=by_seed,
        mean=_mean(by_seed),
        low=interval.low,
        high=interval.high,
        note="; ".join(dict.fromkeys(notes)) or None,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if len(defined) == len(values) else None


def _resampled(scored: Scored, points: Sequence[Measured]) -> np.ndarray | None:
    """Return the mean over points in every resample, (S, B), or None if a score is not finite."""
    if not all(run in point.drawn for point in points for run in scored.runs):
        return None
    each = [[point.drawn[run] for run in scored.runs] for point in points]
    return np.mean(each, axis=0)


def _interval(
    values: np.ndarray | None, draws: Draws, within: tuple[float, float] = (0, 1)
) -> statistics.Interval:
    if values is None:
        return statistics.Interval(None, None)
    if (draws.resamples.counts == 1).all():
        note = "no interval: nothing to resample, each stratum is a single cluster"
        return statistics.Interval(None, None, note)
    return statistics.interval(values, draws.confidence, draws.seed, within)


def _drop(
    scored: Scored, clean: Measured, points: Sequence[Measured], draws: Draws
) -> dict[str, Any]:
    """Return clean minus corrupted, whose resamples are the same: a paired interval."""
    before = _mean([clean.values[run] for run in scored.runs])
    after = _mean([_mean([point.values[run] for point in points]) for run in scored.runs])
    a, b = _resampled(scored, [clean]), _resampled(scored, points)
    interval = _interval(None if a is None or b is None else a - b, draws, (-1, 1))
    drop = None if before is None or after is None else before - after
    return dict(drop=drop, drop_low=interval.low, drop_high=interval.high)


def _retained(
    clean: float | None, corrupted: float | None, baseline: float | None
) -> dict[str, Any]:
    """Return the share of what clean has above the baseline that is left under perturbation."""
    if clean is None or corrupted is None or baseline is None:
        return dict(retained=None, retained_note="a number that it needs is undefined")
    if clean <= baseline:
        note = f"clean ({clean:.3f}) is not above the trivial baseline ({baseline:.3f})"
        return dict(retained=None, retained_note=note)
    return dict(retained=(corrupted - baseline) / (clean - baseline), retained_note=None)
