"""Operations, parameters and memory of a backbone by formula, without building it.

A multiplication and an addition are two operations, as in `lssat.training.meters`, whose counter
the formula is held to by a test.
"""

import json
import re
import subprocess
import sys
from functools import cache
from typing import Any, NamedTuple

from lssat import grid
from lssat.grid import Configuration
from lssat.grid.tuning import FULL

_SAVED = 19.3  # numbers of a token's width that a block keeps for its backward pass, as measured
_BY_NAME = {  # timm's plain ViTs: width, blocks, heads
    "tiny": (192, 12, 3),
    "small": (384, 12, 6),
    "base": (768, 12, 12),
    "large": (1024, 24, 16),
    "huge": (1280, 32, 16),
}
# At 224 px: operations of a forward pass (twice the published multiply-adds), parameters without
# the head, and numbers that are kept for a backward pass.
_CONVOLUTIONAL = {
    "resnet18": (3.6e9, 11.2e6, 5.7e6),
    "resnet50": (8.2e9, 23.5e6, 27.0e6),
    "efficientnet_b4": (3.1e9, 17.5e6, 36.0e6),
    "xception": (9.2e9, 20.8e6, 36.0e6),
}


class Sizes(NamedTuple):
    """What the formula needs of a ViT; `tubelet` 0: of images."""

    dim: int
    depth: int
    patch: int
    decoder_dim: int
    decoder_depth: int
    tubelet: int = 0
    prefix: int = 1  # class token and registers
    class_only: bool = True  # the head reads the class token, not a mean


class Work(NamedTuple):
    """What one image, or clip, costs."""

    training: dict[str, float]  # operations of a forward and backward pass, by phase
    inference: float  # operations
    parameters: float
    trained: float  # parameters of encoder and adapters
    decoder_parameters: float
    saved: float  # numbers that training keeps for the backward pass of an image
    blocks: int  # of encoder and decoder: each is some calls to the device


def sizes_of(backbone: str) -> Sizes | None:
    """Return the sizes of a ViT; None of a baseline that is none.

    A ViT of timm whose name does not tell its size is built once by timm, in a process of its own.
    """
    if backbone in grid.BASELINES:
        return None
    if backbone in grid.VIDEO_ENCODERS:
        clip = grid.VIDEO_ENCODERS[backbone]
        return _sizes(clip)._replace(tubelet=clip.tubelet, prefix=0)
    if backbone in grid.ENCODERS:
        return _sizes(grid.ENCODERS[backbone])
    return _of_timm(backbone.removeprefix(grid.TIMM))


def _sizes(own: grid.Encoder | grid.VideoEncoder) -> Sizes:
    return Sizes(own.embed_dim, own.depth, own.patch_size, own.decoder_dim, own.decoder_depth)


@cache
def _of_timm(name: str) -> Sizes | None:
    match = re.match(r"(?:vit|deit)_(tiny|small|base|large|huge)_patch(\d+)_\d+(?:\.|$)", name)
    if match:
        dim, depth, _ = _BY_NAME[match[1]]
        patch, prefix, class_only = int(match[2]), 1, True
    else:
        asked = _asked(name)
        if "dim" not in asked:
            return None
        dim, depth, patch, prefix = (asked[key] for key in ("dim", "depth", "patch", "prefix"))
        class_only = asked["class_only"]
    decoder = (128, 2) if dim <= 384 else (512, 8)  # as `models.backbones.decoder_sizes`
    return Sizes(dim, depth, patch, *decoder, prefix=prefix, class_only=class_only)


