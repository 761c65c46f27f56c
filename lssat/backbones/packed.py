"""Transformer blocks that take several sequences at once: one matrix product for all of them.

Both branches share the blocks' weights, so their tokens go through LayerNorm, qkv, projection
and MLP as one matrix (T, D), the rows of all sequences of all samples; only the attention is
computed for each group of sequences by itself. The result is that of a pass for each group.
"""

from collections.abc import Sequence
from typing import Any

import torch
from timm.layers import DropPath
from timm.layers.pos_embed_sincos import apply_rot_embed_cat
from timm.models.eva import EvaAttention, EvaBlock
from timm.models.vision_transformer import Attention, Block
from torch import Tensor, nn
from torch.nn import functional as F

# timm's VisionTransformer or Eva: the same attributes, no class in common.
ViT = Any
Shapes = Sequence[tuple[int, int]]  # (N, L) of each group of sequences


class PackedBlock(Block):
    """timm's Block, which with `shapes` takes the rows of several groups, (T, D)."""

    def forward(self, x: Tensor, *args, shapes: Shapes | None = None, ropes=(), **options):  # noqa: D102
        if shapes is None:
            return super().forward(x, *args, **options)
        attended = _attend(self.attn, self.norm1(x), shapes, ())
        x = x + self.ls1(attended)
        return x + self.ls2(self.mlp(self.norm2(x)))


class PackedEvaBlock(EvaBlock):
    """timm's EvaBlock, which with `shapes` takes the rows of several groups, (T, D)."""

    def forward(self, x: Tensor, *args, shapes: Shapes | None = None, ropes=(), **options):  # noqa: D102
        if shapes is None:
            return super().forward(x, *args, **options)
        attended = _attend(self.attn, self.norm1(x), shapes, ropes)
        x = x + (attended if self.gamma_1 is None else self.gamma_1 * attended)
        hidden = self.mlp(self.norm2(x))
        return x + (hidden if self.gamma_2 is None else self.gamma_2 * hidden)


_PACKED = {(Block, Attention): PackedBlock, (EvaBlock, EvaAttention): PackedEvaBlock}


def pack(encoder: ViT) -> ViT:
    """Let the blocks of an encoder take several groups, where they are of the plain kinds.

    Blocks of other kinds stay as they are and run once for each group: the same numbers, slower.
    So do blocks that drop paths or attention, since dropping is drawn for each pass.
    """
    kinds = {(type(block), type(getattr(block, "attn", None))) for block in encoder.blocks}
    if len(kinds) == 1 and kinds <= _PACKED.keys() and not _drops(encoder):
        for block in encoder.blocks:
            # Same parameters, same names; only the class, and with it `forward`, is another.
            block.__class__ = _PACKED[kinds.copy().pop()]
    return encoder


def packs(encoder: ViT) -> bool:
    """Say whether the encoder's blocks take several groups at once."""
    return isinstance(encoder.blocks[0], PackedBlock | PackedEvaBlock)


def _drops(encoder: ViT) -> bool:
    return any(
        isinstance(module, DropPath) or (isinstance(module, nn.Dropout) and module.p)
        for module in encoder.blocks.modules()
    )


def _attend(attn: Any, x: Tensor, shapes: Shapes, ropes: Sequence[Tensor | None]) -> Tensor:
    """Attend within each sequence of each group; (T, D) to (T, D)."""
    rows = [n * length for n, length in shapes]
    whole = [part.split(rows) for part in _projected(attn, x)]
    mixed = []
    for group, (n, length) in enumerate(shapes):
        q, k, v = (
            part[group].view(n, length, attn.num_heads, -1).transpose(1, 2) for part in whole
        )
        q, k = attn.q_norm(q), attn.k_norm(k)
        rope = ropes[group] if ropes else None
        if rope is not None:
            q, k = (_rotate(attn, each, rope).type_as(v) for each in (q, k))
        mixed.append(
            F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n * length, -1)
        )
    mixed_rows = attn.norm(torch.cat(mixed))
    if attn.gate is not None:
        mixed_rows = mixed_rows * attn.gate(x).sigmoid()
    return attn.proj(mixed_rows)


def _projected(attn: Any, x: Tensor) -> tuple[Tensor, ...]:
    if getattr(attn, "q_proj", None) is not None:
        return attn.q_proj(x), attn.k_proj(x), attn.v_proj(x)
    if getattr(attn, "q_bias", None) is not None:
        bias = torch.cat([attn.q_bias, attn.k_bias, attn.v_bias])
        return F.linear(x, attn.qkv.weight, bias).chunk(3, dim=-1)
    return attn.qkv(x).chunk(3, dim=-1)


def _rotate(attn: Any, x: Tensor, rope: Tensor) -> Tensor:
    prefix, patches = x.split([attn.num_prefix_tokens, x.shape[2] - attn.num_prefix_tokens], dim=2)
    half = getattr(attn, "rotate_half", False)
    return torch.cat([prefix, apply_rot_embed_cat(patches, rope, half=half)], dim=2)
