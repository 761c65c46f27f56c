"""The losses of the reconstruction, over removed patches only."""

import torch
from torch import Tensor
from torch.nn import functional as F


def normalize_patches(target: Tensor) -> Tensor:
    """Normalise each patch (last axis) by its mean and unbiased variance: `norm_pix_loss`."""
    mean, var = target.mean(-1, keepdim=True), target.var(-1, keepdim=True)
    return (target - mean) / (var + 1e-6) ** 0.5


def squared_loss(pred: Tensor, target: Tensor) -> Tensor:
    """Mean squared error over removed patches (N, R, p*p*C) (2111.06377, section 3).

    Every sample has as many removed patches and every patch as many pixels, so the mean over
    patches of the mean over pixels is the mean over all.
    """
    return F.mse_loss(_wide(pred), _wide(target))


def bits_loss(pred: Tensor, target: Tensor) -> Tensor:
    """Mean binary cross-entropy of logits and binary planes, both (N, R, p*p*8).

    Ours: two codes are as far apart as they have different bits, not as their numbers say.
    """
    return F.binary_cross_entropy_with_logits(_wide(pred), _wide(target))


def _wide(x: Tensor) -> Tensor:
    """Leave half precision for a loss; float64 stays what it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
