"""Models that packed passes are held to."""

import numpy as np
import torch
from torch import Tensor

from lssat.grid import parse
from lssat.models import ssat

# (name, patch size, whether its blocks are packed), each with something the others lack.
MODELS = [
    ("vit_micro", 20, True),
    ("timm:vit_tiny_patch16_224", 16, True),  # learned positions
    ("timm:deit3_small_patch16_224", 16, True),  # positions without the class token, layer scale
    ("timm:vit_small_patch14_reg4_dinov2", 14, True),  # registers
    ("timm:vit_xsmall_patch16_clip_224", 16, True),  # a norm before the blocks
    ("timm:test_vit3", 16, True),  # pooling by attention
    ("timm:vit_medium_patch16_gap_240", 16, True),  # no class token, mean and norm
    ("timm:eva02_tiny_patch14_224", 14, True),  # rotary positions, SwiGLU
    ("timm:vit_small_patch16_dinov3", 16, True),  # rotary alone, registers
    ("timm:vit_small_patch16_rope_mixed_224", 16, False),  # rotary, others in each block
    ("timm:vit_dwee_patch16_reg1_gap_256", 16, False),  # attention of another kind
]  # fmt: skip


def model_of(name: str, patch: int, configuration: str, **options) -> ssat.SSAT:
    torch.manual_seed(0)
    model = ssat.SSAT(name, parse(configuration), 4 * patch, 5, **options)
    if not getattr(model.encoder, "rope_mixed", False):
        model.encoder.blocks = model.encoder.blocks[:2]
    for part in model.parameters():  # layer scale of 1e-5 or zero biases would hide errors
        if part.requires_grad:
            part.data.normal_(std=0.1)
    return model.eval()  # DINOv3 moves its rotary positions at random while training


def inputs(patch: int) -> tuple[Tensor, Tensor, Tensor]:
    draw = np.random.default_rng(0)
    shape = (2, 3, 4 * patch, 4 * patch)
    imgs = torch.from_numpy(draw.integers(0, 256, shape, np.uint8))
    codes = torch.from_numpy(draw.integers(0, 256, (2, 1, *shape[2:]), np.uint8))
    return imgs, codes, torch.from_numpy(draw.random((2, 16)))
