"""Texture codes on tensors, on any device: the same bits as `lssat.texture` gives.

For codes of augmented crops beside the model. LDP is integer arithmetic from end to end, so that
eager and compiled code, on a CPU or a GPU, cannot differ; nothing waits for the device.

    codes(imgs, "ldp", k=3)                            # (N, 3, H, W) uint8 -> (N, 1, H, W) uint8
    torch.compile(codes, dynamic=False)(imgs, "ldp", 3)  # one kernel on a GPU
"""

import torch
from torch import Tensor

from lssat.texture import KINDS, module

_FORMS = {kind: module(kind).tensors for kind in KINDS}  # by name, before anything is compiled


def codes(imgs: Tensor, kind: str, k: int = 3) -> Tensor:
    """Return the texture codes of RGB images.

    Args:
        imgs: uint8 (N, 3, H, W), RGB, on any device.
        kind: of `lssat.texture.KINDS`.
        k: bits set in an LDP code, 1 to 8; others have no use for it.

    Returns:
        uint8 (N, 1, H, W), on the device of `imgs`.

    Raises:
        ValueError: unknown kind, k out of range, or images of another shape or dtype.
    """
    if kind not in _FORMS:
        raise ValueError(f"unknown texture {kind!r}: known are {', '.join(KINDS)}")
    if not 1 <= k <= 8:
        raise ValueError(f"k must lie in 1 to 8, found {k}")
    return _FORMS[kind](luma(imgs), k)


def luma(imgs: Tensor) -> Tensor:
    """Return the BT.601 luma, equal to Pillow's mode L.

    Args:
        imgs: uint8 (N, 3, H, W), RGB.

    Returns:
        uint8 (N, 1, H, W).

    Raises:
        ValueError: images of another shape or dtype.
    """
    if imgs.dtype != torch.uint8 or imgs.ndim != 4 or imgs.shape[1] != 3:
        shape = tuple(imgs.shape)
        raise ValueError(f"images must be uint8 (N, 3, H, W), found {imgs.dtype} {shape}")
    red, green, blue = imgs.to(torch.int32).split(1, dim=1)
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).to(torch.uint8)
