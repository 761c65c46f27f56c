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
Reads = Sequence[slice]  # of each group, the tokens that are read after a block


class PackedBlock(Block):
    """timm's Block, which with `shapes` takes the rows of several groups, (T, D).

    With `reads` it returns the rows of these tokens only, and computes no more than they need.
    """

    def forward(  # noqa: D102
        self, x: Tensor, *args, shapes: Shapes | None = None, ropes=(), reads=None, **options
    ) -> Tensor:
        if shapes is None:
            return super().forward(x, *args, **options)
        attended = _attend(self.attn, self.norm1(x), shapes, ropes, reads)
        x = read(x, shapes, reads) + self.ls1(attended)
        return x + self.ls2(self.mlp(self.norm2(x)))


class PackedEvaBlock(EvaBlock):
    """timm's EvaBlock, with the same additions. Tokens in `reads` are all, or have no rotation."""

    def forward(  # noqa: D102
        self, x: Tensor, *args, shapes: Shapes | None = None, ropes=(), reads=None, **options
    ) -> Tensor:
        if shapes is None:
            return super().forward(x, *args, **options)
        attended = _attend(self.attn, self.norm1(x), shapes, ropes, reads)
        attended = attended if self.gamma_1 is None else self.gamma_1 * attended
        x = read(x, shapes, reads) + attended
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


def read(x: Tensor, shapes: Shapes, reads: Reads | None) -> Tensor:
    """Take the rows (T', D) of the tokens that are read from all rows (T, D)."""
    if reads is None:
        return x
    parts = x.split([n * length for n, length in shapes])
    taken = [
        part.unflatten(0, shape)[:, of].flatten(0, 1)
        for part, shape, of in zip(parts, shapes, reads, strict=True)
    ]
    return torch.cat(taken)


def read_shapes(shapes: Shapes, reads: Reads | None) -> Shapes:
    """Return (N, L) of each group after `read`."""
    if reads is None:
        return shapes
    pairs = zip(shapes, reads, strict=True)
    return [(n, len(range(length)[of])) for (n, length), of in pairs]


def _attend(
    attn: Any, x: Tensor, shapes: Shapes, ropes: Sequence[Tensor | None], reads: Reads | None
) -> Tensor:
    """Attend within each sequence of each group; (T, D) to (T, D), or to the rows that are read."""
    query_rows = read(x, shapes, reads)
    query_shapes = read_shapes(shapes, reads)
    q, k, v = _projected(attn, x, query_rows, reads is None)
    queries = _grouped(attn, q, query_shapes)
    keys, values = _grouped(attn, k, shapes), _grouped(attn, v, shapes)
    mixed = []
    for group, (q, k, v) in enumerate(zip(queries, keys, values, strict=True)):
        q, k = attn.q_norm(q), attn.k_norm(k)
        rope = ropes[group] if ropes else None
        if rope is not None:
            k = _rotate(attn, k, rope).type_as(v)
            whole = query_shapes[group] == shapes[group]  # else prefix tokens, which have no place
            q = _rotate(attn, q, rope).type_as(v) if whole else q
        mixed.append(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(0, 1))
    rows = attn.norm(torch.cat(mixed).flatten(1))
    if attn.gate is not None:
        rows = rows * attn.gate(query_rows).sigmoid()
    return attn.proj(rows)


def _grouped(attn: Any, rows: Tensor, shapes: Shapes) -> list[Tensor]:
    """Split rows (T, D) into (N, heads, L, D / heads) of each group."""
    parts = rows.split([n * length for n, length in shapes])
    return [
        part.view(*shape, attn.num_heads, -1).transpose(1, 2)
        for part, shape in zip(parts, shapes, strict=True)
    ]


def _projected(attn: Any, x: Tensor, query_rows: Tensor, same: bool) -> tuple[Tensor, ...]:
    """Project all rows to keys and values, and those that are read to queries."""
    if getattr(attn, "q_proj", None) is not None:
        return attn.q_proj(query_rows), attn.k_proj(x), attn.v_proj(x)
    bias = attn.qkv.bias
    if getattr(attn, "q_bias", None) is not None:
        bias = torch.cat([attn.q_bias, attn.k_bias, attn.v_bias])
    if hasattr(attn.qkv, "get_delta_weight"):  # an adapter (`models.tuning`), which its call adds
        extra = 0.0 if attn.qkv.bias is bias else bias
        q = attn.qkv(query_rows) + extra
        kv = q if same else attn.qkv(x) + extra
        return q.chunk(3, dim=-1)[0], *kv.chunk(3, dim=-1)[1:]
    weight = attn.qkv.weight
    if same:
        return F.linear(x, weight, bias).chunk(3, dim=-1)
    third = len(weight) // 3
    bias_q, bias_kv = (None, None) if bias is None else bias.split([third, 2 * third])
    weight_q, weight_kv = weight.split([third, 2 * third])
    return F.linear(query_rows, weight_q, bias_q), *F.linear(x, weight_kv, bias_kv).chunk(2, dim=-1)


def _rotate(attn: Any, x: Tensor, rope: Tensor) -> Tensor:
    prefix, patches = x.split([attn.num_prefix_tokens, x.shape[2] - attn.num_prefix_tokens], dim=2)
    half = getattr(attn, "rotate_half", False)
    return torch.cat([prefix, apply_rot_embed_cat(patches, rope, half=half)], dim=2)
