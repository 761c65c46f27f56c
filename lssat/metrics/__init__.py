"""Arrays -> numbers: the metrics of the three kinds of task and the trivial baseline beside them.

Pure numpy, with scikit-learn as the independent source in the tests: importing it would cost
every training process three seconds, and its checks 0.4 s for each validation of 40 attributes.
"""

from lssat.metrics.decided import confusion, one_hot, predicted
from lssat.metrics.influence import influence
from lssat.metrics.jumps import jumps
from lssat.metrics.point import evaluate, measure, probabilities, unusable, video_scores
from lssat.metrics.ranked import in_order, roc
from lssat.metrics.registry import (
    BESIDE,
    EACH,
    GROUPS,
    HEADLINES,
    JUMPS,
    LOWER_IS_BETTER,
    METRICS,
    NAMES,
    Blind,
)
from lssat.metrics.reliability import at_bound, calibration, log_loss, pooled, scaled, temperature
from lssat.metrics.trivial import blindly, trivial
from lssat.metrics.weighted import prepare

__all__ = [
    "BESIDE", "EACH", "GROUPS", "HEADLINES", "JUMPS", "LOWER_IS_BETTER", "METRICS", "NAMES",
    "Blind", "at_bound", "blindly", "calibration", "confusion",
    "evaluate", "in_order", "influence", "jumps", "log_loss", "measure", "one_hot", "pooled",
    "predicted", "prepare", "probabilities", "roc", "scaled", "temperature", "trivial", "unusable",
    "video_scores",
]  # fmt: skip
