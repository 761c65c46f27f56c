"""Two runs of one task on the test samples that both have scored."""

from lssat.use.compare.numbers import compare
from lssat.use.compare.runs import read, together

__all__ = ["compare", "read", "together"]
