"""The process that asks timm for a plain ViT's sizes, or counts what another model costs."""

import json
import sys
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lssat.models.backbones import timm_vit
from lssat.models.backbones.tokens import pools_class_token

_SIZE = 224


def main() -> None:
    """Print JSON of a plain ViT's sizes, or of operations, parameters and numbers kept."""
    with torch.device("meta"):
        model: Any = timm_vit.build(sys.argv[1], _SIZE, masked=False).eval()
        image = torch.zeros(1, 3, _SIZE, _SIZE)
    if getattr(model, "pools", False):
        print(json.dumps(counted(model, image)))
        return
    sizes = dict(dim=model.embed_dim, depth=len(model.blocks), prefix=model.num_prefix_tokens)
    sizes |= {"patch": model.patch_embed.patch_size[0], "class_only": pools_class_token(model)}
    print(json.dumps(sizes))


def counted(model: nn.Module, image: torch.Tensor) -> dict[str, float]:
    """Return operations of a forward pass, parameters, and the numbers that all layers give."""
    kept: list[int] = []

    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        kept.append(output.numel() if isinstance(output, torch.Tensor) else 0)

    for layer in model.modules():
        if not any(layer.children()):
            layer.register_forward_hook(hook)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image)
    own = sum(parameter.numel() for parameter in model.parameters())
    return {"operations": counter.get_total_flops(), "parameters": own, "saved": sum(kept)}


if __name__ == "__main__":
    main()
