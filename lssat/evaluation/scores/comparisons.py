"""Rows of a task compared: pairs that differ in one thing, backbones over all, ranks.

All of it follows from one covariance of the runs (`scores.measured`) by `statistics.infer`.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from scipy.stats import norm

from lssat import metrics
from lssat.evaluation.scores import measured
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.measured import Measured
from lssat.evaluation.scores.run_group import Scored
from lssat.metrics import statistics
from lssat.params import Evaluate
from lssat.tables.metric_tables import BackboneComparison, Comparison, Rank

FAMILIES = ("configuration", "backbone", "external")
UNKNOWN = "nothing says how much a difference varies"
ALPHA = 0.05  # of all tests that are corrected together


class Compared(NamedTuple):
    """The rows of a task with each two compared, by the headline metric."""

    rows: list[Scored]  # those that are defined
    cells: list[measured.Cells]
    level: Level
    metric: str
    clusters: int  # that the metric rests on
    note: str | None  # of every difference
    pairs: dict[tuple[int, int], statistics.Pair]  # (i, j) of `rows`, i < j; see `_tested`
    options: Evaluate

    @property
    def lower(self) -> bool:
        """Say whether less is better."""
        return self.metric in metrics.LOWER_IS_BETTER


def compared(
    scored: list[Scored], level: Level, metric: str, results: Measured, options: Evaluate
) -> Compared:
    """Compare each two rows of the headline table; rows with an undefined run are left out."""
    row_cells = [(row, measured.cells(row, results, metric)) for row in scored]
    rows = [row for row, one in row_cells if one is not None]
    known = [one for _, one in row_cells if one is not None]
    reason, note, clusters = measured.trust(results, metric)
    by_rows = {} if reason else _tested(rows, known, clusters, options)
    return Compared(rows, known, level, metric, clusters, note or reason, by_rows, options)


def _tested(
    rows: list[Scored], cells: list[measured.Cells], clusters: int, options: Evaluate
) -> dict[tuple[int, int], statistics.Pair]:
    """Test each two rows.

    A row that another program made stands apart: its seeds share nothing with ours, and it may
    have one alone. That one model is then held against each of our seeds as it is, so that the
    difference is of our mean minus its score, and varies as our trainings do. Our own pairs are
    as they would be without it.
    """
    both = list(itertools.combinations(range(len(rows)), 2))
    ours = [at for at in both if not rows[at[0]].external and not rows[at[1]].external]
    theirs = [at for at in both if rows[at[0]].external and rows[at[1]].external]
    mixed = [at for at in both if at not in ours and at not in theirs]
    seeds = {seed for row, one in zip(rows, cells, strict=True) if not row.external for seed in one}
    fixed = [
        dict.fromkeys(sorted(seeds), *one.values()) if row.external and len(one) == 1 else one
        for row, one in zip(rows, cells, strict=True)
    ]
    pair_of = {}
    for chosen, held in ((ours, cells), (mixed, fixed), (theirs, cells)):
        used = sorted({i for at in chosen for i in at})  # the others tell nothing of these
        inner = [(used.index(i), used.index(j)) for i, j in chosen]
        rows_of = [held[i] for i in used]
        pairs = measured.infer(rows_of, clusters, options, inner).pairs if chosen else []
        for at, pair in zip(chosen, pairs, strict=True):
            pair_of[at] = pair._replace(a=at[0], b=at[1])
    return pair_of


def comparisons(comparison: Compared, grid: Sequence[Scored]) -> list[Comparison]:
    """Return pairs of rows that differ in one thing.

    Returns:
        a dict a pair: what is `compared` (configuration: two of one backbone; backbone: two of
        one configuration; external: a row of ours and one of another program), `a` and `b`
        (backbone, configuration, seeds), the `difference` a - b with `low` and `high`, `effect`
        (see `effect`), `p`, `p_holm` corrected over the task's pairs that ask the same question,
        and `least`: the smallest difference that would have been shown in 80 % of repetitions,
        beside so many pairs; it follows from the `parts` of the standard `error`
        (`statistics.smallest`), which has `freedom` by Satterthwaite. None where undefined.
    """
    described: list[dict[str, Any]] = []
    for family in FAMILIES:
        chosen = [at for at in comparison.pairs if asks(family, at, comparison, grid)]
        rows = [_pair(comparison, at) | {"compared": family} for at in chosen]
        described += _corrected(rows, [comparison.pairs[at] for at in chosen])
    return cast(list[Comparison], described)


def asks(family: str, at: tuple[int, int], comparison: Compared, grid: Sequence[Scored]) -> bool:
    """Say whether two rows of the grid differ in the one thing that a family of tests is about."""
    a, b = (comparison.rows[i] for i in at)
    if a not in grid or b not in grid:
        return False
    if family == "external" or a.external or b.external:
        return family == "external" and a.external != b.external
    same = (a.backbone == b.backbone, a.configuration == b.configuration)
    return same == ((True, False) if family == "configuration" else (False, True))


def _corrected(
    rows: list[dict[str, Any]], pairs: Sequence[statistics.Pair]
) -> list[dict[str, Any]]:
    corrected = statistics.holm([pair.p for pair in pairs])
    return [
        plain(
            row
            | (dict(note=UNKNOWN) if pair.error == 0 else {})
            | dict(error=pair.error, freedom=pair.freedom, p_holm=p)
            | dict(parts=told(pair.parts), least=least(pair.parts, len(pairs)))
        )
        for row, pair, p in zip(rows, pairs, corrected, strict=True)
    ]


def told(parts: statistics.Parts) -> list[float] | None:
    """Return the parts of a variance for a file; None where they are not known."""
    return list(parts) if np.isfinite(parts).all() else None


def least(parts: statistics.Parts, tests: int) -> float:
    """Return the smallest difference that is shown in 80 % of repetitions, as the first of Holm.

    Args:
        parts: of the variance of a difference; where it is not above 0, the answer is nan.
        tests: how many are corrected together.
    """
    return statistics.smallest(parts, ALPHA / max(tests, 1))


def pair(comparison: Compared, a: Scored, b: Scored) -> dict[str, Any] | None:
    """Return the comparison of two rows, a - b, without correction; None if one is undefined."""
    if a not in comparison.rows or b not in comparison.rows:
        return None
    return _pair(comparison, (comparison.rows.index(a), comparison.rows.index(b)))


def _pair(comparison: Compared, at: tuple[int, int]) -> dict[str, Any]:
    a, b = (comparison.rows[i] for i in at)
    sign = 1 if at in comparison.pairs else -1
    tested = comparison.pairs.get(at) or comparison.pairs.get(at[::-1])
    first, second = (float(np.mean([v for v, _ in comparison.cells[i].values()])) for i in at)
    row: dict[str, Any] = dict(a=a.labels | {"seeds": a.seeds}, b=b.labels | {"seeds": b.seeds})
    row |= dict(level=comparison.level.name, metric=comparison.metric)
    row |= dict(n=len(comparison.level.labels), groups=len(set(comparison.level.groups)))
    row |= dict(effect=effect(comparison.metric, first, second), note=comparison.note)
    if tested is None:
        return row | dict(difference=first - second, low=None, high=None, p=None)
    low, high = sorted((sign * tested.low, sign * tested.high))
    return row | dict(difference=sign * tested.difference, low=low, high=high, p=tested.p)


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


def backbones(comparison: Compared, grid: Sequence[Scored]) -> list[BackboneComparison]:
    """Compare backbones by their means over the configurations that all of them have.

    Returns:
        as `comparisons`, `a` and `b` being `backbone`, `configurations` (how many) and `seeds`.
        Backbones that have none in common with most are left out.
    """
    rows = [row for row in comparison.rows if row in grid and not row.external]
    names, shared = complete([(row.backbone, row.configuration) for row in rows])
    averages = []
    for name in names:
        own = [row for row in rows if row.backbone == name and row.configuration in shared]
        averages.append(
            measured.mean([comparison.cells[comparison.rows.index(row)] for row in own])
        )
    if len(averages) < 2 or not comparison.pairs or not all(averages):
        return []
    labels = [
        dict(backbone=name, configurations=len(shared), seeds=list(row))
        for name, row in zip(names, averages, strict=True)
    ]
    means = [float(np.mean([value for value, _ in row.values()])) for row in averages]
    pairs = measured.infer(averages, comparison.clusters, comparison.options, None).pairs
    facts = dict(level=comparison.level.name, metric=comparison.metric, note=comparison.note)
    differences = [
        dict(a=labels[one.a], b=labels[one.b], **facts, difference=one.difference, low=one.low,
             high=one.high, effect=effect(comparison.metric, means[one.a], means[one.b]), p=one.p)
        for one in pairs
    ]  # fmt: skip
    return cast(list[BackboneComparison], _corrected(differences, pairs))


def complete(cells: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Return the backbones and the configurations of the grid's complete part.

    The backbones that have most configurations, and what all of these have.
    """
    cells = list(dict.fromkeys(cells))
    counts: dict[str, set[str]] = {}
    for backbone, configuration in cells:
        counts.setdefault(backbone, set()).add(configuration)
    most = max(map(len, counts.values()), default=0)
    names = [name for name, has in counts.items() if len(has) == most]
    shared = [c for c in dict.fromkeys(c for _, c in cells) if all(c in counts[n] for n in names)]
    return (names, shared) if shared else ([], [])


