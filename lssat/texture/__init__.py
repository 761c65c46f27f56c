"""Texture codes: the Local Directional Pattern (LDP) and the local binary pattern (LBP).

The LDP follows a specification of our own (docs/ldp.md), since published programs disagree:
Kirsch masks as correlation, counter-clockwise from East; bit i of the code is direction i; set
are the bits of the k largest absolute responses, a tie going to the lower direction (so exactly
k are set); BT.601 integer luma; edges replicated. After Jabid, Kabir, Chae 2010.

A cached code image must never be flipped or resampled: a third of all pixels of natural 8-bit
crops have a tie, so codes are computed again from the crop that was flipped.

Each texture is a module of `kinds`: a reference on arrays, tensors, and where it has them compiled
loops for bulk: one result.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from lssat.texture.arrays import NEIGHBOURS, check, luma

SPEC = "1"  # of the codes; another number when a pixel could come out differently
KINDS = tuple(
    sorted(
        path.stem
        for path in (Path(__file__).parent / "kinds").iterdir()
        if not path.name.startswith("__")
    )
)

__all__ = ["KINDS", "NEIGHBOURS", "SPEC", "codes", "luma", "module", "named"]


def codes(imgs: np.ndarray, kind: str, k: int = 3, bulk: bool = False) -> np.ndarray:
    """Return the texture codes of RGB images.

    Args:
        imgs: uint8 (H, W, 3) or (N, H, W, 3), RGB.
        kind: of `KINDS`.
        k: bits set in an LDP code, 1 to 8; others have no use for it.
        bulk: many images: by the compiled loops, where there are any. Their import alone costs a
            second or two; the codes are the same.

    Returns:
        uint8 (H, W) or (N, H, W).

    Raises:
        ValueError: unknown kind, k out of range, or images of another shape or dtype.
    """
    texture = module(kind)
    if bulk and hasattr(texture, "bulk"):
        return texture.bulk(imgs, k)
    check(imgs)
    grey = luma(imgs)
    planes = grey.reshape(-1, *grey.shape[-2:])  # one at a time stays in the cache
    return np.array([texture.plane(plane, k) for plane in planes], np.uint8).reshape(grey.shape)


def named(kind: str, k: int | str) -> str:
    """Return what a texture is called where people read: `LDP, k = 3`."""
    known = kind in KINDS and module(kind).USES_K
    return f"{kind.upper()}, k = {k}" if known else kind.upper()


def module(kind: str) -> Any:
    """Return the module of a texture.

    Raises:
        ValueError: there is none of that name.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown texture {kind!r}: known are {', '.join(KINDS)}")
    return import_module(f"lssat.texture.kinds.{kind}")
