"""From a task's predictions to the content of its metrics.json."""

from lssat.evaluation.scores.run_group import Design
from lssat.evaluation.scores.summary import flat, summarise

__all__ = ["Design", "flat", "summarise"]
