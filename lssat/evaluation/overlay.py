"""Maps as pictures: what raises a score in one colour, what lowers it in another. No torch."""

import numpy as np

RAISES = (255, 122, 0)  # orange and blue: apart for all kinds of colour vision
LOWERS = (0, 112, 255)
_TOP = 99.0  # percentile of the absolute values that gets the full colour; a spike hides no map


def overlay(img: np.ndarray, map: np.ndarray, top: float | None = None) -> np.ndarray:
    """Lay a map over an image: orange where it is above zero, blue where below, clear at zero.

    Args:
        img: (H, W, 3) or (H, W) uint8; shown in grey, so that colour is the map's alone.
        map: (H, W) floating, of any scale.
        top: the absolute value that gets the full colour; None: the map's 99th percentile.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: the sizes differ, or the map holds a value that is not finite.
    """
    if map.shape != img.shape[:2]:
        raise ValueError(f"a map of {map.shape} does not fit an image of {img.shape[:2]}")
    if not np.isfinite(map).all():
        raise ValueError("the map holds a value that is not finite")
    grey = img @ np.array([0.299, 0.587, 0.114]) if img.ndim == 3 else img.astype(float)
    strength = np.abs(map).astype(float)
    top = top or float(np.percentile(strength, _TOP)) or float(strength.max())
    share = np.clip(strength / top, 0, 1) if top else strength
    colour = np.where((map >= 0)[..., None], RAISES, LOWERS)
    opacity = (share**0.75 * 0.8)[..., None]
    return np.rint(grey[..., None] * (1 - opacity) + colour * opacity).astype(np.uint8)


def paint(map: np.ndarray, top: float | None = None) -> np.ndarray:
    """Return a map alone as a picture (H, W, 3) uint8, on white; see `overlay`."""
    return overlay(np.full(map.shape, 255, np.uint8), map, top)


def uneven(shares: np.ndarray) -> np.ndarray:
    """Return how far shares (H, W) are from even ones: 0 even, 1 twice as much, -1 nothing."""
    mean = shares.mean()
    return shares / mean - 1 if mean else np.zeros_like(shares)
