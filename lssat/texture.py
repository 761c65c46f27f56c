"""Texture codes: the Local Directional Pattern (LDP) and the local binary pattern (LBP).

The LDP follows a specification of our own, since published programs disagree: Kirsch masks as
correlation, counter-clockwise from East; bit i of the code is direction i; set are the bits of
the k largest absolute responses, a tie going to the lower direction (so exactly k are set);
BT.601 integer luma; edges replicated. After Jabid, Kabir, Chae 2010.

A cached code image must never be flipped or resampled: a third of all pixels of natural 8-bit
crops have a tie, so codes are computed again from the crop that was flipped.
"""

import functools

import numpy as np

SPEC = "1"  # of the codes; another number when a pixel could come out differently
KINDS = ("ldp", "lbp")

# The eight neighbours (dy, dx), counter-clockwise from East.
NEIGHBOURS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))

# A sorting network of 19 exchanges for eight keys, the largest first.
_NETWORK = (
    *((0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7), (0, 1), (2, 3)),
    *((4, 5), (6, 7), (2, 4), (3, 5), (1, 4), (3, 6), (1, 2), (3, 4), (5, 6)),
)


def codes(imgs: np.ndarray, kind: str, k: int = 3, bulk: bool = False) -> np.ndarray:
    """Return the texture codes of RGB images.

    Args:
        imgs: uint8 (H, W, 3) or (N, H, W, 3), RGB.
        kind: `ldp` or `lbp`.
        k: bits set in an LDP code, 1 to 8; LBP has no use for it.
        bulk: many images: LDP by the compiled loops, whose import alone costs a second or two.
            The codes are the same.

    Returns:
        uint8 (H, W) or (N, H, W).

    Raises:
        ValueError: unknown kind, k out of range, or images of another shape or dtype.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown texture {kind!r}: known are {', '.join(KINDS)}")
    if kind == "lbp":
        return lbp(imgs)
    return ldp(imgs, k) if bulk else ldp_numpy(imgs, k)


def luma(imgs: np.ndarray) -> np.ndarray:
    """Return the BT.601 luma in integer arithmetic, equal to Pillow's mode L.

    Args:
        imgs: uint8 (..., H, W, 3), RGB.

    Returns:
        uint8 (..., H, W).
    """
    _check(imgs)
    red, green, blue = (imgs[..., channel].astype(np.uint32) for channel in range(3))
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).astype(np.uint8)


def _check(imgs: np.ndarray) -> None:
    if imgs.dtype != np.uint8 or imgs.ndim not in (3, 4) or imgs.shape[-1] != 3:
        raise ValueError(
            f"images must be uint8 (H, W, 3) or (N, H, W, 3), found {imgs.dtype} {imgs.shape}"
        )


def _check_k(k: int) -> None:
    if not 1 <= k <= 8:
        raise ValueError(f"k must lie in 1 to 8, found {k}")


def ldp_numpy(imgs: np.ndarray, k: int = 3) -> np.ndarray:
    """Return LDP codes by whole-array arithmetic in int16; no compiler needed.

    Args:
        imgs: uint8 (H, W, 3) or (N, H, W, 3), RGB.
        k: bits set in each code, 1 to 8.

    Returns:
        uint8 (H, W) or (N, H, W).

    Raises:
        ValueError: k out of range, or images of another shape or dtype.
    """
    _check_k(k)
    grey = luma(imgs)
    planes = grey.reshape(-1, *grey.shape[-2:])
    out = [_ldp_plane(plane, k) for plane in planes]  # one at a time stays in the cache
    return np.array(out, np.uint8).reshape(grey.shape)


def _ldp_plane(grey: np.ndarray, k: int) -> np.ndarray:
    height, width = grey.shape
    around = np.pad(grey, 1, mode="edge").astype(np.int16)
    near = [around[1 + y : 1 + y + height, 1 + x : 1 + x + width].copy() for y, x in NEIGHBOURS]
    total = np.add.reduce(near, dtype=np.int16)
    # A mask is 5 on three neighbours in a row and -3 on the other five, so the response is
    # 8 (sum of the three) - 3 (sum of all eight), at most 3825 in size. The key holds the size
    # and, below it, 7 - direction: all eight keys differ, and in a tie the lower direction wins.
    keys = [
        (np.abs(8 * (near[i - 1] + near[i] + near[(i + 1) % 8]) - 3 * total) << 3) | (7 - i)
        for i in range(8)
    ]
    rank = list(keys)
    for high, low in _NETWORK:
        rank[high], rank[low] = np.maximum(rank[high], rank[low]), np.minimum(rank[high], rank[low])
    code = np.zeros_like(grey)
    for i, key in enumerate(keys):
        code |= (key >= rank[k - 1]).view(np.uint8) << i
    return code


def ldp(imgs: np.ndarray, k: int = 3) -> np.ndarray:
    """Return LDP codes by two compiled loops, the same bits as `ldp_numpy`.

    Args:
        imgs: uint8 (H, W, 3) or (N, H, W, 3), RGB.
        k: bits set in each code, 1 to 8.

    Returns:
        uint8 (H, W) or (N, H, W).

    Raises:
        ValueError: k out of range, or images of another shape or dtype.
    """
    _check(imgs)
    _check_k(k)
    batch = np.ascontiguousarray(imgs.reshape(-1, *imgs.shape[-3:]))
    out = np.empty(batch.shape[:3], np.uint8)
    if out.size:
        _fill(batch, out, k)
    return out.reshape(imgs.shape[:-1])


def _fill(batch: np.ndarray, out: np.ndarray, k: int) -> None:
    """Code image after image over flat planes: a neighbour is then a constant offset."""
    lights, directions = _compiled(_lights), _compiled(_directions)
    _, height, width = out.shape
    wide = width + 2
    grey = np.empty((height + 2, wide), np.int16)
    inner = np.empty((height, width), np.int16)
    raw = np.empty((height, wide), np.uint8)  # its last two columns are of no meaning
    size = raw.size - 2  # the last of these has its south-east neighbour at the end of `grey`
    starts = [(1 + dy) * wide + 1 + dx for dy, dx in NEIGHBOURS]
    near = [grey.reshape(-1)[start : start + size] for start in starts]
    for img, coded in zip(batch, out, strict=True):
        lights(img.reshape(-1), inner.reshape(-1))
        grey[1:-1, 1:-1] = inner
        grey[1:-1, 0], grey[1:-1, -1] = inner[:, 0], inner[:, -1]
        grey[0], grey[-1] = grey[1], grey[-2]
        directions(*near, raw.reshape(-1)[:size], k)
        coded[:] = raw[:, :width]


@functools.cache
def _compiled(function):
    """Compile a loop, or take it from numba's cache on disk (which saves several seconds)."""
    import numba

    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the installation nor the home can be written: no cache
        return numba.njit(nogil=True)(function)


