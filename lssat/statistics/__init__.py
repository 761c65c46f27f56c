"""Intervals and tests: a bootstrap over clusters and seeds, and comparisons of two on one sample.

Pure functions of arrays; nothing here knows a task or a file.
"""

from lssat.statistics.auc import Compared, auc_edge, compare_aucs
from lssat.statistics.clusters import from_resamples, over_clusters
from lssat.statistics.gaps import Gap, Groups, largest_gaps
from lssat.statistics.infer import Inference, Pair, Row, infer
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
from lssat.statistics.multiple import holm
from lssat.statistics.paired import clustered_mcnemar, difference, first
from lssat.statistics.ranks import Ranked, friedman
from lssat.statistics.seeds import draw_seeds, over_seeds

__all__ = [
    "Compared", "Gap", "Groups", "Inference", "Interval", "Pair", "Ranked", "Resamples", "Row",
    "auc_edge", "bootstrap", "clustered_mcnemar", "compare_aucs", "difference", "draw",
    "draw_seeds", "first", "friedman", "from_resamples", "holm", "infer", "interval",
    "intervals_of", "largest_gaps", "over_clusters", "over_seeds", "percentiles", "resampled",
]  # fmt: skip
