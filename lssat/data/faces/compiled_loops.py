"""MTCNN's costly loops, compiled by numba; all arrays have channels last."""

import functools
from typing import Any

import numpy as np

# Numba's own way looks at each divisor, and a loop that may raise an error is not vectorised.
_OPTIONS: Any = {"nogil": True, "error_model": "numpy"}


@functools.cache
def compiled(loop: Any) -> Any:
    """Compile a loop, or take it from numba's cache on disk (which saves several seconds)."""
    import numba

    try:
        return numba.njit(cache=True, **_OPTIONS)(loop)
    except RuntimeError:  # neither the installation nor the home can be written: no cache
        return numba.njit(**_OPTIONS)(loop)


def integral(frames):
    """Sum up uint8 (N, H, W, C) from the upper left: int32 (N, H + 1, W + 1, C), may wrap."""
    count, height, width, channels = frames.shape
    sums = np.empty((count, height + 1, width + 1, channels), np.int32)
    sums[:, 0] = 0
    for n in range(count):
        for y in range(height):
            line, out = frames[n, y].reshape(-1), sums[n, y + 1].reshape(-1)
            above = sums[n, y].reshape(-1)
            out[:channels] = 0
            for x in range(line.size):
                out[x + channels] = np.int32(out[x] + np.int32(line[x]))
            for x in range(out.size):
                out[x] = np.int32(out[x] + above[x])
    return sums


def resize(sums, boxes, height, width):
    """Resize boxes (K, 5) out of integral images: float32 (K, height, width, C), normalised."""
    channels = np.uintp(sums.shape[3])  # without a sign: numba need not look for negative indices
    out = np.empty((len(boxes), height, width, channels), np.float32)
    x0, x1 = np.empty(width, np.uintp), np.empty(width, np.uintp)
    total = np.empty(width * channels, np.int32)
    across = np.empty(width * channels, np.float32)
    for k in range(len(boxes)):
        n, top, left, bottom, right = boxes[k]
        for j in range(width):
            first = left + j * (right - left) // width
            last = left - (-(j + 1) * (right - left) // width)
            x0[j], x1[j] = first * channels, last * channels
            across[j * channels : (j + 1) * channels] = last - first
        for i in range(height):
            y0 = top + i * (bottom - top) // height
            y1 = top - (-(i + 1) * (bottom - top) // height)
            upper, lower, down = (
                sums[n, y0].reshape(-1),
                sums[n, y1].reshape(-1),
                np.float32(y1 - y0),
            )
            at = np.uintp(0)
            for j in range(width):
                a, b = x0[j], x1[j]
                for c in range(channels):
                    total[at] = (lower[b + c] - upper[b + c]) - (lower[a + c] - upper[a + c])
                    at += np.uintp(1)
            row = out[k, i].reshape(-1)
            for x in range(row.size):
                # Divided one after the other, as torch does it: the same bits.
                mean = np.float32(total[x]) / down / across[x]
                row[x] = (mean - np.float32(127.5)) * np.float32(0.0078125)
    return out
