"""LDP codes in bulk: compiled loops, row by row, in one pass over an image.

Three rows of luma are held, each computed once. All arithmetic stays in 16 bits, which makes a
vector instruction handle twice or four times as many pixels; numba promotes int16 + int16 to
int64, so each sub-expression is wrapped.
"""

import numba
import numpy as np
from numpy import int16, uint8, uint16

from lssat.texture.arrays import check, check_k


def ldp(imgs: np.ndarray, k: int) -> np.ndarray:
    """Return LDP codes; see `lssat.texture.codes`."""
    check(imgs)
    check_k(k)
    height, width = imgs.shape[-3:-1]
    rows = np.ascontiguousarray(imgs).reshape(-1, height, 3 * width)
    out = np.empty((len(rows), height, width), np.uint8)
    if out.size:
        _fill(rows, out, k)
    return out.reshape(imgs.shape[:-1])


def _jit(function):
    """Compile at the first call, or take it from numba's cache on disk (saves seconds)."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the installation nor the home can be written: no cache
        return numba.njit(nogil=True)(function)


@_jit
def _lights(rgb, light):
    """Write a row of luma, its two ends repeated.

    (19595 R + 38470 G + 7471 B + 32768) >> 16 in 16 bits: the factors are parted into their high
    and low bytes, and no sum exceeds 65408.
    """
    for x in range(light.size - 2):
        r, g, b = uint16(rgb[3 * x]), uint16(rgb[3 * x + 1]), uint16(rgb[3 * x + 2])
        high = uint16(
            uint16(uint16(76) * r) + uint16(uint16(uint16(150) * g) + uint16(uint16(29) * b))
        )
        low = uint16(
            uint16(uint16(139) * r) + uint16(uint16(uint16(70) * g) + uint16(uint16(47) * b))
        )
        whole = uint16(uint16(high + uint16(low >> uint16(8))) + uint16(128))
        light[x + 1] = int16(whole >> uint16(8))
    light[0], light[-1] = light[1], light[-2]


@_jit
def _add(a, b):
    return int16(a + b)


@_jit
def _key(three, total, low):
    """Return the size of a response, times 8, and below it 7 - direction.

    A mask is 5 on three neighbours in a row and -3 on the other five: the response is
    8 (sum of the three) - 3 (sum of all eight), at most 3825 in size. All eight keys differ, and
    in a tie the lower direction wins. `total` is 24 times the sum of all eight.
    """
    return int16(int16(abs(int16(int16(three << 6) - total))) | int16(low))


@_jit
def _sorted(a, b, c, d):
    a, c, b, d = max(a, c), min(a, c), max(b, d), min(b, d)
    a, b, c, d = max(a, b), min(a, b), max(c, d), min(c, d)
    return a, max(b, c), min(b, c), d


@_jit
def _kth(a, b, k):
    """Return the k-th largest of two sorted fours: the greatest of min(a[i], b[k - i]) from 0.

    Chosen outside the loop over pixels, since k does not change there.
    """
    a1, a2, a3, a4 = a
    b1, b2, b3, b4 = b
    if k == 1:
        return max(a1, b1)
    if k == 2:
        return max(max(a2, b2), min(a1, b1))
    if k == 3:
        return max(max(a3, b3), max(min(a1, b2), min(a2, b1)))
    if k == 4:
        return max(max(max(a4, b4), min(a2, b2)), max(min(a1, b3), min(a3, b1)))
    if k == 5:
        return max(max(min(a1, b4), min(a4, b1)), max(min(a2, b3), min(a3, b2)))
    if k == 6:
        return max(max(min(a2, b4), min(a4, b2)), min(a3, b3))
    if k == 7:
        return max(min(a3, b4), min(a4, b3))
    return min(a4, b4)


@_jit
def _bit(key, least, i):
    return int16(1 << i) if key >= least else int16(0)


@_jit
def _codes(up, mid, down, out, k):
    """Write a row of codes from three rows of luma, each a pixel longer at both ends."""
    for x in range(out.size):
        n0, n1, n2, n3 = mid[x + 2], up[x + 2], up[x + 1], up[x]
        n4, n5, n6, n7 = mid[x], down[x], down[x + 1], down[x + 2]
        p0, p1, p2, p3 = _add(n0, n1), _add(n1, n2), _add(n2, n3), _add(n3, n4)
        p4, p5, p6, p7 = _add(n4, n5), _add(n5, n6), _add(n6, n7), _add(n7, n0)
        total = int16(int16(24) * _add(_add(p0, p2), _add(p4, p6)))
        k0, k1 = _key(_add(p7, n1), total, 7), _key(_add(p0, n2), total, 6)
        k2, k3 = _key(_add(p1, n3), total, 5), _key(_add(p2, n4), total, 4)
        k4, k5 = _key(_add(p3, n5), total, 3), _key(_add(p4, n6), total, 2)
        k6, k7 = _key(_add(p5, n7), total, 1), _key(_add(p6, n0), total, 0)
        least = _kth(_sorted(k0, k1, k2, k3), _sorted(k4, k5, k6, k7), k)
        east = _bit(k0, least, 0) | _bit(k1, least, 1) | _bit(k2, least, 2) | _bit(k3, least, 3)
        west = _bit(k4, least, 4) | _bit(k5, least, 5) | _bit(k6, least, 6) | _bit(k7, least, 7)
        out[x] = uint8(east | west)


@_jit
def _fill(images, out, k):
    height, width = out.shape[1:]
    light = np.empty((3, width + 2), np.int16)
    # By number: numba's iterators yield rows of any stride, whose loops are half as fast.
    for n in range(len(images)):
        img, coded = images[n], out[n]
        _lights(img[0], light[1])
        light[0] = light[1]
        for y in range(height):
            _lights(img[min(y + 1, height - 1)], light[(y + 2) % 3])
            _codes(light[y % 3], light[(y + 1) % 3], light[(y + 2) % 3], coded[y], k)
