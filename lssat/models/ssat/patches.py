"""Patches of images, and which of them a random mask keeps (MAE, 2111.06377)."""

from typing import NamedTuple

import torch
from torch import Tensor


class Mask(NamedTuple):
    """A random mask of each sample."""

    ids_keep: Tensor  # (N, K) places of the kept patches, in the order of their noise
    ids_remove: Tensor  # (N, L - K) places of the others, in the order of their noise

    def dense(self) -> Tensor:
        """Return the mask as (N, L) float32, 0 keep, 1 remove."""
        n, length = len(self.ids_keep), self.ids_keep.shape[1] + self.ids_remove.shape[1]
        return torch.ones(n, length, device=self.ids_keep.device).scatter_(1, self.ids_keep, 0.0)


def patchify(imgs: Tensor, patch_size: int) -> Tensor:
    """Cut (N, C, H, W) into (N, L, p*p*C), channels last within a patch, as MAE does."""
    n, c, h, w = imgs.shape
    p = patch_size
    x = imgs.reshape(n, c, h // p, p, w // p, p)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(n, (h // p) * (w // p), p * p * c)


def unpatchify(x: Tensor, patch_size: int, channels: int) -> Tensor:
    """Put (N, L, p*p*C) together again to (N, C, H, W); L must be a square number."""
    n, length, p = x.shape[0], x.shape[1], patch_size
    side = int(length**0.5)
    x = x.reshape(n, side, side, p, p, channels)
    return x.permute(0, 5, 1, 3, 2, 4).reshape(n, channels, side * p, side * p)


def random_mask(noise: Tensor, mask_ratio: float) -> Mask:
    """Keep the int(L * (1 - mask_ratio)) patches of the least noise in each sample.

    Args:
        noise: (N, L) uniform in [0, 1).
        mask_ratio: share to remove, in (0, 1).
    """
    keep = int(noise.shape[1] * (1 - mask_ratio))
    order = torch.argsort(noise, dim=1, stable=True)
    return Mask(order[:, :keep], order[:, keep:])
