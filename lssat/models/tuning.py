"""Which part of a model is trained (`train.tune`): flags, adapters, and the mode of what rests."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from lssat import grid
from lssat.grid.tuning import Tune
from lssat.models.ssat import SSAT
from lssat.tables import DataError

_NORMS = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.modules.batchnorm._BatchNorm)
_ENDS = ("norm", "fc_norm", "attn_pool")  # what timm's encoders have after their blocks
_ATTENTION = ("qkv", "q_proj", "k_proj", "v_proj", "proj")
_ADAPTER = "default"


def tune(model: SSAT, how: Tune, backbone: str, seed: int) -> None:
    """Freeze what is not trained, and put in adapters for `lora`.

    The head and the decoder are trained whatever `how` says. `norm`: the scales and shifts of
    the encoder's norms. `lora` (2106.09685): W + B A alpha / r on the linear layers of every
    block's attention, alpha = 2 r, by the peft library; A is drawn by `seed`, B begins as 0.
    `blocks`: the last ones, and the norms and the pooling that follow them.

    Raises:
        DataError: the backbone has no such part.
    """
    encoder = model.encoder
    blocks = len(encoder.blocks) if hasattr(encoder, "blocks") else None
    if problem := grid.tune_problem(backbone, how, blocks):
        what, _, fix = problem.partition("; ")
        raise DataError("params.yaml", f"train.tune: {what}", fix[:1].upper() + fix[1:])
    if how.kind == "full":
        return
    encoder.requires_grad_(False)
    encoder.zero_grad()  # of an earlier phase
    if how.kind == "lora":
        _adapt(encoder, how.number, seed)
        return
    for module in _trained(encoder, how):
        module.requires_grad_(True)
    if how.kind != "linear" and not any(p.requires_grad for p in encoder.parameters()):
        problem = f"train.tune: {backbone} has no norms with a scale and a shift"
        raise DataError("params.yaml", problem, "Write another, or leave it out")


def _trained(encoder: nn.Module, how: Tune) -> Iterable[nn.Module]:
    if how.kind == "norm":
        return [module for module in encoder.modules() if _is_norm(module)]
    if how.kind == "blocks":
        ends = [part for name in _ENDS if (part := getattr(encoder, name, None)) is not None]
        return [*list(encoder.blocks)[-how.number :], *ends]  # type: ignore[arg-type]
    return []


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, _NORMS) or type(module).__name__.startswith("RmsNorm")


def _adapt(encoder: nn.Module, rank: int, seed: int) -> None:
    # Imported here: it takes seconds, and other runs do not need it.
    from peft import LoraConfig, inject_adapter_in_model

    names = [
        name
        for name, module in encoder.named_modules()
        if isinstance(module, nn.Linear)
        and name.startswith("blocks.")
        and name.split(".")[2] == "attn"
        and name.split(".")[-1] in _ATTENTION
    ]
    torch.manual_seed(seed)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=names)
    inject_adapter_in_model(config, encoder, _ADAPTER)


def merge(model: SSAT) -> None:
    """Add the adapters to the weights, and put the plain layers back in their place."""
    adapted = [name for name, part in model.named_modules() if hasattr(part, "get_delta_weight")]
    for name in adapted:
        layer: Any = model.get_submodule(name)
        layer.merge(adapter_names=[_ADAPTER])
        model.set_submodule(name, layer.get_base_layer())


def rest(module: nn.Module) -> None:
    """Put what is frozen in evaluation mode: BatchNorm keeps its statistics, nothing is dropped.

    Layers without parameters go with what holds them.
    """
    own = list(module.parameters())
    if own and not any(parameter.requires_grad for parameter in own):
        module.eval()
        return
    for child in module.children():
        rest(child)


def trained_parameters(model: SSAT) -> int:
    """Return how many parameters are trained, without those of decoder and boundary head."""
    named, beside = model.named_parameters(), ("decoder.", "boundary.")
    return sum(p.numel() for name, p in named if p.requires_grad and not name.startswith(beside))
