"""What all textures share on tensors."""

import torch
from torch import Tensor


def around(grey: Tensor) -> Tensor:
    """Repeat the edges by one pixel: (N, 1, H, W) -> (N, 1, H + 2, W + 2)."""
    grey = torch.cat((grey[..., :1, :], grey, grey[..., -1:, :]), dim=-2)
    return torch.cat((grey[..., :1], grey, grey[..., -1:]), dim=-1)
