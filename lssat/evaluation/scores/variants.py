"""Variants of the recipe: what each row scores with another recipe, beside the recipe as it is."""

from typing import Any, cast

import numpy as np

from lssat import grid
from lssat.evaluation.scores import measured
from lssat.evaluation.scores.comparisons import Compared, plain
from lssat.evaluation.scores.run_group import Scored
from lssat.evaluation.scores.sweep import against, corrected
from lssat.metrics import statistics
from lssat.tables.metric_tables import Gain, VariantRow


def variants(
    scored: list[Scored], table: list[dict[str, Any]], comparison: Compared
) -> list[VariantRow]:
    """Return the list `variants` of metrics.json, empty where no variant was run.

    Args:
        scored: all rows of the headline table.
        table: of metrics.json.
        comparison: all pairs of rows.

    Returns:
        a `VariantRow` for each recipe of a backbone and configuration that has variants, the recipe
        as it is (`base`) first, which is the reference. Differences are of this row minus base,
        paired by seed; `p_holm` is corrected over all of the task's variants.
    """
    bases = {(row.backbone, row.configuration): row for row in scored if _variant(row) == grid.BASE}
    rows, seen = [], set()
    for run_group in scored:
        if _variant(run_group) == grid.BASE:
            continue
        key = run_group.backbone, grid.parse(run_group.configuration).shared.slug
        base = bases.get(key)
        if base and key not in seen:
            rows.append(against(base, base, table, comparison, {"variant": grid.BASE}))
        seen.add(key)
        rows.append(against(run_group, base, table, comparison, {"variant": _variant(run_group)}))
    return cast(list[VariantRow], corrected(rows))


def _variant(row: Scored) -> str:
    return grid.parse(row.configuration).variant or grid.BASE


def gains(scored: list[Scored], comparison: Compared) -> list[Gain]:
    """Ask of each variant whether the auxiliary task helps more than with the recipe as it is.

    The gain is the score of a configuration with the auxiliary task minus that of supervised
    training on the same input. What is tested is the difference of two gains, with the variant
    and with base, taken seed by seed: (aux + v) - (sup + v) - (aux - sup).

    Returns:
        a `Gain` for each backbone, configuration and variant that have all four rows. Interval and
        test are of `gain` - `base_gain`; `p_holm` is corrected over the task's list.
    """
    at = {(row.backbone, row.configuration): i for i, row in enumerate(comparison.rows)}
    fours = [
        (names, [at[row.backbone, name] for name in names])
        for row in scored
        if (names := _four(row.configuration)) and all((row.backbone, name) in at for name in names)
    ]
    if not fours or not comparison.pairs:
        return []
    halves = [
        measured.mean([comparison.cells[i] for i in two])
        for _, (own, alone, base, base_alone) in fours
        for two in ((own, base_alone), (alone, base))
    ]
    pairs = [(2 * k, 2 * k + 1) for k in range(len(fours)) if halves[2 * k] and halves[2 * k + 1]]
    # Variants of one row share its base, so that only other rows tell how much seeds matter.
    rows = {(comparison.rows[own[0]].backbone, names[2]) for names, own in fours}
    tested = measured.infer(
        halves, comparison.clusters, comparison.options, pairs, others=len(rows) - 1
    ).pairs
    return [_gain(comparison, *fours[one.a // 2], one) for one in tested]


def _four(slug: str) -> tuple[str, str, str, str] | None:
    """Return a varied configuration of joint training, its supervised one, and both as base."""
    config = grid.parse(slug)
    if config.variant is None or not config.auxiliary:
        return None
    alone = f"none-none-C{config.classified}"
    return slug, f"{alone}+{config.variant}", config.shared.slug, alone


def _gain(
    comparison: Compared,
    names: tuple[str, str, str, str],
    at: list[int],
    tested: statistics.Pair,
) -> Gain:
    own, alone, base, base_alone = (
        float(np.mean([value for value, _ in comparison.cells[i].values()])) for i in at
    )
    row = {
        "backbone": comparison.rows[at[0]].backbone,
        "configuration": str(grid.parse(names[2])),
        "supervised": str(grid.parse(names[3])),
        "variant": grid.parse(names[0]).variant,
        "seeds": comparison.rows[at[0]].seeds,
        "gain": own - alone,
        "base_gain": base - base_alone,
        # The rows that were compared are means of two, so that theirs is half of the difference.
        **{key: 2 * getattr(tested, key) for key in ("difference", "low", "high")},
        **{key: getattr(tested, key) for key in ("p", "p_holm")},
        "note": comparison.note,
    }
    return cast(Gain, plain(row))
