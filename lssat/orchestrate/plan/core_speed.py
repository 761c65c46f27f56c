"""How fast a core of this machine is, beside the core of which the plan's seconds are.

Small pieces of fixed work, a fifth of a second in all. They are timed in the process's own CPU
time, the best of some tries, so that what other programs do meanwhile hardly counts.
"""

import gc
import io
import math
import time
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image

_TRIES = 10  # of each, one after the other
# Milliseconds of the reference core: one of an AMD EPYC of 2.6 GHz (family 25, model 17) in a
# virtual machine of two. `make` was recorded on it (tests/orchestrate/recorded_make.json).
_REFERENCE = {"products": 2.08, "calls": 4.2, "pixels": 8.6}


class Core(NamedTuple):
    """How long a core takes for the same work, as a multiple of what the reference core does."""

    products: float = 1.0  # of matrices in float32
    rest: float = 1.0  # calls of Python, pixels


REFERENCE = Core()  # and of a machine that is not here


def milliseconds() -> dict[str, float]:
    """Time each piece of work on this machine."""
    works = {"products": _products(), "calls": _calls(), "pixels": _pixels()}
    best = dict.fromkeys(works, math.inf)
    collects = gc.isenabled()
    gc.disable()  # what else this process holds does not count
    try:
        for name, work in [*works.items()] * _TRIES:
            began = time.process_time()
            work()
            best[name] = min(best[name], 1000 * (time.process_time() - began))
    finally:
        if collects:
            gc.enable()
    return best


@cache
def core() -> Core:
    """Measure a core of this machine, once in a process."""
    return of_times(milliseconds())


def of_times(took: dict[str, float]) -> Core:
    """Return the core that takes so many milliseconds for each piece of work."""
    times = {name: took[name] / reference for name, reference in _REFERENCE.items()}
    return Core(times["products"], (times["calls"] * times["pixels"]) ** 0.5)


def _products() -> Callable[[], object]:
    """Multiply matrices that are too small for BLAS to use several threads."""
    one = np.random.default_rng(0).random((400, 64, 64), dtype=np.float32)
    return lambda: one @ one


def _calls() -> Callable[[], object]:
    """Make small objects, call their methods, and keep them by name."""

    def work() -> None:
        kept, last = {}, _Number(0)
        for number in range(10_000):
            kept[str(number)] = last = last.plus(_Number(number))

    return work


class _Number:
    def __init__(self, value: int):
        self.value = value

    def plus(self, other: "_Number") -> "_Number":
        return _Number(self.value + other.value)


def _pixels() -> Callable[[], object]:
    """Decode a JPEG, make it smaller, and count with its pixels."""
    drawn = np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(drawn.repeat(16, axis=0).repeat(16, axis=1)).save(file, "JPEG")

    def work() -> None:
        for _ in range(5):
            image = np.asarray(Image.open(file).convert("RGB").resize((80, 80)))
            (image.astype(np.float32) / 255 - 0.5).mean()
            np.sort(image.ravel())

    return work
