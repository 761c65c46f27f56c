"""Texture codes by whole-array arithmetic: the LDP in int16, the LBP through scikit-image."""

import numpy as np

# The eight neighbours (dy, dx), counter-clockwise from East.
NEIGHBOURS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))

# A sorting network of 19 exchanges for eight keys, the largest first.
_NETWORK = (
    *((0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7), (0, 1), (2, 3)),
    *((4, 5), (6, 7), (2, 4), (3, 5), (1, 4), (3, 6), (1, 2), (3, 4), (5, 6)),
)


def luma(imgs: np.ndarray) -> np.ndarray:
    """Return the BT.601 luma in integer arithmetic, equal to Pillow's mode L.

    Args:
        imgs: uint8 (..., H, W, 3), RGB.

    Returns:
        uint8 (..., H, W).
    """
    check(imgs)
    red, green, blue = (imgs[..., channel].astype(np.uint32) for channel in range(3))
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).astype(np.uint8)


def check(imgs: np.ndarray) -> None:
    """Refuse images of another shape or dtype, with a ValueError."""
    if imgs.dtype != np.uint8 or imgs.ndim not in (3, 4) or imgs.shape[-1] != 3:
        raise ValueError(
            f"images must be uint8 (H, W, 3) or (N, H, W, 3), found {imgs.dtype} {imgs.shape}"
        )


def check_k(k: int) -> None:
    """Refuse a number of bits out of range, with a ValueError."""
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
    check_k(k)
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
