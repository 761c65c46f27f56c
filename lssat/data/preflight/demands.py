"""What recipes demand of backbones that only timm knows: blocks, checkpoints, Face X-ray's maps."""

from collections.abc import Iterator
from typing import Any

from lssat import grid
from lssat.data.preflight.contract import Demand
from lssat.data.preflight.named_models import variants
from lssat.params.base import Get, texts

_CHECKPOINTS = "grad_checkpointing"


def of(get: Get, backbone: str) -> list[Demand]:
    """Return what the recipes of a backbone's runs demand, the variants' as well."""
    return [demand for demand in _all(get, backbone) if _only_timm_knows(backbone, *demand[1:])]


def _all(get: Get, backbone: str) -> Iterator[Demand]:
    keys = ("tune", "blend", _CHECKPOINTS)
    yield from (Demand(["train", key], key, get("train", key)) for key in keys)
    for beside in grid.BESIDE:
        if backbone not in texts(get("benchmark", beside, "backbones")):
            continue
        for name in variants(get, beside):
            for key in keys:
                yield Demand(["variants", name, key], key, get("variants", name, key))


def _only_timm_knows(backbone: str, key: str, value: Any) -> bool:
    if not backbone.startswith(grid.TIMM):
        return False
    if key != "tune":
        return value == {"blend": "xray", _CHECKPOINTS: True}[key]
    try:
        return isinstance(value, str) and grid.tuning.known_later(backbone, grid.tune(value))
    except ValueError:  # reported where it stands
        return False
