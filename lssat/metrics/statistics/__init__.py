"""Intervals and tests from values and their covariance, and comparisons of two on one sample.

Pure functions of arrays; nothing here knows a task or a file.
"""

from lssat.metrics.statistics.auc import auc_edge, compare_aucs
from lssat.metrics.statistics.clusters import from_resamples, over_clusters
from lssat.metrics.statistics.gaps import Gap, Groups, largest_gaps
from lssat.metrics.statistics.infer import Inference, Pair, Row, infer
from lssat.metrics.statistics.intervals import draw, resampled
from lssat.metrics.statistics.mcnemar import clustered_mcnemar
from lssat.metrics.statistics.multiple import holm
from lssat.metrics.statistics.power import Parts, power, smallest
from lssat.metrics.statistics.rank_sets import rank_sets
from lssat.metrics.statistics.ranks import Ranked, friedman

__all__ = [
    "Gap", "Groups", "Inference", "Pair", "Parts", "Ranked", "Row", "auc_edge",
    "clustered_mcnemar", "compare_aucs", "draw", "friedman", "from_resamples",
    "holm", "infer", "largest_gaps", "over_clusters", "power", "rank_sets", "resampled", "smallest",
]  # fmt: skip
