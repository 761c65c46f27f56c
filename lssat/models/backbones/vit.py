"""The encoders of the papers: timm's VisionTransformer with the sizes of `ENCODERS`.

Positions are MAE's fixed 2-D sin-cos table; parameter names are timm's, so that weights in
timm's format load by name.
"""

from functools import partial

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from lssat.grid import ENCODERS

LayerNorm = partial(nn.LayerNorm, eps=1e-6)


def positions(grid_size: int, dim: int, prefix_tokens: int) -> Tensor:
    """Return MAE's fixed 2-D sin-cos positions, zeros for the prefix tokens.

    The first half of the channels encodes the column, the second half the row, as in MAE's
    code (2111.06377).

    Returns:
        (1, prefix_tokens + grid_size**2, dim) float32.
    """
    # timm's build_sincos2d_pos_embed orders the channels in another way than MAE's weights want.
    omega = 10000.0 ** (-torch.arange(dim // 4, dtype=torch.float64) / (dim / 4))
    steps = torch.arange(grid_size, dtype=torch.float64)
    row, column = torch.meshgrid(steps, steps, indexing="ij")
    angles = [axis.reshape(-1, 1) * omega for axis in (column, row)]
    table = torch.cat([f(angle) for angle in angles for f in (torch.sin, torch.cos)], dim=1)
    table = table.to(torch.float32)
    return torch.cat([torch.zeros(prefix_tokens, dim), table])[None]


def init_mae(module: nn.Module) -> None:
    """Initialise one module as MAE does: Xavier for linear layers, ones and zeros for norms."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.LayerNorm):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)


def build(name: str, img_size: int, frames: None = None) -> VisionTransformer:
    """Build an encoder of `ENCODERS` with fresh weights, drawn from torch's generator.

    Returns:
        a timm VisionTransformer without head: `patch_embed`, `cls_token` (1, 1, D),
        `pos_embed` (1, 1 + L, D) fixed, `blocks`, `norm`.
    """
    sizes = ENCODERS[name]
    encoder = VisionTransformer(
        img_size=img_size,
        patch_size=sizes.patch_size,
        embed_dim=sizes.embed_dim,
        depth=sizes.depth,
        num_heads=sizes.num_heads,
        num_classes=0,
        norm_layer=LayerNorm,
    )
    encoder.apply(init_mae)
    projection = encoder.patch_embed.proj.weight
    nn.init.xavier_uniform_(projection.data.view(projection.shape[0], -1))
    nn.init.normal_(encoder.cls_token, std=0.02)  # type: ignore[arg-type]
    fixed = positions(img_size // sizes.patch_size, sizes.embed_dim, encoder.num_prefix_tokens)
    encoder.pos_embed = nn.Parameter(fixed, requires_grad=False)
    return encoder


def fitted(encoder: VisionTransformer, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Keep our positions: fixed by definition, and the file's may be of another image size."""
    return {**state, "pos_embed": encoder.state_dict()["pos_embed"]}
