"""MTCNN's costly loops, compiled by numba; all arrays have channels last."""

import functools
from typing import Any

import numpy as np


@functools.cache
def compiled(loop: Any) -> Any:
    """Compile a loop, or take it from numba's cache on disk (which saves several seconds)."""
    import numba

    try:
        return numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # neither the installation nor the home can be written: no cache
        return numba.njit(nogil=True)(loop)


def integral(frames):
    """Sum up uint8 (N, H, W, C) from the upper left: int32 (N, H + 1, W + 1, C), may wrap."""
    count, height, width, channels = frames.shape
    sums = np.zeros((count, height + 1, width + 1, channels), np.int32)
    for n in range(count):
        for y in range(height):
            line = np.zeros(channels, np.int32)
            for x in range(width):
                for c in range(channels):
                    line[c] += frames[n, y, x, c]
                    sums[n, y + 1, x + 1, c] = sums[n, y, x + 1, c] + line[c]
    return sums


def resize(sums, boxes, height, width):
    """Resize boxes (K, 5) out of integral images: float32 (K, height, width, C), normalised."""
    channels = sums.shape[3]
    out = np.empty((len(boxes), height, width, channels), np.float32)
    x0, x1 = np.empty(width, np.int64), np.empty(width, np.int64)
    for k in range(len(boxes)):
        n, top, left, bottom, right = boxes[k]
        for j in range(width):
            x0[j] = left + j * (right - left) // width
            x1[j] = left - (-(j + 1) * (right - left) // width)
        for i in range(height):
            y0 = top + i * (bottom - top) // height
            y1 = top - (-(i + 1) * (bottom - top) // height)
            upper, lower, down = sums[n, y0], sums[n, y1], np.float32(y1 - y0)
            for j in range(width):
                a, b = x0[j], x1[j]
                across = np.float32(b - a)
                for c in range(channels):
                    total = np.int32((lower[b, c] - upper[b, c]) - (lower[a, c] - upper[a, c]))
                    # Divided one after the other, as torch does it: the same bits.
                    mean = np.float32(total) / down / across
                    out[k, i, j, c] = (mean - np.float32(127.5)) * np.float32(0.0078125)
    return out


def rectify_and_pool(imgs, slopes):
    """PReLU, then the maximum of each 2 x 2 pixels, those cut off by the edge included.

    Slopes may be negative, so that the two cannot change places.
    """
    count, height, width, channels = imgs.shape
    out = np.empty((count, (height + 1) // 2, (width + 1) // 2, channels), np.float32)
    zero = np.float32(0)
    for n in range(count):
        for i in range(out.shape[1]):
            upper, lower = imgs[n, 2 * i], imgs[n, min(2 * i + 1, height - 1)]
            for j in range(out.shape[2]):
                left, right = 2 * j, min(2 * j + 1, width - 1)
                for c in range(channels):
                    slope = slopes[c]
                    p, q, r, s = upper[left, c], upper[right, c], lower[left, c], lower[right, c]
                    p = p if p > zero else slope * p
                    q = q if q > zero else slope * q
                    r = r if r > zero else slope * r
                    s = s if s > zero else slope * s
                    out[n, i, j, c] = max(max(p, q), max(r, s))
    return out
