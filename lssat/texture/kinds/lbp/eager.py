"""LBP codes on tensors."""

import math

import torch
from torch import Tensor

from lssat.texture.arrays import NEIGHBOURS
from lssat.texture.padding import around


# A tie on a diagonal is decided by the last bit of a double, and a compiler for GPUs fuses
# products with sums, which changes it: this runs as written, operation by operation.
@torch.compiler.disable
def codes(grey: Tensor) -> Tensor:
    """Do what scikit-image does (P = 8, R = 1), in its order and precision.

    On the diagonals it interpolates at places rounded to five decimals, between four pixels.
    """
    height, width = grey.shape[-2:]
    padded = around(grey).to(torch.float64)
    code = torch.zeros_like(grey)
    for bit, (y, x) in enumerate(NEIGHBOURS):
        value = padded[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width]
        if y and x:
            value = _between(padded, y, x)
        code |= (value >= padded[..., 1:-1, 1:-1]).to(torch.uint8) << bit
    return code


def _between(padded: Tensor, y: int, x: int) -> Tensor:
    """Interpolate at the circle's point in the diagonal direction (y, x) of each inner pixel."""
    height, width = padded.shape[-2] - 2, padded.shape[-1] - 2
    down, up = _share(height, y, padded)[..., None]
    right, left = _share(width, x, padded)
    top, west = min(y, 0) + 1, min(x, 0) + 1
    four = [
        padded[..., top + i : top + i + height, west + j : west + j + width]
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
