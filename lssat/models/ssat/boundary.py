"""Face X-ray's second head (1912.13458): where an image was blended, from the encoder's maps."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Weight of the boundary's loss beside that of classification: Face X-ray's (docs/rivals.md).
LAMBDA_BOUNDARY = 100.0
_CHANNELS = 64  # ours
_FINEST = 4  # pixels of the image that a place of the finest map stands for: ours, as HRNet's


class Boundary(nn.Module):
    """Predicts the face X-ray from the maps of an encoder, coarse ones enlarged and added.

    Ours, in the place of the paper's HRNet, so that every backbone can have it.

    Args:
        channels: of each map.
    """

    def __init__(self, channels: list[int]):
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(count, _CHANNELS, 1) for count in channels)
        self.joined = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1)
        self.last = nn.Conv2d(_CHANNELS, 1, 1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Return logits (N, 1, h, w) at the size of the largest map (N, C, h, w)."""
        size = max(x.shape[-2:] for x in maps)
        same = [F.interpolate(conv(x), size) for conv, x in zip(self.lateral, maps, strict=True)]
        return self.last(F.relu(self.joined(F.relu(torch.stack(same).sum(0)))))


def channels_of(encoder: Any, convolutional: bool) -> list[int]:
    """Return the channels of each map that `maps_of` gives."""
    if not convolutional:
        return [encoder.embed_dim]
    return [level["num_chs"] for level in encoder.feature_info if level["reduction"] >= _FINEST]


def maps_of(encoder: Any, imgs: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return what a convolutional encoder pools (N, F), and its maps from the finest on.

    Args:
        imgs: (N, 3, H, W), normalised.
    """
    last, maps = encoder.forward_intermediates(imgs)
    kept = [
        map
        for map, about in zip(maps, encoder.feature_info, strict=True)
        if about["reduction"] >= _FINEST
    ]
    return encoder.forward_head(last, pre_logits=True), kept


def boundary_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean binary cross-entropy over the places of a predicted map.

    Args:
        logits: (N, 1, h, w). target: (N, 1, H, W) in [0, 1], averaged over each place's pixels.
    """
    small = F.adaptive_avg_pool2d(target, (logits.shape[-2], logits.shape[-1]))
    return F.binary_cross_entropy_with_logits(logits.float(), small)
