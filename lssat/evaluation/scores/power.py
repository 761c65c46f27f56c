"""The smallest difference that a test set and seeds could have shown, of each metric of a task."""

from collections.abc import Sequence
from typing import cast

from lssat import metrics
from lssat.evaluation.scores.comparisons import (
    ALPHA,
    FAMILIES,
    UNKNOWN,
    Compared,
    asks,
    compared,
    plain,
)
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.measured import Measured
from lssat.evaluation.scores.run_group import Scored
from lssat.metrics import statistics
from lssat.params import Evaluate
from lssat.tables.metric_tables import Power


def power(
    rows: list[Scored],
    grid: Sequence[Scored],
    row_levels: Sequence[Level],
    results: dict[str, Measured],
    options: Evaluate,
) -> list[Power]:
    """Return what the comparisons of a task could have shown in 80 % of repetitions.

    Args:
        rows: all that are compared, since the variance of training is shrunk over them.
        grid: those that stand in `comparisons`.
        results: of each level by its name.

    Returns:
        a dict a level, metric and question (`compared`, as in `comparisons`): `tests` pairs ask
        it, of which the one of median standard `error` says the smallest difference that a test
        at 0.05 shows, `least`, and one at the first level of Holm's correction over them,
        `least_holm`; `seeds` of the row that has fewest, `n`, `groups`. None where undefined.
    """
    powers = []
    for level in reversed(row_levels):
        for metric in metrics.NAMES[level.kind]:
            comparison = compared(rows, level, metric, results[level.name], options)
            for family in FAMILIES:
                at = [pair for pair in comparison.pairs if asks(family, pair, comparison, grid)]
                if at:
                    powers.append(_row(comparison, family, at))
    return powers


def _row(comparison: Compared, family: str, at: list[tuple[int, int]]) -> Power:
    pairs = [comparison.pairs[each] for each in at]
    known = sorted((pair for pair in pairs if pair.error > 0), key=lambda pair: pair.error)
    median = known[len(known) // 2] if known else None
    least, least_holm = (
        statistics.smallest(median.parts, ALPHA / tests) if median else float("nan")
        for tests in (1, len(pairs))
    )
    facts = dict(level=comparison.level.name, metric=comparison.metric, compared=family)
    size = dict(n=len(comparison.level.labels), groups=len(set(comparison.level.groups)))
    size["seeds"] = min(len(comparison.rows[i].seeds) for pair in at for i in pair)
    size["tests"] = len(pairs)
    error = median.error if median else float("nan")
    note = comparison.note if median else UNKNOWN
    row = {**facts, **size} | dict(error=error, least=least, least_holm=least_holm, note=note)
    return cast(Power, plain(row))
