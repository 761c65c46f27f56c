"""LDP codes on tensors: integers from end to end, so that no device or compiler can differ."""

import torch
from torch import Tensor

from lssat.texture.arrays import NEIGHBOURS
from lssat.texture.padding import around


def codes(grey: Tensor, k: int) -> Tensor:
    """Return the codes (N, 1, H, W) of a luma (N, 1, H, W), both uint8."""
    height, width = grey.shape[-2:]
    padded = around(grey).to(torch.int16)
    near = [padded[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in NEIGHBOURS]
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