def ranks(comparison: Compared, grid: Sequence[Scored]) -> list[Rank]:
    """Return between which ranks each row may stand (`statistics.rank_sets`), all together.

    Returns:
        a dict a row: backbone, configuration, `mean`, `best` and `worst` rank, `top`: whether it
        may be the first. In the order of the means.
    """
    chosen = [i for i, row in enumerate(comparison.rows) if row in grid]
    inside = [
        pair._replace(a=chosen.index(pair.a), b=chosen.index(pair.b))
        for pair in comparison.pairs.values()
        if pair.a in chosen and pair.b in chosen
    ]
    sets = statistics.rank_sets(len(chosen), inside, comparison.lower, ALPHA)
    rows = []
    for i, (best, worst) in zip(chosen, sets, strict=True):
        mean = float(np.mean([value for value, _ in comparison.cells[i].values()]))
        row = comparison.rows[i].labels | dict(mean=mean, best=best, worst=worst, top=best == 1)
        rows.append(cast(Rank, row))
    return sorted(rows, key=lambda row: row["mean"] if comparison.lower else -row["mean"])


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as valid JSON: None where a number is undefined."""
    undefined = [k for k, v in row.items() if isinstance(v, float) and not np.isfinite(v)]
    return row | dict.fromkeys(undefined)
