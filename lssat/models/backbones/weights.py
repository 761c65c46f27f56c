"""Initial weights: fresh ones, released ones from the hub, or a local safetensors file."""

from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import timm
from safetensors.torch import load_file
from timm.models import get_pretrained_cfg
from torch import Tensor

from lssat import grid
from lssat.models.checkpoint import misfits
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
    if choice in ("mae", "timm"):
        source = released(name, choice)
        state = _fitted(encoder, name, source, _from_hub(encoder, name, source))
        encoder.load_state_dict(state)
        return Weights(source, licence(source))
    encoder.load_state_dict(check_file(encoder, name, choice))
    return Weights(choice, None)


def check_file(encoder: Any, name: str, path: str) -> dict[str, Tensor]:
    """Read a safetensors file for a backbone, which may be on the meta device.

    Returns:
        what the encoder's `load_state_dict` takes: names and shapes are its own.

    Raises:
        DataError: it cannot be read, or names and shapes differ.
    """
    module, state = _module(name), _from_file(path)
    kernel = "patch_embed.proj.weight"  # timm would resample it, too, to another patch size
    if grid.family(name).prefix and kernel in state and state[kernel].ndim == 4:
        _check(name, path, {kernel: encoder.state_dict()[kernel]}, {kernel: state[kernel]})
    if hasattr(module, "from_file"):
        state = module.from_file(encoder, name, state)
    return _fitted(encoder, name, path, state)


def _module(name: str) -> Any:
    return import_module(f"lssat.models.backbones.{grid.family(name).name}")


def released(name: str, choice: str) -> str:
    """Return timm's name of the weights that `mae` or `timm` means for a backbone."""
    family = grid.family(name)
    return family.released[choice].get(name, name.removeprefix(family.prefix))


def licence(hub: str) -> str | None:
    """Return the licence that the release of weights states, as timm knows it."""
    config = get_pretrained_cfg(hub)
    return config.license if config else None


def _fitted(encoder: Any, name: str, source: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    if hasattr(_module(name), "fitted"):
        state = _module(name).fitted(encoder, state)
    _check(name, source, encoder.state_dict(), state)
    return state


def _check(name: str, source: str, own: dict[str, Tensor], state: dict[str, Tensor]) -> None:
    if wrong := misfits(state, own):
        fix = "Choose the encoder that the weights were made for"
        raise DataError(source, f"does not fit {name}: {wrong}", fix)


def _from_file(path: str) -> dict[str, Tensor]:
    if not Path(path).is_file():
        fix = "Set train.weights to scratch, mae, timm or a file"
        raise DataError(path, "does not exist", fix)
    try:
        return load_file(path)
    except Exception as error:  # safetensors raises its own type, which is not public
        fix = "Give weights as .safetensors; pickled files are not opened"
        raise DataError(path, f"is not a safetensors file ({error})", fix) from error


def _from_hub(encoder: Any, name: str, hub: str) -> dict[str, Tensor]:
    # Positions of our own encoders are not loaded, so that the release's size may be another.
    options: dict[str, Any] = {}
    if grid.family(name).prefix:
        made_with = getattr(encoder, "made_with", None)  # of those that pool by themselves
        options = {"img_size": encoder.patch_embed.img_size} if made_with is None else made_with
    try:
        model = timm.create_model(hub, pretrained=True, num_classes=0, **options)
    except Exception as error:  # the hub's client raises many types, all of them final here
        raise DataError(
            "params.yaml",
            f"train.weights: {hub} cannot be fetched from the hub ({type(error).__name__})",
            "Connect this machine, or fetch the file elsewhere and set train.weights to its path",
        ) from error
    return model.state_dict()
