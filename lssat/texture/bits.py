"""Codes as eight binary planes, one a direction, and back."""

import numpy as np


def to_bits(codes: np.ndarray) -> np.ndarray:
    """Part codes into bit planes: plane i is bit i, the direction i of the LDP (E is 0).

    Args:
        codes: uint8 (..., H, W).

    Returns:
        uint8 (..., 8, H, W), 0 or 1.

    Raises:
        ValueError: codes of another dtype or with less than two axes.
    """
    if codes.dtype != np.uint8 or codes.ndim < 2:
        raise ValueError(f"codes must be uint8 (..., H, W), found {codes.dtype} {codes.shape}")
    return np.moveaxis(np.unpackbits(codes[..., None], axis=-1, bitorder="little"), -1, -3)


def from_bits(planes: np.ndarray) -> np.ndarray:
    """Join bit planes into codes: the inverse of `to_bits`.

    Args:
        planes: uint8 (..., 8, H, W), 0 or 1.

    Returns:
        uint8 (..., H, W).

    Raises:
        ValueError: planes of another dtype or number, or with other values.
    """
    if planes.dtype != np.uint8 or planes.ndim < 3 or planes.shape[-3] != 8:
        form = f"{planes.dtype} {planes.shape}"
        raise ValueError(f"planes must be uint8 (..., 8, H, W), found {form}")
    if planes.size and planes.max() > 1:
        raise ValueError(f"planes must be 0 or 1, found {planes.max()}")
    return np.packbits(np.moveaxis(planes, -3, -1), axis=-1, bitorder="little")[..., 0]
