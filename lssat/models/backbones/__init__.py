"""The backbones: one table (`lssat.grid`), one interface; timm's modules behind it.

`build` gives timm's own module, so that parameter names are timm's. What the two branches need
of a ViT - patches with positions, several sequences through the blocks at once, pooling - are
functions of `tokens`.
"""

from typing import Any

from lssat import grid
from lssat.models.backbones import timm_models, vit
from lssat.models.backbones.packed import pack
from lssat.models.backbones.vit import LayerNorm, init_mae, positions
from lssat.models.backbones.weights import Weights, load_weights

__all__ = ["LayerNorm", "Weights", "build", "decoder_sizes", "init_mae"]
__all__ += ["load_weights", "positions"]


def build(name: str, img_size: int) -> Any:
    """Build a module of timm with fresh weights, drawn from torch's generator, without its head.

    Args:
        name: of `grid.ENCODERS` (a ViT with MAE's fixed sin-cos positions), `timm:<name>` (any
            plain ViT of timm, as timm builds it) or of `grid.BASELINES` (a convolutional network
            that pools by itself).
        img_size: side of the square images in pixels.

    Raises:
        DataError: timm has no such model, or one that cannot be masked; the text says why.
    """
    if name in grid.BASELINES:
        return timm_models.create(grid.BASELINES[name])
    if name in grid.ENCODERS:
        return pack(vit.build(grid.ENCODERS[name], img_size))
    return pack(timm_models.vit(name.removeprefix(grid.TIMM), img_size))


def decoder_sizes(name: str, embed_dim: int) -> tuple[int, int, int]:
    """Return width, depth and heads of the decoder that goes with a backbone.

    The papers' two decoders by the encoder's width: 128 x 2 x 16 up to 384 (T and S), 512 x 8 x 16
    above (B, L and H); for a ViT of timm the same rule is our choice.
    """
    if name in grid.ENCODERS:
        return grid.ENCODERS[name][-3:]
    return (128, 2, 16) if embed_dim <= 384 else (512, 8, 16)
