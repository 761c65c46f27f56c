"""What all textures share on arrays: the luma, and what is refused."""

import numpy as np

# The eight neighbours (dy, dx), counter-clockwise from East.
NEIGHBOURS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def luma(imgs: np.ndarray) -> np.ndarray:
    """Return the BT.601 luma in integer arithmetic, equal to Pillow's mode L.

    Args:
        imgs: uint8 (..., H, W, 3), RGB.

    Returns:
        uint8 (..., H, W).
    """
    check(imgs)
    red, green, blue = (imgs[..., channel].astype(np.uint32) for channel in range(3))
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).astype(np.uint8)


def check(imgs: np.ndarray) -> None:
    """Refuse images of another shape or dtype, with a ValueError."""
    if imgs.dtype != np.uint8 or imgs.ndim not in (3, 4) or imgs.shape[-1] != 3:
        raise ValueError(
            f"images must be uint8 (H, W, 3) or (N, H, W, 3), found {imgs.dtype} {imgs.shape}"
        )


def check_k(k: int) -> None:
    """Refuse a number of bits out of range, with a ValueError."""
    if not 1 <= k <= 8:
        raise ValueError(f"k must lie in 1 to 8, found {k}")
