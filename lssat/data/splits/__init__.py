"""Splits: which crop is of train, val or test, official where a release has a split."""

from lssat.data.splits.assign import NAMES, assign, halve, hold_out
from lssat.data.splits.joined import FILES, write

__all__ = ["FILES", "NAMES", "assign", "halve", "hold_out", "write"]
