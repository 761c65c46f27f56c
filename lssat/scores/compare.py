"""Every two configurations of a backbone and every two backbones of a configuration, compared.

The headline metric on the same test samples: a paired bootstrap over clusters and seeds, and
beside it DeLong's and McNemar's tests in their forms for clusters. Holm's correction runs over
all pairs of a task that ask the same question.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.stats import norm

from lssat import metrics, statistics
from lssat.params import Evaluate
from lssat.scores.levels import Level
from lssat.scores.scored import Scored

Values = dict[str, np.ndarray]  # run -> (B,), the headline metric in each resample
TESTS = ("p", "p_delong", "p_mcnemar")


def comparisons(
    scored: list[Scored],
    level: Level,
    metric: str,
    values: Values,
    means: dict[str, float | None],
    options: Evaluate,
) -> list[dict[str, Any]]:
    """Compare pairs of rows of the headline table.

    Args:
        scored: the rows.
        level: the headline's.
        metric: the headline's.
        values: of each run whose scores are finite; a pair that lacks one is not tested.
        means: run -> the metric.
        options: confidence and seed.

    Returns:
        a dict a pair: what is `compared`, `a` and `b` (backbone, configuration, seeds), the
        `difference` a - b with `low` and `high`, `effect` (see `effect`), the p-values `p`
        (bootstrap), `p_delong` (an AUC), `p_mcnemar` (a decision a sample), each also with
        `_holm`; None where undefined.
    """
    found = [
        dict(compared=family, **pair(a, b, level, metric, values, means, options))
        for family, a, b in _pairs(scored)
        if all(run in values for run in (*a.runs, *b.runs))
    ]
    for family, test in itertools.product(("configuration", "backbone"), TESTS):
        rows = [row for row in found if row["compared"] == family]
        for row, p in zip(rows, statistics.holm([row[test] for row in rows]), strict=True):
            row[f"{test}_holm"] = p
    return [plain(row) for row in found]


def _pairs(scored: list[Scored]) -> Iterator[tuple[str, Scored, Scored]]:
    for a, b in itertools.combinations(scored, 2):
        if a.backbone == b.backbone:
            yield "configuration", a, b
        elif a.configuration == b.configuration:
            yield "backbone", a, b


def pair(
    a: Scored,
    b: Scored,
    level: Level,
    metric: str,
    values: Values,
    means: dict[str, float | None],
    options: Evaluate,
) -> dict[str, Any]:
    """Compare two rows, as `comparisons` says; every run of both has `values`."""
    one, two = (np.stack([values[run] for run in each.runs]) for each in (a, b))
    interval, p = statistics.difference(one, two, options.confidence, options.seed)
    first, second = (_mean([means[run] for run in each.runs]) for each in (a, b))
    scores = [np.stack([level.scores[run] for run in each.runs], axis=1) for each in (a, b)]
    return dict(
        a=a.labels | {"seeds": a.seeds},
        b=b.labels | {"seeds": b.seeds},
        level=level.name,
        metric=metric,
        n=len(level.labels),
        groups=len(set(level.groups)),
        difference=first - second,
        low=interval.low,
        high=interval.high,
        note=interval.note,
        effect=effect(metric, first, second),
        p=p,
        p_delong=_delong(level, metric, *scores),
        p_mcnemar=_mcnemar(level, *scores),
    )


def _mean(values: list[float | None]) -> float:
    return float(np.mean([np.nan if value is None else value for value in values]))


def effect(metric: str, a: float, b: float) -> float:
    """Return the size of the difference between two values of a metric, free of its ceiling.

    For an AUC the difference of Cohen's d of two normal classes, sqrt(2) z(AUC); otherwise
    Cohen's h (1988), 2 asin(sqrt(a)) - 2 asin(sqrt(b)). About 0.2 is small, 0.8 large. nan
    where an AUC of 0 or 1 has no d.
    """
    if metric == "auc":
        with np.errstate(invalid="ignore"):
            gap = np.sqrt(2) * (norm.ppf(a) - norm.ppf(b))
        return float(gap) if np.isfinite(gap) else float("nan")
    return float(2 * (np.arcsin(np.sqrt(a)) - np.arcsin(np.sqrt(b))))


def _delong(level: Level, metric: str, a: np.ndarray, b: np.ndarray) -> float:
    if level.kind != "binary" or metric != "auc":
        return float("nan")
    return statistics.compare_aucs(level.labels, a, b, level.groups).p


def _mcnemar(level: Level, a: np.ndarray, b: np.ndarray) -> float:
    if level.kind == "multilabel":  # forty decisions a sample: there is no right or wrong of it
        return float("nan")
    right_a, right_b = (
        np.stack([metrics.predicted(level.kind, each) == level.labels for each in arm], axis=1)
        for arm in (a.swapaxes(0, 1), b.swapaxes(0, 1))
    )
    return statistics.clustered_mcnemar(right_a, right_b, level.groups)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as valid JSON: None where a number is undefined."""
    undefined = [k for k, v in row.items() if isinstance(v, float) and not np.isfinite(v)]
    return row | dict.fromkeys(undefined)


def ranked_first(
    scored: list[Scored], metric: str, values: Values, options: Evaluate
) -> list[dict[str, Any]]:
    """Return for each row the probability that it ranks first on another draw of clusters, seeds.

    Rows with a run whose scores are not finite are left out.
    """
    able = [each for each in scored if all(run in values for run in each.runs)]
    if not able:
        return []
    arms = [np.stack([values[run] for run in each.runs]) for each in able]
    lower = metric in metrics.LOWER_IS_BETTER
    shares = statistics.first(arms, lower, options.seed)
    return [each.labels | {"probability": share} for each, share in zip(able, shares, strict=True)]
