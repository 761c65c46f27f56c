"""Texture codes: the Local Directional Pattern (LDP) and the local binary pattern (LBP).

The LDP follows a specification of our own (docs/ldp.md), since published programs disagree:
Kirsch masks as correlation, counter-clockwise from East; bit i of the code is direction i; set
are the bits of the k largest absolute responses, a tie going to the lower direction (so exactly
k are set); BT.601 integer luma; edges replicated. After Jabid, Kabir, Chae 2010.

A cached code image must never be flipped or resampled: a third of all pixels of natural 8-bit
crops have a tie, so codes are computed again from the crop that was flipped.

`arrays` is the reference, `compiled` is for bulk, `lssat.texture.tensors` for tensors: one result.
"""

import numpy as np

from lssat.texture.arrays import NEIGHBOURS, lbp, ldp_numpy, luma

SPEC = "1"  # of the codes; another number when a pixel could come out differently
KINDS = ("ldp", "lbp")

__all__ = [
    "KINDS",
    "NEIGHBOURS",
    "SPEC",
    "codes",
    "lbp",
    "ldp",
    "ldp_numpy",
    "luma",
]


def codes(imgs: np.ndarray, kind: str, k: int = 3, bulk: bool = False) -> np.ndarray:
    """Return the texture codes of RGB images.

    Args:
        imgs: uint8 (H, W, 3) or (N, H, W, 3), RGB.
        kind: `ldp` or `lbp`.
        k: bits set in an LDP code, 1 to 8; LBP has no use for it.
        bulk: many images: LDP by the compiled loops, whose import alone costs a second or two.
            The codes are the same.

    Returns:
        uint8 (H, W) or (N, H, W).

    Raises:
        ValueError: unknown kind, k out of range, or images of another shape or dtype.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown texture {kind!r}: known are {', '.join(KINDS)}")
    if kind == "lbp":
        return lbp(imgs)
    return ldp(imgs, k) if bulk else ldp_numpy(imgs, k)


def ldp(imgs: np.ndarray, k: int = 3) -> np.ndarray:
    """Return LDP codes by compiled loops, the same bits as `ldp_numpy` gives.

    Args:
        imgs: uint8 (H, W, 3) or (N, H, W, 3), RGB.
        k: bits set in each code, 1 to 8.

    Returns:
        uint8 (H, W) or (N, H, W).

    Raises:
        ValueError: k out of range, or images of another shape or dtype.
    """
    from lssat.texture import compiled  # numba, a second or two

    return compiled.ldp(imgs, k)
