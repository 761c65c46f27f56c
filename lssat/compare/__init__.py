"""Two runs of one task on the test samples that both have scored."""

from lssat.compare.numbers import compare
from lssat.compare.read import Arm, read, together

__all__ = ["Arm", "compare", "read", "together"]
