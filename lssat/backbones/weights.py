"""Initial weights: fresh ones, released ones from the hub, or a local safetensors file."""

from pathlib import Path
from typing import Any, NamedTuple

import timm
from safetensors.torch import load_file
from timm.models import get_pretrained_cfg
from torch import Tensor, nn

from lssat import grid
from lssat.tables import DataError


class Weights(NamedTuple):
    """Where initial weights came from, for the record."""

    source: str  # scratch, the hub's name, or the file
    licence: str | None  # as the release states it; None: not stated, or none needed


def load_weights(encoder: Any, name: str, weights: str | dict[str, str]) -> Weights:
    """Load initial weights into a backbone, by name, all of them.

    Args:
        weights: `scratch` (keep the fresh ones), `mae`, `timm` (both from the hub) or a
            safetensors file; or one of these for each backbone.

    Raises:
        DataError: no such weights, no network, or names and shapes that differ.
    """
    choice = weights[name] if isinstance(weights, dict) else weights
    if choice == "scratch":
        return Weights("scratch", None)
    if problem := grid.weights_problem(name, choice):
        what, _, fix = problem.partition("; ")
        raise DataError("params.yaml", f"train.weights: {what}", fix[:1].upper() + fix[1:])
    named = choice in ("mae", "timm")
    found = _hub_name(name, choice) if named else choice
    if name in grid.ENCODERS:
        _load(encoder, name, found, _from_hub(found) if named else _from_file(found))
    else:
        _load_by_timm(encoder, name, found, named)
    return Weights(found, _licence(found) if named else None)


def _hub_name(name: str, choice: str) -> str:
    if choice == "mae":
        return grid.MAE_WEIGHTS[name]
    return grid.BASELINES.get(name, name.removeprefix(grid.TIMM))


def _licence(hub: str) -> str | None:
    config = get_pretrained_cfg(hub)
    return config.license if config else None


def _load(encoder: Any, name: str, source: str, state: dict[str, Tensor]) -> None:
    state.pop("pos_embed", None)  # fixed by definition; the file's may be of another image size
    own = {key: value for key, value in encoder.state_dict().items() if key != "pos_embed"}
    _check(name, source, own, state)
    encoder.load_state_dict(state, strict=False)  # all but pos_embed, as was checked


def _check(name: str, source: str, own: dict[str, Tensor], state: dict[str, Tensor]) -> None:
    missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    shapes = [
        f"{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}"
        for key in own.keys() & state.keys()
        if state[key].shape != own[key].shape
    ]
    if missing or unexpected or shapes:
        raise DataError(
            source,
            f"does not fit {name}: missing {missing[:5]}, unexpected {unexpected[:5]}, "
            f"shapes {sorted(shapes)[:5]}",
            "Choose the encoder that the weights were made for",
        )


def _from_file(path: str) -> dict[str, Tensor]:
    if not Path(path).is_file():
        fix = "Set train.weights to scratch, mae, timm or a file"
        raise DataError(path, "does not exist", fix)
    try:
        return load_file(path)
    except Exception as error:  # safetensors raises its own type, which is not public
        fix = "Give weights as .safetensors; pickled files are not opened"
        raise DataError(path, f"is not a safetensors file ({error})", fix) from error


def _from_hub(hub: str) -> dict[str, Tensor]:
    return _fetched(hub).state_dict()


def _fetched(hub: str, **options) -> nn.Module:
    try:
        return timm.create_model(hub, pretrained=True, num_classes=0, **options)
    except Exception as error:  # the hub's client raises many types, all of them final here
        raise DataError(
            "params.yaml",
            f"train.weights: {hub} cannot be fetched from the hub ({type(error).__name__})",
            "Connect this machine, or fetch the file elsewhere and set train.weights to its path",
        ) from error


def _load_by_timm(encoder: Any, name: str, source: str, hub: bool) -> None:
    """Let timm read released weights: it drops their head and resamples positions to our size."""
    size: dict[str, Any] = (
        {} if name in grid.BASELINES else {"img_size": encoder.patch_embed.img_size}
    )
    if hub:
        released = _fetched(source, **size)
    else:
        _from_file(source)  # timm would open a pickle
        model = grid.BASELINES.get(name, name.removeprefix(grid.TIMM))
        overlay = {"file": source}
        try:
            released = timm.create_model(
                model, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay, **size
            )
        except RuntimeError as error:  # torch lists what is missing, unexpected or misshapen
            fix = "Choose the backbone that the weights were made for"
            raise DataError(source, f"does not fit {name}: {error}", fix) from error
    encoder.load_state_dict(released.state_dict())
