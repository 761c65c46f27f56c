"""Fakes made of real faces alone: self-blended images and Face X-ray's blends (docs/rivals.md).

A pair is a function of (seed, epoch, place): which worker makes it, and when, changes nothing.
"""

from lssat.data.blending.pairs import Pair, Reals

__all__ = ["Pair", "Reals"]
