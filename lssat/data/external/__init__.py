"""Scores of other programs for a task's test split, as rows beside its runs (docs/rivals.md)."""

from lssat.data.external.read import read
from lssat.data.external.rows import Files, check, write

__all__ = ["Files", "check", "read", "write"]
