"""The backbones: a record of each family (`lssat.grid`), a module of its name, one interface.

`build` gives timm's own module where there is one, so that parameter names are timm's. What the
two branches need of a ViT - patches with positions, several sequences through the blocks at once,
pooling - are functions of `tokens`. docs/add-a-backbone.md adds a family.
"""

from importlib import import_module
from typing import Any

from lssat import grid
from lssat.models.backbones.packed import pack
from lssat.models.backbones.timm_vit import width
from lssat.models.backbones.vit import LayerNorm, init_mae, positions
from lssat.models.backbones.weights import Weights, load_weights

__all__ = ["LayerNorm", "Weights", "build", "decoder_sizes", "init_mae"]
__all__ += ["load_weights", "positions", "width"]


def build(name: str, img_size: int, frames: int | None = None, masked: bool = True) -> Any:
    """Build a backbone with fresh weights, drawn from torch's generator, without its head.

    Args:
        name: of one of `grid.FAMILIES`.
        img_size: side of the square images in pixels.
        frames: of a clip; None: images.
        masked: its patches are to be masked; else any classifier of timm will do.

    Raises:
        DataError: timm has no such model, or one that cannot be masked; the text says why.
    """
    family = grid.family(name)
    asked = {"masked": masked} if family.prefix else {}
    module = import_module(f"lssat.models.backbones.{family.name}")
    backbone = module.build(name, img_size, frames, **asked)
    return backbone if family.clips or getattr(backbone, "pools", False) else pack(backbone)


def decoder_sizes(name: str, embed_dim: int) -> tuple[int, int, int]:
    """Return width, depth and heads of the decoder that goes with a backbone.

    The papers' two decoders by the encoder's width: 128 x 2 x 16 up to 384 (T and S), 512 x 8 x 16
    above (B, L and H); where no paper says it the same rule is our choice.
    """
    sizes = grid.family(name).sizes.get(name)
    if isinstance(sizes, grid.Encoder):
        return sizes[-3:]
    return (128, 2, 16) if embed_dim <= 384 else (512, 8, 16)
