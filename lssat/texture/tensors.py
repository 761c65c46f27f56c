"""Texture codes on tensors, on any device: the same bits as `lssat.texture` gives.

For codes of augmented crops beside the model. LDP is integer arithmetic from end to end, so that
eager and compiled code, on a CPU or a GPU, cannot differ; nothing waits for the device.

    codes(imgs, "ldp", k=3)                            # (N, 3, H, W) uint8 -> (N, 1, H, W) uint8
    torch.compile(codes, dynamic=False)(imgs, "ldp", 3)  # one kernel on a GPU
"""

import math

import torch
from torch import Tensor

from lssat.texture import KINDS, NEIGHBOURS


def codes(imgs: Tensor, kind: str, k: int = 3) -> Tensor:
    """Return the texture codes of RGB images.

    Args:
        imgs: uint8 (N, 3, H, W), RGB, on any device.
        kind: `ldp` or `lbp`.
        k: bits set in an LDP code, 1 to 8; LBP has no use for it.

    Returns:
        uint8 (N, 1, H, W), on the device of `imgs`.

    Raises:
        ValueError: unknown kind, k out of range, or images of another shape or dtype.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown texture {kind!r}: known are {', '.join(KINDS)}")
    if not 1 <= k <= 8:
        raise ValueError(f"k must lie in 1 to 8, found {k}")
    grey = luma(imgs)
    return _lbp(grey) if kind == "lbp" else _ldp(grey, k)


def luma(imgs: Tensor) -> Tensor:
    """Return the BT.601 luma, equal to Pillow's mode L.

    Args:
        imgs: uint8 (N, 3, H, W), RGB.

    Returns:
        uint8 (N, 1, H, W).

    Raises:
        ValueError: images of another shape or dtype.
    """
    if imgs.dtype != torch.uint8 or imgs.ndim != 4 or imgs.shape[1] != 3:
        shape = tuple(imgs.shape)
        raise ValueError(f"images must be uint8 (N, 3, H, W), found {imgs.dtype} {shape}")
    red, green, blue = imgs.to(torch.int32).split(1, dim=1)
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).to(torch.uint8)


def _around(grey: Tensor) -> Tensor:
    """Repeat the edges by one pixel: (N, 1, H, W) -> (N, 1, H + 2, W + 2)."""
    grey = torch.cat((grey[..., :1, :], grey, grey[..., -1:, :]), dim=-2)
    return torch.cat((grey[..., :1], grey, grey[..., -1:]), dim=-1)


def _ldp(grey: Tensor, k: int) -> Tensor:
    height, width = grey.shape[-2:]
    around = _around(grey).to(torch.int16)
    near = [around[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in NEIGHBOURS]
    pairs = [near[i] + near[(i + 1) % 8] for i in range(8)]
    total = 3 * (pairs[0] + pairs[2] + pairs[4] + pairs[6])
    # The key of a direction: the size of its response and, below it, 7 - direction. All eight
    # differ, and in a tie the lower direction wins.
    sums = [pairs[i - 1] + near[(i + 1) % 8] for i in range(8)]
    keys = [((8 * sums[i] - total).abs() << 3) | (7 - i) for i in range(8)]
    least = _kth(_sorted(keys[:4]), _sorted(keys[4:]), k)
    code = torch.zeros_like(grey)
    for i, key in enumerate(keys):
        code |= (key >= least).to(torch.uint8) << i
    return code


def _sorted(keys: list[Tensor]) -> list[Tensor]:
    """Sort four keys, the largest first."""
    rank = list(keys)
    for high, low in ((0, 2), (1, 3), (0, 1), (2, 3), (1, 2)):
        a, b = rank[high], rank[low]
        rank[high], rank[low] = torch.maximum(a, b), torch.minimum(a, b)
    return rank


def _kth(left: list[Tensor], right: list[Tensor], k: int) -> Tensor:
    """Return the k-th largest of two sorted fours: the greatest min(left[i], right[k - 2 - i])."""
    found = [torch.minimum(left[i], right[k - 2 - i]) for i in range(4) if 0 <= k - 2 - i < 4]
    found += [four[k - 1] for four in (left, right) if k <= 4]
    least = found[0]
    for other in found[1:]:
        least = torch.maximum(least, other)
    return least


# A tie on a diagonal is decided by the last bit of a double, and a compiler for GPUs fuses
# products with sums, which changes it: this runs as written, operation by operation.
@torch.compiler.disable
def _lbp(grey: Tensor) -> Tensor:
    """Do what scikit-image does (P = 8, R = 1), in its order and precision.

    On the diagonals it interpolates at places rounded to five decimals, between four pixels.
    """
    height, width = grey.shape[-2:]
    around = _around(grey).to(torch.float64)
    code = torch.zeros_like(grey)
    for bit, (y, x) in enumerate(NEIGHBOURS):
        value = around[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width]
        if y and x:
            value = _between(around, y, x)
        code |= (value >= around[..., 1:-1, 1:-1]).to(torch.uint8) << bit
    return code


def _between(around: Tensor, y: int, x: int) -> Tensor:
    """Interpolate at the circle's point in the diagonal direction (y, x) of each inner pixel."""
    height, width = around.shape[-2] - 2, around.shape[-1] - 2
    down, up = _share(height, y, around)[..., None]
    right, left = _share(width, x, around)
    top, west = min(y, 0) + 1, min(x, 0) + 1
    four = [
        around[..., top + i : top + i + height, west + j : west + j + width]
        for i in range(2)
        for j in range(2)
    ]
    upper = left * four[0] + right * four[1]
    lower = left * four[2] + right * four[3]
    return up * upper + down * lower


def _share(size: int, step: int, like: Tensor) -> Tensor:
    """Return the shares (2, size) of the farther and the nearer of two pixels, along one axis."""
    place = torch.arange(1, size + 1, dtype=torch.float64, device=like.device)
    place = place + step * round(math.sqrt(0.5), 5)
    share = place - place.floor()
    return torch.stack((share, 1 - share))
