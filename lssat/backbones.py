"""The encoders: one table (`grid.ENCODERS`), one interface, timm's VisionTransformer behind it.

Positions are MAE's fixed 2-D sin-cos table; parameter names are timm's, so that weights in
timm's format load by name.
"""

from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from lssat.grid import ENCODERS
from lssat.tables import DataError

# MAE's released encoders in timm's format (CC-BY-NC 4.0).
MAE_WEIGHTS = {
    "vit_base": "vit_base_patch16_224.mae",
    "vit_large": "vit_large_patch16_224.mae",
    "vit_huge14": "vit_huge_patch14_224.mae",
}
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


def build(name: str, img_size: int) -> VisionTransformer:
    """Build an encoder of the table with fresh weights, drawn from torch's generator.

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


def load_weights(encoder: VisionTransformer, name: str, weights: str) -> None:
    """Load initial weights into an encoder, by name, all of them.

    Args:
        weights: `scratch` (keep the fresh ones), `mae` (from the hub) or a safetensors file.

    Raises:
        DataError: no such weights, no network, or names and shapes that differ.
    """
    if weights == "scratch":
        return
    state = _from_hub(name, encoder) if weights == "mae" else _from_file(weights)
    state.pop("pos_embed", None)  # fixed by definition; the file's may be of another image size
    own = {key: value for key, value in encoder.state_dict().items() if key != "pos_embed"}
    missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    shapes = [
        f"{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}"
        for key in own.keys() & state.keys()
        if state[key].shape != own[key].shape
    ]
    if missing or unexpected or shapes:
        raise DataError(
            weights,
            f"does not fit {name}: missing {missing[:5]}, unexpected {unexpected[:5]}, "
            f"shapes {sorted(shapes)[:5]}",
            "Choose the encoder that the weights were made for",
        )
    encoder.load_state_dict(state, strict=False)  # all but pos_embed, as was checked


def _from_file(path: str) -> dict[str, Tensor]:
    if not Path(path).is_file():
        raise DataError(path, "does not exist", "Set train.weights to scratch, mae or a file")
    try:
        return load_file(path)
    except Exception as error:  # safetensors raises its own type, which is not public
        fix = "Give weights as .safetensors; pickled files are not opened"
        raise DataError(path, f"is not a safetensors file ({error})", fix) from error


def _from_hub(name: str, encoder: VisionTransformer) -> dict[str, Tensor]:
    if name not in MAE_WEIGHTS:
        known = ", ".join(MAE_WEIGHTS)
        raise DataError(
            "params.yaml",
            f"train.weights: mae has no weights for {name}",
            f"MAE released {known}; use one of them, scratch, or a safetensors file",
        )
    import timm

    hub = MAE_WEIGHTS[name]
    try:
        model = timm.create_model(hub, pretrained=True, num_classes=0)
    except Exception as error:  # the hub's client raises many types, all of them final here
        raise DataError(
            "params.yaml",
            f"train.weights: {hub} cannot be fetched from the hub ({type(error).__name__})",
            "Connect this machine, or fetch the file elsewhere and set train.weights to its path",
        ) from error
    return model.state_dict()
