"""The sweep of lambda_cls: what a configuration scores at each weight of its classification loss.

Its rows are held against one row only, that of the recipe's lambda_cls: a sweep asks how much the
choice of that number matters, which is another question than which configuration is better.
"""

from typing import Any, cast

from lssat import grid
from lssat.evaluation.scores.comparisons import Compared, pair, plain
from lssat.evaluation.scores.run_group import Scored
from lssat.metrics import statistics
from lssat.tables.metric_tables import Measured, SweepRow

# What is taken over from the row of the table.
_OF_ROW = (Measured.__annotations__.keys() | {"runs"}) - {"backbone", "configuration"}
_OF_PAIR = ("difference", "low", "high", "effect", "p", "note")


def sweep(
    scored: list[Scored],
    table: list[dict[str, Any]],
    lambda_cls: float | str | None,
    comparison: Compared,
) -> list[SweepRow]:
    """Return the list `sweep` of metrics.json, empty where no configuration has its own lambda.

    Args:
        scored: all rows of the headline table.
        table: of metrics.json.
        lambda_cls: the recipe's; None where it is not known, then there is no reference.
        comparison: all pairs of rows.

    Returns:
        a `SweepRow` for each value of lambda_cls of a backbone and configuration that has several,
        by both, lambda rising, `learned` last. `configuration` is without its lambda, which is a
        number or `learned`; `reference`: whether the row has the recipe's. `difference` is of this
        row minus the reference, with `p_holm` over the task's rows that have one (those of clips
        apart); None in the reference, where there is none, or where a run's scores are not finite.
    """
    rows = [
        _row(run_group, reference, table, lambda_cls, comparison)
        for group in _groups(scored)
        for reference in [_reference(group, lambda_cls)]
        for run_group in sorted(group, key=lambda run_group: _order(run_group, lambda_cls))
        if run_group is reference or _own(run_group) is not None
    ]
    return cast(list[SweepRow], corrected(rows))


def corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add `p_holm` to the differences of rows, Holm's correction over all that have one."""
    tested = [row for row in rows if row["difference"]]
    p_holm = statistics.holm([_p(row) for row in tested])
    for row, p in zip(tested, p_holm, strict=True):
        row["difference"] = plain(row["difference"] | {"p_holm": p})
    return rows


def _p(row: dict[str, Any]) -> float:
    p = row["difference"]["p"]
    return float("nan") if p is None else p


def _own(scored: Scored) -> float | str | None:
    return grid.parse(scored.configuration).lambda_cls


def _groups(scored: list[Scored]) -> list[list[Scored]]:
    """Group rows that differ in their lambda only; leave out rows without another."""
    by_configuration: dict[tuple[str, str], list[Scored]] = {}
    for run_group in scored:
        if grid.parse(run_group.configuration).variant is not None:
            continue  # `scores.variants` has them
        key = run_group.backbone, str(grid.parse(run_group.configuration).shared)
        by_configuration.setdefault(key, []).append(run_group)
    return [
        group
        for group in by_configuration.values()
        if any(_own(run_group) is not None for run_group in group)
    ]


def _reference(group: list[Scored], lambda_cls: float | str | None) -> Scored | None:
    """Return the row with the recipe's lambda_cls, if the grid holds it."""
    plain = [run_group for run_group in group if _own(run_group) is None]
    return plain[0] if plain and lambda_cls is not None else None


def _order(run_group: Scored, lambda_cls: float | str | None) -> tuple[bool, float]:
    own = _own(run_group)
    value = lambda_cls if own is None else own
    return (False, value) if isinstance(value, float) else (True, 0.0)


def _row(
    run_group: Scored,
    reference: Scored | None,
    table: list[dict[str, Any]],
    lambda_cls: float | str | None,
    comparison: Compared,
) -> dict[str, Any]:
    own = _own(run_group)
    weight = {"lambda": lambda_cls if own is None else own}
    return against(run_group, reference, table, comparison, weight)


def against(
    run_group: Scored,
    reference: Scored | None,
    table: list[dict[str, Any]],
    comparison: Compared,
    named: dict[str, Any],
) -> dict[str, Any]:
    """Describe a row that differs from a reference in its recipe, and its difference.

    Args:
        named: what tells it from the other rows of its backbone and configuration.
    """
    key = {**run_group.labels, "level": comparison.level.name, "metric": comparison.metric}
    of = next(row for row in table if key.items() <= row.items())
    difference = None
    if reference and reference is not run_group:
        tested = pair(comparison, run_group, reference)
        difference = {name: tested[name] for name in _OF_PAIR} if tested else None
    return {
        "backbone": run_group.backbone,
        "configuration": str(grid.parse(run_group.configuration).shared),
        **named,
        **{name: of[name] for name in _OF_ROW},
        "reference": run_group is reference,
        "difference": difference,
    }
