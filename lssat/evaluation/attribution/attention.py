"""Attention rollout (Abnar and Zuidema 2020, 2005.00928) of the encoders of the grid."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from timm.layers import AttentionRope
from timm.models.eva import EvaAttention
from timm.models.vision_transformer import Attention
from torch import Tensor
from torch.nn import functional as F

from lssat.models.backbones.tokens import Sequences, encode, patch_tokens, pools_class_token
from lssat.models.ssat import SSAT, VideoSSAT

# Attention of one softmax, whose rows are shares of a token's neighbours.
_PLAIN = (Attention, EvaAttention, AttentionRope)


def why_not(model: SSAT) -> str | None:
    """Say why a model has no attention rollout, or None where it has one."""
    if getattr(model, "convolutional", False):
        return "a convolutional network has no attention"
    kinds = {type(getattr(block, "attn", None)) for block in model.encoder.blocks}
    if other := sorted(kind.__name__ for kind in kinds - set(_PLAIN)):
        return f"the rows of its {', '.join(other)} are no shares of tokens"
    pool = None if isinstance(model, VideoSSAT) else _pooling(model.encoder)
    return pool and f"it pools its tokens by {pool}, which is no fixed share of each"


def _pooling(encoder: Any) -> str | None:
    """Name a pooling that weighs the tokens by their content."""
    if encoder.attn_pool is not None:
        return "attention"
    return None if encoder.global_pool in ("token", "avg") else encoder.global_pool


@torch.no_grad()
def rollout(model: SSAT, imgs: Tensor, codes: Tensor | None = None) -> np.ndarray:
    """Return attention rollout over the image that the classifier is given.

    Each block's attention, averaged over heads, is mixed half and half with the identity (its
    residual connection) and the blocks are multiplied. What the head reads is followed back to
    the patches: the class token's row, or the mean of the rows that are pooled. The map of a
    fused head is that of the C field's image; that of a clip is the sum over time.

    Args:
        imgs: (N, 3, H, W) uint8, or clips (N, 3, T, H, W). codes: (N, 1, ...) uint8, or None
            where the classifier looks at RGB.

    Returns:
        (N, H, W) float32 in [0, 1], each map divided by its greatest value; between the centres
        of patches interpolated.

    Raises:
        ValueError: the model has none; the text says why (`why_not`).
    """
    grid = reach(model, imgs, codes)
    size = (imgs.shape[-2], imgs.shape[-1])
    maps = F.interpolate(torch.from_numpy(grid)[:, None], size, mode="bilinear")[:, 0]
    top = maps.amax((1, 2), keepdim=True)
    # Where nothing of any patch is read there is nothing to scale.
    return (maps / top.clamp_min(torch.finfo(maps.dtype).tiny)).clamp(0, 1).numpy()


@torch.no_grad()
def reach(model: SSAT, imgs: Tensor, codes: Tensor | None = None) -> np.ndarray:
    """Return how much of each patch reaches what the head reads.

    Args and errors are those of `rollout`.

    Returns:
        (N, h, w) float32 on the grid of patches, at least 0; of each sample they add up to 1 less
        the share of the class token and the registers.
    """
    if reason := why_not(model):
        raise ValueError(f"no attention rollout: {reason}")
    inputs = model.inputs(imgs, codes)
    seen = inputs[model.configuration.classified]
    if isinstance(model, VideoSSAT):
        tokens = model.encoder.tokens(seen.expand(-1, 3, -1, -1, -1))
        shares = _followed(model.encoder.blocks, lambda: model.encoder.encode(tokens), None, 0)
        return _square(shares.unflatten(1, (model.encoder.slots, -1)).sum(1))
    encoder = model.encoder
    patches = Sequences(patch_tokens(encoder, seen.expand(-1, 3, -1, -1)))
    first = encoder.num_prefix_tokens
    read = 0 if pools_class_token(encoder) else None
    run = lambda: encode(encoder, [patches], together=False)  # noqa: E731
    return _square(_followed(encoder.blocks, run, read, first)[:, first:])


def _square(shares: Tensor) -> np.ndarray:
    side = round(shares.shape[1] ** 0.5)
    return shares.unflatten(1, (side, side)).float().cpu().numpy()


def _followed(blocks: Any, run: Callable[[], Any], read: int | None, first: int) -> Tensor:
    """Follow what is read back through the blocks: (N, P + L) shares of all tokens.

    Args:
        run: puts samples through the blocks.
        read: the token that is read; None: the mean of those from `first` on.
    """
    with _recorded(blocks) as attention:
        run()
    n, length = attention[0].shape[:2]
    shares = attention[0].new_zeros(n, 1, length)
    shares[..., slice(first, None) if read is None else read] = 1.0
    shares = shares / shares.sum(-1, keepdim=True)
    for weights in reversed(attention):
        shares = 0.5 * shares + 0.5 * shares @ weights  # = shares @ (A + I) / 2
    return shares[:, 0]


@contextmanager
def _recorded(blocks: Any) -> Iterator[list[Tensor]]:
    """Gather each block's attention, (N, L, L), mean over heads, of what runs inside."""
    attention: list[Tensor] = []
    fused = [block.attn.fused_attn for block in blocks]
    # Without the fused kernel attention is a matrix, which goes through the module `attn_drop`.
    hooks = [
        block.attn.attn_drop.register_forward_hook(
            lambda module, args, output: attention.append(args[0].detach().mean(1))
        )
        for block in blocks
    ]
    try:
        for block in blocks:
            block.attn.fused_attn = False
        yield attention
    finally:
        for block, before in zip(blocks, fused, strict=True):
            block.attn.fused_attn = before
        for hook in hooks:
            hook.remove()