@cache
def _asked(name: str) -> dict[str, Any]:
    """Return what timm knows of a model of 224 px, which a process of its own builds."""
    module = "lssat.orchestrate.plan.timm_sizes"
    command = [sys.executable, "-W", "ignore", "-m", module, name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    known: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return known


def work(
    backbone: str,
    configuration: Configuration,
    size: int,
    mask_ratio: float,
    frames: int = 16,
    tune: grid.Tune = FULL,
) -> Work:
    """Return what one image of `size` pixels, or one clip of `frames`, costs."""
    sizes = sizes_of(backbone)
    if sizes is None:
        return _convolutional(backbone, size, tune)
    d, depth = sizes.dim, sizes.depth
    slots = frames // sizes.tubelet if sizes.tubelet else 1
    places = (size // sizes.patch) ** 2
    cube = sizes.patch**2 * max(1, sizes.tubelet)
    tokens, kept = places * slots, int(places * (1 - mask_ratio)) * slots
    embed = 2.0 * tokens * 3 * cube * d
    # Then the last block makes the class token's row alone.
    class_only = sizes.class_only and not sizes.tubelet
    whole = _blocks(tokens + sizes.prefix, d, depth, 1 if class_only else None)
    inference = embed + _forward(whole)
    parameters = depth * _block_parameters(d) + (3 * cube + tokens * (not sizes.tubelet)) * d
    own = parameters, _tuned_parameters(sizes, parameters, tune)
    share = _kept_share(tune, depth)
    if not configuration.masked:
        once = {"joint": _trained([whole], embed, tune, d)}
        saved = share * _SAVED * (tokens + sizes.prefix) * depth * d
        return Work(once, inference, *own, 0, saved, depth)
    seen, width = kept + sizes.prefix, sizes.decoder_dim
    masked = _blocks(seen, d, depth)
    values = cube * sum(3 if target == "RGB" else 1 for target in configuration.targets)
    removed = tokens - kept
    decode = 2.0 * seen * d * width + 2 * removed * width * values
    decode += _forward(_blocks(tokens + sizes.prefix, width, sizes.decoder_depth, removed))
    apart = embed if configuration.masked != configuration.classified else 0.0
    phases = {
        "joint": _trained([whole, masked], embed + apart, tune, d) + 3 * decode,
        "reconstruct": _trained([masked], embed, FULL, d) + 3 * decode,
        "classify": _trained([whole], embed, tune, d),
    }
    both = tokens + sizes.prefix + seen
    share = 1 if configuration.sequential else share
    saved = _SAVED * (share * both * depth * d + (tokens + 1) * sizes.decoder_depth * width)
    rest = width * (d + values + tokens * (not sizes.tubelet))
    decoder = sizes.decoder_depth * _block_parameters(width) + rest
    return Work(phases, inference, *own, decoder, saved, depth + sizes.decoder_depth)


class Block(NamedTuple):
    """A forward pass of one block: what multiplies weights, and tokens with tokens."""

    weights: float
    attention: float


def _blocks(tokens: int, dim: int, depth: int, read: int | None = None) -> list[Block]:
    """Return a forward pass of blocks; of the last one `read` tokens only, if said."""
    blocks = [Block(24.0 * tokens * dim**2, 4.0 * tokens**2 * dim)] * depth
    if read is not None:
        blocks[-1] = Block((4.0 * tokens + 20 * read) * dim**2, 4.0 * read * tokens * dim)
    return blocks


def _forward(blocks: list[Block]) -> float:
    return sum(sum(block) for block in blocks)


def _trained(passes: list[list[Block]], embed: float, tune: grid.Tune, dim: int) -> float:
    """Return forward and backward passes through blocks; nobody asks for the pixels' gradient."""
    forward = embed + sum(map(_forward, passes))
    if tune.kind == "full":
        return forward + embed + 2 * sum(map(_forward, passes))
    return forward + sum(_back(blocks, tune, dim) for blocks in passes)


def _back(blocks: list[Block], tune: grid.Tune, dim: int) -> float:
    """Return a backward pass; what is frozen passes gradients on and takes none itself."""
    if tune.kind == "blocks":
        return 2 * _forward(blocks[-tune.number :])
    if tune.kind == "linear":
        return 0.0
    through = sum(block.weights + 2 * block.attention for block in blocks)
    if tune.kind == "norm":
        return through
    # Forward and back through the adapters; nobody asks what the first block's input should be.
    adapters = 1.5 * tune.number / dim * sum(block.weights for block in blocks)
    return through + adapters - blocks[0].weights / 4


def _tuned_parameters(sizes: Sizes, parameters: float, tune: grid.Tune) -> float:
    """Return the parameters that are trained, of encoder and adapters."""
    by_kind = {
        "full": parameters,
        "linear": 0,
        "norm": (2 * sizes.depth + 1 + bool(sizes.tubelet)) * 2 * sizes.dim,
        "lora": sizes.depth * tune.number * 6 * sizes.dim,  # of qkv, D to 3 D, and the projection
        "blocks": tune.number * _block_parameters(sizes.dim),
    }
    return by_kind[tune.kind]


def _kept_share(tune: grid.Tune, depth: int) -> float:
    """Return how much of what full training keeps for its backward pass is kept; 1 at most."""
    if tune.kind == "linear":
        return 0.0
    return tune.number / depth if tune.kind == "blocks" else 1.0


def _block_parameters(dim: int) -> int:
    return 12 * dim**2 + 13 * dim


def _convolutional(backbone: str, size: int, tune: grid.Tune) -> Work:
    operations, parameters, saved = _CONVOLUTIONAL.get(backbone) or (
        _asked(backbone.removeprefix(grid.TIMM))[key]
        for key in ("operations", "parameters", "saved")
    )
    share = (size / 224) ** 2
    forward = operations * share
    passes = {"full": 3, "linear": 1, "norm": 2}[tune.kind]
    saved *= share * (tune.kind != "linear")
    trained = parameters if tune.kind == "full" else 0  # of norms: next to nothing
    return Work({"joint": passes * forward}, forward, parameters, trained, 0, saved, 16)


def phases(configuration: Configuration, epochs: int, pretrain_epochs: int) -> dict[str, int]:
    """Return the phases of a training and the epochs of each."""
    if configuration.sequential:
        return {"reconstruct": pretrain_epochs, "classify": epochs}
    return {"joint": epochs}
