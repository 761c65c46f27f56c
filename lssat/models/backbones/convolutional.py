"""The convolutional baselines: networks of timm that pool by themselves."""

from typing import Any

from torch import Tensor, nn

from lssat.grid import BASELINES
from lssat.models.backbones import timm_vit


def build(name: str, img_size: int, frames: None = None) -> nn.Module:
    """Build a network of `BASELINES` without its head, for images of any size."""
    model: Any = timm_vit.create(BASELINES[name])
    model.pools = True
    return model


def from_file(encoder: nn.Module, name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read released weights without their head."""
    return timm_vit.without_head(BASELINES[name], state)
