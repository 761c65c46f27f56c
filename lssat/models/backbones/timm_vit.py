"""Any plain ViT of timm, named `timm:<name>`; where nothing is masked, any classifier."""

from difflib import get_close_matches
from typing import Any

import timm
from timm.models import eva, get_pretrained_cfg, vision_transformer
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from lssat.grid import TIMM, patch_problem
from lssat.tables import DataError

# Why a mask cannot follow what looks like a ViT; any other class is no ViT at all.
_REFUSED = {
    "Beit": "its relative position bias is tied to the whole grid of patches",
    "VisionTransformerRelPos": "its relative position bias is tied to the whole grid of patches",
    "VisionTransformerDistilled": "it averages two heads, on a class and a distillation token",
}


def build(name: str, img_size: int, frames: None = None, masked: bool = True) -> nn.Module:
    """Build a model of timm for square images of `img_size` pixels, without head, not pretrained.

    Handled of a ViT: a class token or none, registers, absolute positions (learned, and resampled
    by timm when weights of another size are loaded), rotary positions, layer scale, query-key norm,
    norm before the blocks, pooling by token, mean or attention. Of other classifiers the features
    that their own pooling makes, (N, `width(model)`); their attribute `pools` is true.

    Args:
        masked: patches must be left out, which only a plain ViT can; else any classifier will do.

    Raises:
        DataError: an unknown name (with close ones), a size that does not fit, or a model that
            cannot be masked, with the reason.
    """
    name = name.removeprefix(TIMM)
    model: Any = create(name, img_size=img_size) if masked else of_any_size(name, img_size)
    if reason := _not_plain(model):
        if masked:
            raise _refuse(name, reason)
        model.pools = True
        return model
    if problem := patch_problem(img_size, model.patch_embed.patch_size[0], 0.5):
        what, _, fix = problem.partition("; ")
        raise DataError("params.yaml", f"faces.size: timm:{name}: {what}", fix.capitalize())
    return model


def _not_plain(model: Any) -> str | None:
    """Say why a model is no ViT whose patches can be masked, or None."""
    kind = type(model).__name__
    if type(model) not in (VisionTransformer, Eva):
        return _REFUSED.get(kind, f"it is {kind}, not a plain vision transformer")
    if type(model.patch_embed).__name__ != "PatchEmbed":
        return f"its patches come out of a {type(model.patch_embed).__name__}, which mixes them"
    return "it does not pool its tokens into features" if model.global_pool == "" else None


def of_any_size(name: str, img_size: int) -> Any:
    """Create a classifier of timm; those that have positions or windows are told the size.

    Raises:
        DataError: as `create`.
    """
    _known(name)
    try:
        model: Any = timm.create_model(name, num_classes=0, img_size=img_size)
        model.made_with = {"img_size": img_size}
    except (TypeError, AssertionError):  # it has no such option
        model = create(name)
        model.made_with = {}
    except RuntimeError as error:  # an unknown tag of weights
        raise _refuse(name, f"timm says: {error}") from error
    return model


def width(encoder: Any) -> int:
    """Return the number of features that a classifier without its head gives: some widen them."""
    return int(getattr(encoder, "head_hidden_size", None) or encoder.num_features)


def from_file(encoder: Any, name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read released weights as timm would: without head, positions resampled to our size."""
    if getattr(encoder, "pools", False):
        return without_head(name.removeprefix(TIMM), state)
    adapt = eva if isinstance(encoder, Eva) else vision_transformer
    adapted = adapt.checkpoint_filter_fn(state, encoder)
    return without_head(name.removeprefix(TIMM), adapted)


def without_head(name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out the head that timm's model of this name has."""
    config = get_pretrained_cfg(name)
    named = config.classifier if config else None
    heads = named if isinstance(named, tuple) else (named,)
    return {key: value for key, value in state.items() if key.rpartition(".")[0] not in heads}


def create(name: str, **options) -> nn.Module:
    """Create a model of timm without its classification head.

    Raises:
        DataError: timm does not know the name, or refuses the options.
    """
    _known(name)
    try:
        return timm.create_model(name, num_classes=0, **options)
    except RuntimeError as error:  # an unknown tag of weights
        raise _refuse(name, f"timm says: {error}") from error
    except (TypeError, AssertionError) as error:
        reason = "it cannot be built for a given image size, as every plain vision transformer can"
        raise _refuse(name, f"{reason} ({error})") from error


def _known(name: str) -> None:
    if not timm.is_model(name):
        plain = name.split(".")[0]
        close = get_close_matches(plain, timm.list_models(), n=3, cutoff=0.6)
        fix = f"did you mean {' or '.join(close)}?" if close else "`timm.list_models()` lists all"
        raise DataError("params.yaml", f"benchmark.backbones: timm has no model {name!r}", fix)


def _refuse(name: str, reason: str) -> DataError:
    fix = "Choose a plain ViT, such as timm:vit_base_patch14_dinov2"
    return DataError(
        "params.yaml", f"benchmark.backbones: timm:{name} cannot be used: {reason}", fix
    )
