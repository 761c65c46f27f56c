"""The Local Directional Pattern: which k of eight directions respond the most (docs/ldp.md)."""

from typing import Any

import numpy as np

from lssat.texture.arrays import NEIGHBOURS, check_k

USES_K = True

# A sorting network of 19 exchanges for eight keys, the largest first.
_NETWORK = (
    *((0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7), (0, 1), (2, 3)),
    *((4, 5), (6, 7), (2, 4), (3, 5), (1, 4), (3, 6), (1, 2), (3, 4), (5, 6)),
)


def plane(grey: np.ndarray, k: int) -> np.ndarray:
    """Return the codes (H, W) of a luma (H, W) by whole-array arithmetic in int16."""
    check_k(k)
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


def bulk(imgs: np.ndarray, k: int) -> np.ndarray:
    """Return the same codes by compiled loops, of RGB images; see `lssat.texture.codes`."""
    from lssat.texture.kinds.ldp import compiled  # numba, a second or two

    return compiled.ldp(imgs, k)


def tensors(grey: Any, k: int) -> Any:
    """Return the codes (N, 1, H, W) of a luma that is a tensor (N, 1, H, W)."""
    from lssat.texture.kinds.ldp import eager  # torch

    return eager.codes(grey, k)
