"""From a task's predictions to the content of its metrics.json."""

from lssat.scores.scored import Design
from lssat.scores.summary import flat, summarise

__all__ = ["Design", "flat", "summarise"]
