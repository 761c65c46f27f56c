"""A ViT in the pieces that masking needs: patches with positions, blocks, pooled features."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lssat.models.backbones.packed import Shapes, ViT, packs, read_shapes


class Sequences(NamedTuple):
    """Patch tokens of one branch: all patches of each sample, or those that its mask keeps."""

    patches: Tensor  # (N, L or K, D), with positions
    ids: Tensor | None = None  # (N, K) places of the kept patches in the grid; None: all, in order
    class_only: bool = False  # only the class token of the output is used


def take(x: Tensor, ids: Tensor) -> Tensor:
    """Take the tokens at `ids` (N, K) from (N, L, D), or from (1, L, D): (N, K, D)."""
    x = x.expand(len(ids), -1, -1)
    return torch.gather(x, 1, ids[:, :, None].expand(-1, -1, x.shape[2]))


def patch_tokens(encoder: ViT, imgs: Tensor) -> Tensor:
    """Embed (N, 3, H, W) into (N, L, D), with the encoder's absolute positions where it has any."""
    x = encoder.patch_embed(imgs)
    x = x.flatten(1, -2)  # some models keep (N, h, w, D)
    return x if encoder.pos_embed is None else x + encoder.pos_embed[:, -x.shape[1] :]


def encode(encoder: ViT, groups: Sequence[Sequences], together: bool = True) -> list[Tensor]:
    """Run groups of sequences through the encoder: in one pass where its blocks are packed.

    Args:
        together: False: each group goes by itself through the blocks' own `forward`, in which
            hooks see the attention.

    Returns:
        for each group (N, P + L, D): P prefix tokens (class token, registers), then the patches,
        after the encoder's last norm; only the class token if nothing else is needed.
    """
    tokens = [encoder.norm_pre(_with_prefix(encoder, group.patches)) for group in groups]
    ropes = _ropes(encoder, groups)
    if together and packs(encoder):
        reads = [slice(0, 1) if group.class_only else slice(None) for group in groups]
        tokens = _together(encoder, tokens, ropes, reads)
    else:
        tokens = [_alone(encoder, x, rope) for x, rope in zip(tokens, ropes, strict=True)]
    return [encoder.norm(x) for x in tokens]


def pools_class_token(encoder: ViT) -> bool:
    """Say whether `pooled` reads the class token and no other."""
    return encoder.global_pool == "token" and encoder.attn_pool is None


def pooled(encoder: ViT, tokens: Tensor) -> Tensor:
    """Pool (N, P + L, D) as the encoder does for its own head: class token, mean or attention.

    Returns:
        (N, F), F being `encoder.num_features`.
    """
    return encoder.forward_head(tokens, pre_logits=True)


def _with_prefix(encoder: ViT, patches: Tensor) -> Tensor:
    parts = [encoder.cls_token, getattr(encoder, "reg_token", None)]
    prefix = [part for part in parts if part is not None]
    if not prefix:
        return patches
    tokens = torch.cat(prefix, dim=1)
    if encoder.pos_embed is not None and not encoder.no_embed_class:
        tokens = tokens + encoder.pos_embed[:, : encoder.num_prefix_tokens]
    return torch.cat([tokens.expand(len(patches), -1, -1).to(patches.dtype), patches], dim=1)


def _ropes(encoder: ViT, groups: Sequence[Sequences]) -> list[list[Tensor | None]]:
    """Return each group's rotary positions for each block, computed once a pass."""
    depth = len(encoder.blocks)
    if getattr(encoder, "rope", None) is None:
        return [[None] * depth for _ in groups]
    table = encoder.rope.get_embed(shape=encoder.patch_embed.grid_size)
    ropes: list[list[Tensor | None]] = []
    for group in groups:
        if getattr(encoder, "rope_mixed", False):  # (depth, heads, L, dim): one for each block
            ropes.append([_of_patches(part, group.ids) for part in table])
        else:
            ropes.append([_of_patches(table, group.ids)] * depth)
    return ropes


def _of_patches(rope: Tensor, ids: Tensor | None) -> Tensor:
    """Take the kept patches' rows of (L, dim) or (heads, L, dim): (N, 1 or heads, K, dim)."""
    if ids is None:
        return rope
    taken = rope[..., ids, :]
    return taken[:, None] if rope.ndim == 2 else taken.transpose(0, 1)


def _together(
    encoder: ViT, tokens: list[Tensor], ropes: list[list[Tensor | None]], reads: list[slice]
) -> list[Tensor]:
    shapes: Shapes = [(len(x), x.shape[1]) for x in tokens]
    x = torch.cat([rows.flatten(0, 1) for rows in tokens])
    last = encoder.blocks[-1]
    for block, *of_block in zip(encoder.blocks, *ropes, strict=True):
        # Only `reads` is used after the last block, so it computes no more.
        wanted = reads if block is last and any(of != slice(None) for of in reads) else None
        x = step(encoder, block, x, shapes=shapes, ropes=of_block, reads=wanted)
    shapes = read_shapes(shapes, reads)
    parts = x.split([n * length for n, length in shapes])
    return [part.unflatten(0, shape) for part, shape in zip(parts, shapes, strict=True)]


def _alone(encoder: ViT, x: Tensor, ropes: list[Tensor | None]) -> Tensor:
    for block, rope in zip(encoder.blocks, ropes, strict=True):
        x = step(encoder, block, x, **({} if rope is None else {"rope": rope}))
    return x


def step(owner: Any, block: nn.Module, x: Tensor, **options) -> Tensor:
    """Run one block of an encoder or decoder, which says whether activations are kept."""
    if owner.grad_checkpointing and torch.is_grad_enabled():
        return checkpoint(block, x, use_reentrant=False, **options)
    return block(x, **options)