# In both loops each sub-expression is wrapped, since numba promotes int16 + int16 to int64,
# 36 times slower.
def _lights(rgb, grey):
    i16, u32 = np.int16, np.uint32
    for x in range(grey.size):
        light = u32(u32(19595) * u32(rgb[3 * x])) + u32(u32(38470) * u32(rgb[3 * x + 1]))
        light = u32(u32(light) + u32(u32(u32(7471) * u32(rgb[3 * x + 2])) + u32(32768)))
        grey[x] = i16(light >> u32(16))


def _directions(e, ne, n, nw, w, sw, s, se, out, k):
    i16 = np.int16
    for x in range(out.size):
        n0, n1, n2, n3, n4, n5, n6, n7 = (
            e[x],
            ne[x],
            n[x],
            nw[x],
            w[x],
            sw[x],
            s[x],
            se[x],
        )
        p0, p1, p2, p3 = i16(n0 + n1), i16(n1 + n2), i16(n2 + n3), i16(n3 + n4)
        p4, p5, p6, p7 = i16(n4 + n5), i16(n5 + n6), i16(n6 + n7), i16(n7 + n0)
        t = i16(i16(3) * i16(i16(p0 + p2) + i16(p4 + p6)))
        # Size of the response and, below it, 7 - direction: all keys differ, the lower wins.
        k0 = i16(i16(i16(8) * i16(abs(i16(i16(i16(8) * i16(p7 + n1)) - t)))) | i16(7))
        k1 = i16(i16(i16(8) * i16(abs(i16(i16(i16(8) * i16(p0 + n2)) - t)))) | i16(6))
        k2 = i16(i16(i16(8) * i16(abs(i16(i16(i16(8) * i16(p1 + n3)) - t)))) | i16(5))
        k3 = i16(i16(i16(8) * i16(abs(i16(i16(i16(8) * i16(p2 + n4)) - t)))) | i16(4))
        k4 = i16(i16(i16(8) * i16(abs(i16(i16(i16(8) * i16(p3 + n5)) - t)))) | i16(3))
        k5 = i16(i16(i16(8) * i16(abs(i16(i16(i16(8) * i16(p4 + n6)) - t)))) | i16(2))
        k6 = i16(i16(i16(8) * i16(abs(i16(i16(i16(8) * i16(p5 + n7)) - t)))) | i16(1))
        k7 = i16(i16(8) * i16(abs(i16(i16(i16(8) * i16(p6 + n0)) - t))))
        # A sorting network of 19 exchanges: v0 is the largest key, v7 the least.
        v0, v2 = max(k0, k2), min(k0, k2)
        v1, v3 = max(k1, k3), min(k1, k3)
        v4, v6 = max(k4, k6), min(k4, k6)
        v5, v7 = max(k5, k7), min(k5, k7)
        v0, v4 = max(v0, v4), min(v0, v4)
        v1, v5 = max(v1, v5), min(v1, v5)
        v2, v6 = max(v2, v6), min(v2, v6)
        v3, v7 = max(v3, v7), min(v3, v7)
        v0, v1 = max(v0, v1), min(v0, v1)
        v2, v3 = max(v2, v3), min(v2, v3)
        v4, v5 = max(v4, v5), min(v4, v5)
        v6, v7 = max(v6, v7), min(v6, v7)
        v2, v4 = max(v2, v4), min(v2, v4)
        v3, v5 = max(v3, v5), min(v3, v5)
        v1, v4 = max(v1, v4), min(v1, v4)
        v3, v6 = max(v3, v6), min(v3, v6)
        v1, v2 = max(v1, v2), min(v1, v2)
        v3, v4 = max(v3, v4), min(v3, v4)
        v5, v6 = max(v5, v6), min(v5, v6)
        kth = v7
        kth = v0 if k == 1 else kth
        kth = v1 if k == 2 else kth
        kth = v2 if k == 3 else kth
        kth = v3 if k == 4 else kth
        kth = v4 if k == 5 else kth
        kth = v5 if k == 6 else kth
        kth = v6 if k == 7 else kth
        code = i16(0)
        code = i16(code | i16(1 if k0 >= kth else 0))
        code = i16(code | i16(2 if k1 >= kth else 0))
        code = i16(code | i16(4 if k2 >= kth else 0))
        code = i16(code | i16(8 if k3 >= kth else 0))
        code = i16(code | i16(16 if k4 >= kth else 0))
        code = i16(code | i16(32 if k5 >= kth else 0))
        code = i16(code | i16(64 if k6 >= kth else 0))
        code = i16(code | i16(128 if k7 >= kth else 0))
        out[x] = np.uint8(code)


def lbp(imgs: np.ndarray) -> np.ndarray:
    """Return local binary patterns of the luma: scikit-image's, P = 8, R = 1, method default.

    Edges are replicated, where scikit-image takes the outside for black.

    Args:
        imgs: uint8 (H, W, 3) or (N, H, W, 3), RGB.

    Returns:
        uint8 (H, W) or (N, H, W).

    Raises:
        ValueError: images of another shape or dtype.
    """
    from skimage.feature import local_binary_pattern

    grey = luma(imgs)
    out = np.empty(grey.shape, np.uint8)
    flat = out.reshape(-1, *grey.shape[-2:])
    for number, plane in enumerate(grey.reshape(-1, *grey.shape[-2:])):
        wide = local_binary_pattern(np.pad(plane, 1, mode="edge"), P=8, R=1, method="default")
        flat[number] = wide[1:-1, 1:-1]
    return out
