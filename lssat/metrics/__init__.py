"""Arrays -> numbers: the metrics of the three kinds of task and the trivial baseline beside them.

Pure numpy, with scikit-learn as the independent source in the tests: importing it would cost
every training process three seconds, and its checks 0.4 s for each validation of 40 attributes.
"""

from lssat.metrics.influence import JUMPS, influence
from lssat.metrics.point import (
    binary,
    evaluate,
    measure,
    multiclass,
    multilabel,
    probabilities,
    unusable,
    video_scores,
)
from lssat.metrics.ranked import Measure, in_order, ranking, roc
from lssat.metrics.reliability import at_bound, calibration, log_loss, pooled, scaled, temperature
from lssat.metrics.trivial import trivial
from lssat.metrics.weighted import (
    EACH,
    LOWER_IS_BETTER,
    NAMES,
    confusion,
    one_hot,
    predicted,
    prepare,
)

__all__ = [
    "EACH", "JUMPS", "LOWER_IS_BETTER", "NAMES", "Measure", "at_bound", "binary", "calibration",
    "confusion", "evaluate", "in_order", "influence", "log_loss", "measure", "multiclass",
    "multilabel", "one_hot", "pooled", "predicted", "prepare", "probabilities", "ranking", "roc",
    "scaled", "temperature", "trivial", "unusable", "video_scores",
]  # fmt: skip
