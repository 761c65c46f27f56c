"""Intervals and tests: a bootstrap over clusters and seeds, and comparisons of two on one sample.

Pure functions of arrays; nothing here knows a task or a file.
"""

from lssat.statistics.auc import Compared, compare_aucs
from lssat.statistics.intervals import (
    Interval,
    Resamples,
    bootstrap,
    draw,
    interval,
    intervals_of,
    percentiles,
    resampled,
)
from lssat.statistics.paired import clustered_mcnemar, difference, first, holm
from lssat.statistics.ranks import Ranked, friedman
from lssat.statistics.seeds import draw_seeds, over_seeds

__all__ = [
    "Compared", "Interval", "Ranked", "Resamples", "bootstrap", "clustered_mcnemar", "compare_aucs",
    "difference", "draw", "draw_seeds", "first", "friedman", "holm", "interval", "intervals_of",
    "over_seeds", "percentiles", "resampled",
]  # fmt: skip
