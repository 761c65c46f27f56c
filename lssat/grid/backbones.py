"""The backbones: names, sizes, released weights, and a record of each family. No torch."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Encoder(NamedTuple):
    """Sizes of a ViT encoder and of the light decoder that goes with it."""

    embed_dim: int
    depth: int
    num_heads: int
    patch_size: int
    decoder_dim: int
    decoder_depth: int
    decoder_heads: int


ENCODERS = {
    # The two encoders of the built-in sample: ours, small enough for one CPU core.
    "vit_micro": Encoder(64, 3, 2, 20, 64, 1, 4),
    "vit_mini": Encoder(96, 4, 3, 20, 64, 1, 4),
    # SSAT (2310.20704) for T and S, MAE (2111.06377) for B, L and H.
    "vit_tiny": Encoder(192, 12, 3, 16, 128, 2, 16),
    "vit_small": Encoder(384, 12, 6, 16, 128, 2, 16),
    "vit_base": Encoder(768, 12, 12, 16, 512, 8, 16),
    "vit_large": Encoder(1024, 24, 16, 16, 512, 8, 16),
    "vit_huge14": Encoder(1280, 32, 16, 14, 512, 8, 16),
    "vit_huge16": Encoder(1280, 32, 16, 16, 512, 8, 16),
}


class VideoEncoder(NamedTuple):
    """Sizes of a ViT on clips and of its decoder (VideoMAE, 2203.12602)."""

    embed_dim: int
    depth: int
    num_heads: int
    patch_size: int
    tubelet: int  # frames of a token
    decoder_dim: int
    decoder_depth: int
    decoder_heads: int


VIDEO_ENCODERS = {
    "videomae_mini": VideoEncoder(96, 4, 3, 20, 2, 64, 1, 4),  # ours, for the built-in sample
    "videomae_small": VideoEncoder(384, 12, 6, 16, 2, 192, 4, 3),
    "videomae_base": VideoEncoder(768, 12, 12, 16, 2, 384, 4, 6),
    "videomae_large": VideoEncoder(1024, 24, 16, 16, 2, 512, 12, 8),
    "videomae_huge": VideoEncoder(1280, 32, 16, 16, 2, 640, 12, 8),
}

# Any other ViT of timm is named `timm:<name>`; timm itself knows the names, when training starts.
TIMM = "timm:"

# Baselines without the auxiliary task, and timm's names (with the weights' tag) for them.
BASELINES = {
    "resnet18": "resnet18.a1_in1k",
    "resnet50": "resnet50.a1_in1k",
    "efficientnet_b4": "efficientnet_b4.ra2_in1k",
    "xception": "legacy_xception.tf_in1k",
}

# MAE's released encoders (2111.06377; CC-BY-NC 4.0), under timm's names.
MAE_WEIGHTS = {
    "vit_base": "vit_base_patch16_224.mae",
    "vit_large": "vit_large_patch16_224.mae",
    "vit_huge14": "vit_huge_patch14_224.mae",
}


@dataclass(frozen=True)
class Family:
    """What the backbones of one kind share; `lssat/models/backbones/<name>.py` builds them.

    Args:
        name: of its module.
        sizes: its names, and for each what its module builds from; `patch_size` is asked of it.
        prefix: how any other name of the family begins; "": there is none.
        masks: it has patches to mask; else it is a baseline, which pools by itself.
        clips: it reads clips, else images.
        released: a word of `train.weights` -> timm's names of the weights by ours, or the names
            themselves, without the prefix.
        no_timm: why timm's weights are none for it, and what to do.
    """

    name: str
    sizes: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""
    masks: bool = True
    clips: bool = False
    released: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    no_timm: str = "; write scratch, or the path of a safetensors file"

    def has(self, name: str) -> bool:
        """Say whether a backbone is of this family."""
        return name in self.sizes or bool(self.prefix and name.startswith(self.prefix))


_ANY = Family("timm_vit", prefix=TIMM, released={"timm": {}})
FAMILIES = (
    Family(
        "vit",  # MAE's fixed positions
        ENCODERS,
        released={"mae": MAE_WEIGHTS},
        no_timm=f", which has fixed positions; name such a backbone {TIMM}<name of the model>",
    ),
    _ANY,
    Family("convolutional", BASELINES, masks=False, released={"timm": BASELINES}),
    Family(
        "videomae",
        VIDEO_ENCODERS,
        clips=True,
        no_timm="; fetch a VideoMAE's safetensors and name it",
    ),
)


def family(name: str) -> Family:
    """Return the family of a backbone; of a name that nobody knows that of timm's ViTs."""
    return next((kind for kind in FAMILIES if kind.has(name)), _ANY)


def weights_problem(name: str, weights: str | None) -> str | None:
    """Say why a backbone cannot start from the weights `mae` or `timm`, or None."""
    released = family(name).released
    if weights == "mae" and name not in released.get("mae", ()):
        fix = "use one of them, scratch, or a safetensors file"
        return f"mae has no weights for {name}; MAE released {', '.join(MAE_WEIGHTS)}; {fix}"
    if weights == "timm" and "timm" not in released:
        return f"timm has no weights for {name}{family(name).no_timm}"
    return None


def backbone_problem(name: str, img_size: int, mask_ratio: float) -> str | None:
    """Say why a backbone cannot take square images of `img_size` pixels, or None.

    The patch size of a ViT of timm is read from its name, where the name tells it.
    """
    kind, spelt = family(name), re.search(r"patch(\d+)", name)
    patch = getattr(kind.sizes.get(name), "patch_size", None)
    if name.startswith(TIMM) and spelt:
        patch = int(spelt[1])
    return patch_problem(img_size, patch, mask_ratio) if patch and not kind.clips else None


def patch_problem(
    img_size: int, patch_size: int, mask_ratio: float, tubes: bool = False
) -> str | None:
    """Say why square images cannot be cut into patches and masked, or None.

    Args:
        tubes: the mask is VideoMAE's, which counts the places that it removes.
    """
    if img_size % patch_size:
        low = img_size // patch_size * patch_size
        return (
            f"{img_size} px is not a multiple of the patch size {patch_size}; "
            f"write {low} or {low + patch_size}"
        )
    patches = (img_size // patch_size) ** 2
    kept = math.floor(patches * (1 - mask_ratio))
    if tubes:
        kept = patches - math.floor(patches * mask_ratio)
    if not 1 <= kept < patches:
        fix = "keep 1 or more" if kept < 1 else "remove 1 or more"
        return f"mask_ratio {mask_ratio} keeps {kept} of {patches} patches; {fix}"
    return None
