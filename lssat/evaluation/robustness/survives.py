"""How much of a score is left when all samples were re-encoded alike: a ratio with its interval."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lssat.evaluation.scores import measured as core
from lssat.evaluation.scores.measured import Measured
from lssat.evaluation.scores.paired_difference import paired
from lssat.evaluation.scores.run_group import Scored
from lssat.params import Confidence

_FARTHEST = 4.0  # of the share: beyond it an interval says nothing
_STEPS = 25
_SMALL = 0.05
Key = tuple[str, str]


def survival(
    scored: Sequence[Scored],
    clean: Measured,
    recoded: Measured,
    metric: str,
    baseline: float | None,
    options: Confidence,
) -> dict[Key, dict[str, Any]]:
    """Return the share of each row's distance from the baseline that re-encoding leaves.

    The interval is Fieller's (1954), by the paired test of the project: it holds each share s of
    which the re-encoded score is not shown to differ from baseline + s (clean - baseline), seed by
    seed on the same samples. It has no end where clean is hardly above the baseline: then there
    is none, with a note.

    Returns:
        by (backbone, configuration): `survives`, `survives_low`, `survives_high`,
        `survives_note`; None where undefined.
    """
    survived: dict[Key, dict[str, Any]] = {}
    shares: dict[Key, float] = {}
    for row in scored:
        before, after = (_mean(row, results, metric) for results in (clean, recoded))
        share, note = share_left(before, after, baseline)
        survived[core.key(row)] = dict(survives=share, survives_low=None, survives_high=None)
        survived[core.key(row)]["survives_note"] = note
        if share is not None:
            shares[core.key(row)] = share
    rows = [row for row in scored if core.key(row) in shares]
    if not rows or baseline is None:
        return survived
    differs = partial(_differs, rows, clean, recoded, metric, baseline, options)
    ends = [_end(differs, shares, sign) for sign in (-1, 1)]
    for name, share in shares.items():
        low, high = (end.get(name) for end in ends)
        if low is None or high is None:
            why = "no interval: clean is hardly above the trivial baseline, or its variance unknown"
            survived[name]["survives_note"] = why
        else:
            survived[name] |= dict(survives_low=min(low, share), survives_high=max(high, share))
    return survived


def _mean(row: Scored, results: Measured, metric: str) -> float | None:
    own = core.cells(row, results, metric)
    return None if own is None else float(np.mean([value for value, _ in own.values()]))


def share_left(
    clean: float | None, changed: float | None, baseline: float | None
) -> tuple[float | None, str | None]:
    """Return the share of clean's distance from the baseline that a change leaves, or why none."""
    if clean is None or changed is None or baseline is None:
        return None, "a number that it needs is undefined"
    if clean <= baseline:
        return None, f"clean ({clean:.3f}) is not above the trivial baseline ({baseline:.3f})"
    return (changed - baseline) / (clean - baseline), None


def _end(
    differs: Callable[[dict[Key, float]], dict[Key, bool]], shares: dict[Key, float], sign: int
) -> dict[Key, float | None]:
    """Return how far each share may be from what was seen, downwards or upwards, by bisection."""
    near = dict(shares)
    far = {name: share + sign * _FARTHEST for name, share in shares.items()}
    beyond = differs(far)
    for _ in range(_STEPS):
        middle = {name: (near[name] + far[name]) / 2 for name in shares}
        shown = differs(middle)
        for name, place in middle.items():
            (far if shown.get(name) else near)[name] = place
    return {name: far[name] if beyond.get(name) else None for name in shares}


def _differs(
    rows: list[Scored],
    clean: Measured,
    recoded: Measured,
    metric: str,
    baseline: float,
    options: Confidence,
    shares: dict[Key, float],
) -> dict[Key, bool]:
    """Say of each row whether the score is shown to be another than a share leaves.

    What is too much, re-encoded score - baseline - s (clean - baseline), is tested against
    nothing; made small, so that both are metrics from 0 to 1, as the test expects.
    """
    values: tuple[dict, dict] = {}, {}
    factors: tuple[dict, dict] = {}, {}
    for row in rows:
        share = shares[core.key(row)]
        for run in row.runs:
            kept, had = (results.values[run][metric] - baseline for results in (recoded, clean))
            moved = recoded.factors[run][metric] - share * clean.factors[run][metric]
            for at, (value, factor) in enumerate(((kept - share * had, moved), (0.0, 0 * moved))):
                values[at][run] = {metric: 0.5 + _SMALL * value}
                factors[at][run] = {metric: _SMALL * factor}
    left, nothing = (clean._replace(values=values[at], factors=factors[at]) for at in (0, 1))
    spans = paired(rows, left, nothing, metric, options)
    return {
        name: not (span.low <= 0 <= span.high)  # type: ignore[operator]
        for name, span in spans.items()
    }
