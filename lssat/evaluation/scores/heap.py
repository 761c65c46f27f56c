"""Memory that nothing needs any more, given back to the system."""

import ctypes
import sys
from collections.abc import Callable
from functools import cache


@cache
def _trim() -> Callable[[int], int] | None:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return getattr(library, "malloc_trim", None)  # of glibc alone


def give_back() -> None:
    """Give the heap's free pages back, where the C library can: glibc's.

    Each run takes arrays of megabytes and leaves small results behind, which lie among them: the
    heap would grow with the runs by what no run needs any more. A few milliseconds.
    """
    if (trim := _trim()) is not None:
        trim(0)
