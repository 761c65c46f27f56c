"""Between which ranks each of several rows may stand: confidence sets that hold together."""

from collections.abc import Sequence

import numpy as np

from lssat.metrics.statistics.infer import Pair
from lssat.metrics.statistics.multiple import holm


def rank_sets(
    rows: int, pairs: Sequence[Pair], lower: bool = False, alpha: float = 0.05
) -> list[tuple[int, int]]:
    """Return simultaneous confidence sets of ranks, from decisions about pairs.

    A row's rank is one more than the rows that are truly better, equals sharing it. Its set
    begins one after as many rows as are shown to be better, and ends before as many from the end
    as are shown to be worse. All sets are right together as often as no decision is wrong, in its
    direction too: Holm's correction runs over both one-sided hypotheses of each two rows (Mogstad,
    Romano, Shaikh and Wilhelm 2024, section 3; Mohamad, van Zwet, Solari and Goeman 2019), which
    holds however the tests depend on each other.

    Args:
        rows: K.
        pairs: of each two of rows 0 to K - 1, with their two-sided p; nan decides nothing.
        lower: less is better.
        alpha: how often one set may be wrong.

    Returns:
        (best, worst) a row, 1 being the first.
    """
    sides = np.array([[pair.p / 2, 1 - pair.p / 2] for pair in pairs]).ravel()
    shown = np.array(holm(sides))[::2] < alpha
    above, below = np.zeros(rows, int), np.zeros(rows, int)
    for pair, decided in zip(pairs, shown, strict=True):
        if decided:
            a_first = (pair.difference > 0) != lower
            first, second = (pair.a, pair.b) if a_first else (pair.b, pair.a)
            above[second] += 1
            below[first] += 1
    return [(1 + int(up), rows - int(down)) for up, down in zip(above, below, strict=True)]
