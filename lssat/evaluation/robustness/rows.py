"""From scores at each point of the grid of perturbations to rows with intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lssat.evaluation.robustness.survives import share_left, survival
from lssat.evaluation.scores import cells
from lssat.evaluation.scores import measured as core
from lssat.evaluation.scores.measured import Measured, Span, key
from lssat.evaluation.scores.paired_difference import paired
from lssat.evaluation.scores.run_group import Scored
from lssat.params import Confidence

Point = tuple[str, int]  # perturbation and strength
CLEAN: Point = ("", 0)
RECODED: Point = ("recoded", 0)  # all samples re-encoded alike
Intervals = dict[tuple[str, str], Span]  # of (backbone, configuration)


def rows(
    scored: Sequence[Scored],
    points: dict[Point, Measured],
    metric: str,
    baseline: float | None,
    options: Confidence,
) -> list[dict[str, Any]]:
    """Describe the runs of each backbone and configuration at all points.

    Args:
        points: every (perturbation, strength), `CLEAN` and `RECODED`.
        metric: the headline's, which has influence values.
        baseline: of the metric, without looking at the input.

    Returns:
        a dict each: `clean`, a list of `points`, a list of `kinds` (each perturbation's mean over
        its strengths), and `corrupted`: the mean over all points, with the paired `drop` from
        clean and the share `retained` of clean's distance from the baseline; `recoded`: all
        samples re-encoded alike, with what `survives` (see `survival`). Undefined is None, with a
        note.
    """
    perturbed = [point for point in points if point not in (CLEAN, RECODED)]
    kinds = dict.fromkeys(name for name, _ in perturbed)
    places: dict[tuple[str, Any], list[Point]] = {
        ("clean", 0): [CLEAN],
        ("corrupted", 0): perturbed,
        RECODED: [RECODED],
        **{point: [point] for point in perturbed},
        **{("kind", name): [point for point in perturbed if point[0] == name] for name in kinds},
    }
    averages = {place: _averaged([points[at] for at in of], metric) for place, of in places.items()}
    drops = paired(scored, averages["clean", 0], averages["corrupted", 0], metric, options)
    clean_recoded = averages["clean", 0], averages[RECODED]
    survived = survival(scored, *clean_recoded, metric, baseline, options)
    summaries = {
        place: _values(scored, average, metric, core.intervals(scored, average, metric, options))
        for place, average in averages.items()
    }
    described = []
    for run_group in scored:
        own = {place: values[key(run_group)] for place, values in summaries.items()}
        clean, hurt = own["clean", 0], own["corrupted", 0]
        drop = _drop(clean["mean"], hurt["mean"], drops.get(key(run_group)))
        retained, why = share_left(clean["mean"], hurt["mean"], baseline)
        described.append({
            **run_group.labels,
            "seeds": run_group.seeds,
            "runs": run_group.runs,
            "baseline": baseline,
            "clean": clean,
            "points": [dict(perturbation=p[0], strength=p[1]) | own[p] for p in perturbed],
            "kinds": [dict(perturbation=name) | own["kind", name] for name in kinds],
            "recoded": own[RECODED] | survived[key(run_group)],
            "corrupted": hurt | drop | dict(retained=retained, retained_note=why),
        })  # fmt: skip
    return described


def _averaged(points: Sequence[Measured], metric: str) -> Measured:
    """Return the mean over points; a run that has no value at one of them has none."""
    first = points[0]
    values, factors, notes = {}, {}, {}
    for run in dict.fromkeys(run for point in points for run in (*point.values, *point.notes)):
        values_at = [point.values.get(run, {}).get(metric) for point in points]
        notes_at = [point.notes.get(run, {}).get(metric) for point in points]
        if why := "; ".join(dict.fromkeys(note for note in notes_at if note)):
            notes[run] = {metric: why}
        if None not in values_at:
            values[run] = {metric: float(np.mean(values_at))}  # type: ignore[arg-type]
            factors[run] = {metric: np.mean([p.factors[run][metric] for p in points], axis=0)}
    return first._replace(values=values, factors=factors, notes=notes)


def _values(
    scored: Sequence[Scored], averaged: Measured, metric: str, intervals: Intervals
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return values by seed, their mean and its interval; one undefined leaves all undefined."""
    summaries = {}
    for run_group in scored:
        values, notes = cells.by_seed(run_group, averaged, metric)
        span = intervals.get(key(run_group))
        summaries[key(run_group)] = cells.row(values, span, [note for note in notes if note])
    return summaries


def _drop(clean: float | None, hurt: float | None, interval: Span | None) -> dict[str, Any]:
    """Return clean minus corrupted with its paired interval."""
    span = interval or Span(None, None)
    drop = None if clean is None or hurt is None else clean - hurt
    return dict(drop=drop, drop_low=span.low, drop_high=span.high)
