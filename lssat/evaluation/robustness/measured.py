"""From scores at each point of the grid of perturbations to rows with intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lssat.evaluation.scores import measured as core
from lssat.evaluation.scores.measured import Measured, Span, key
from lssat.evaluation.scores.paired import paired
from lssat.evaluation.scores.run_group import Scored
from lssat.params import Evaluate

Point = tuple[str, int]  # perturbation and strength
CLEAN: Point = ("", 0)
Intervals = dict[tuple[str, str], Span]  # of (backbone, configuration)


def rows(
    scored: Sequence[Scored],
    points: dict[Point, Measured],
    metric: str,
    baseline: float | None,
    options: Evaluate,
) -> list[dict[str, Any]]:
    """Describe the runs of each backbone and configuration at all points.

    Args:
        points: every (perturbation, strength), and `CLEAN`.
        metric: the headline's, which has influence values.
        baseline: of the metric, without looking at the input.

    Returns:
        a dict each: `clean`, a list of `points`, a list of `kinds` (each perturbation's mean over
        its strengths), and `corrupted`: the mean over all points, with the paired `drop` from
        clean and the share `retained` of what clean has above the baseline. Undefined is None,
        with a note.
    """
    every = [point for point in points if point != CLEAN]
    kinds = dict.fromkeys(name for name, _ in every)
    places: dict[tuple[str, Any], list[Point]] = {
        ("clean", 0): [CLEAN],
        ("corrupted", 0): every,
        **{point: [point] for point in every},
        **{("kind", name): [point for point in every if point[0] == name] for name in kinds},
    }
    found = {place: _averaged([points[at] for at in of], metric) for place, of in places.items()}
    drops = paired(scored, found["clean", 0], found["corrupted", 0], metric, options)
    told = {
        place: _values(scored, each, metric, core.intervals(scored, each, metric, options))
        for place, each in found.items()
    }
    made = []
    for each in scored:
        own = {place: values[key(each)] for place, values in told.items()}
        clean, hurt = own["clean", 0], own["corrupted", 0]
        drop = _drop(clean["mean"], hurt["mean"], drops.get(key(each)))
        made.append({
            **each.labels,
            **dict(seeds=each.seeds, runs=each.runs, baseline=baseline, clean=clean),
            "points": [dict(perturbation=p[0], strength=p[1]) | own[p] for p in every],
            "kinds": [dict(perturbation=name) | own["kind", name] for name in kinds],
            "corrupted": hurt | drop | _retained(clean["mean"], hurt["mean"], baseline),
        })  # fmt: skip
    return made


def _averaged(points: Sequence[Measured], metric: str) -> Measured:
    """Return the mean over points; a run that has no value at one of them has none."""
    first = points[0]
    values, factors, notes = {}, {}, {}
    for run in dict.fromkeys(run for point in points for run in (*point.values, *point.notes)):
        each = [point.values.get(run, {}).get(metric) for point in points]
        told = [point.notes.get(run, {}).get(metric) for point in points]
        if why := "; ".join(dict.fromkeys(note for note in told if note)):
            notes[run] = {metric: why}
        if None not in each:
            values[run] = {metric: float(np.mean(each))}  # type: ignore[arg-type]
            factors[run] = {metric: np.mean([p.factors[run][metric] for p in points], axis=0)}
    return first._replace(values=values, factors=factors, notes=notes)


def _values(
    scored: Sequence[Scored], found: Measured, metric: str, intervals: Intervals
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return values by seed, their mean and its interval; one undefined leaves all undefined."""
    told = {}
    for each in scored:
        by_seed = [found.values.get(run, {}).get(metric) for run in each.runs]
        span = intervals.get(key(each), Span(None, None))
        notes = [found.notes.get(run, {}).get(metric) for run in each.runs] + [span.note]
        told[key(each)] = dict(
            values=by_seed,
            mean=None if None in by_seed else float(np.mean(by_seed)),  # type: ignore[arg-type]
            low=span.low,
            high=span.high,
            note="; ".join(dict.fromkeys(note for note in notes if note)) or None,
        )
    return told


def _drop(clean: float | None, hurt: float | None, interval: Span | None) -> dict[str, Any]:
    """Return clean minus corrupted with its paired interval."""
    span = interval or Span(None, None)
    drop = None if clean is None or hurt is None else clean - hurt
    return dict(drop=drop, drop_low=span.low, drop_high=span.high)


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
