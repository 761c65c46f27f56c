"""What recipes ask of a backbone that only timm knows: blocks, checkpoints, maps for Face X-ray."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lssat import grid
from lssat.data.preflight.named_models import variants
from lssat.params.base import texts

_CHECKPOINTS = "grad_checkpointing"


class Asked(NamedTuple):
    """A key of one recipe that a backbone is trained with."""

    where: list[str]  # the key in params.yaml: of train, or of a variant that changes it
    key: str
    value: Any


def of(get: Callable[..., Any], backbone: str) -> list[Asked]:
    """Return what the recipes of a backbone's runs ask, the variants' as well.

    Args:
        get: gives the raw value of a key of params.yaml, or None.
    """
    return [asked for asked in _all(get, backbone) if _only_timm_knows(backbone, *asked[1:])]


def _all(get: Callable[..., Any], backbone: str) -> Iterator[Asked]:
    keys = ("tune", "blend", _CHECKPOINTS)
    yield from (Asked(["train", key], key, get("train", key)) for key in keys)
    for beside in grid.BESIDE:
        if backbone not in texts(get("benchmark", beside, "backbones")):
            continue
        for name in variants(get, beside):
            for key in keys:
                yield Asked(["variants", name, key], key, get("variants", name, key))


def _only_timm_knows(backbone: str, key: str, value: Any) -> bool:
    if not backbone.startswith(grid.TIMM):
        return False
    if key != "tune":
        return value == {"blend": "xray", _CHECKPOINTS: True}[key]
    try:
        return isinstance(value, str) and grid.tuning.known_later(backbone, grid.tune(value))
    except ValueError:  # reported where it stands
        return False
