"""A number as the tables hold it: a value per seed, their mean, its interval, why there is none."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lssat import metrics
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.measured import Measured, Span
from lssat.evaluation.scores.run_group import Scored


def baseline(level: Level, train_labels: np.ndarray) -> dict[str, float | None]:
    """Return the metrics of the best constant answer (`metrics.trivial`)."""
    classes = next(iter(level.scores.values())).shape[-1]
    return metrics.trivial(level.kind, train_labels, level.labels, classes)


def rows(
    scored: Scored,
    level: Level,
    results: Measured,
    intervals: Mapping[str, Span | None],
    runs: list[dict[str, Any]],
    baselines: dict[str, float | None],
    notes: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """Yield a row for each metric of the table, of one backbone and configuration at a level.

    Args:
        intervals: of its mean over seeds, by metric.
        runs: the entries of metrics.json of its runs.
        notes: of every row, beside what is undefined and what has collapsed.
    """
    down = fallen(runs)
    first = {**scored.labels, "level": level.name, "n": len(level.labels)}
    first |= dict(groups=results.clusters, seeds=scored.seeds, runs=scored.runs)
    for metric in metrics.NAMES[level.kind]:
        values, reasons = by_seed(scored, results, metric)
        why = [*of_seeds(scored.seeds, reasons), *notes]
        yield first | filled(metric, values, intervals.get(metric), baselines[metric], why, down)


def by_seed(
    scored: Scored, results: Measured, metric: str
) -> tuple[list[float | None], list[str | None]]:
    """Return what each run of a row has of a metric: its value, and the note about it."""
    values = [results.values.get(run, {}).get(metric) for run in scored.runs]
    return values, [results.notes.get(run, {}).get(metric) for run in scored.runs]


def filled(
    metric: str,
    values: list[float | None],
    span: Span | None,
    baseline: float | None,
    notes: list[str],
    down: list[str],
) -> dict[str, Any]:
    """Return what a row says of its metric: values, mean, interval, baseline, whether it fell.

    Args:
        down: of `fallen`.
    """
    compared = beside(span, baseline, metric)
    return row(values, span, [*notes, *down]) | compared | dict(metric=metric, collapsed=bool(down))


def row(values: list[float | None], span: Span | None, notes: list[str]) -> dict[str, Any]:
    """Return mean, interval and note of one metric; one undefined seed leaves all undefined."""
    defined = [value for value in values if value is not None]
    mean = float(np.mean(defined)) if len(defined) == len(values) else None
    if mean is None or span is None:
        span = Span(None, None)
    elif span.note:
        notes = [*notes, span.note]
    note = "; ".join(dict.fromkeys(notes)) or None
    return dict(values=values, mean=mean, low=span.low, high=span.high, note=note)


def beside(span: Span | None, baseline: float | None, metric: str) -> dict[str, Any]:
    """Return the baseline, and whether a row is shown to be better.

    One-sided, with Bonferroni's correction (`measured.Span.surely`).
    """
    beats = False
    if span is not None and span.surely is not None and baseline is not None:
        low, high = span.surely
        beats = high < baseline if metric in metrics.LOWER_IS_BETTER else low > baseline
    return dict(baseline=baseline, beats_baseline=beats)


def of_seeds(seeds: Sequence[int], reasons: Sequence[str | None]) -> list[str]:
    """Return each reason once, with its seeds where these are not all.

    Args:
        seeds: of the row's runs.
        reasons: of each run, why it has no value; None where it has one.
    """
    by_reason: dict[str, list[int]] = {}
    for seed, reason in zip(seeds, reasons, strict=True):
        if reason is not None:
            by_reason.setdefault(reason, []).append(seed)
    return [
        reason if len(affected) == len(seeds) else f"{reason} ({_named(affected)})"
        for reason, affected in by_reason.items()
    ]


def _named(seeds: list[int]) -> str:
    return f"seed{'' if len(seeds) == 1 else 's'} {', '.join(map(str, seeds))}"


def made_elsewhere(scored: Scored) -> list[str]:
    """Return the note of a row whose scores another program made; without it nothing."""
    if not scored.external:
        return []
    alone = len(scored.runs) == 1
    covers = "; its interval is of this one model on other test sets" if alone else ""
    return [f"external: another program made the scores{covers}"]


def fallen(runs: list[dict[str, Any]]) -> list[str]:
    """Return a note for each of a row's runs (entries of metrics.json) that collapsed."""
    return [
        f"collapsed: seed {run['seed']} {run['notes']['collapsed']}"
        for run in runs
        if run["collapsed"]
    ]
