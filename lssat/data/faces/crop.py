"""Square crops around a box, of one size."""

import numpy as np
from PIL import Image


def square(box: np.ndarray, margin: float) -> tuple[int, int, int]:
    """Return the square around a box's centre: x0, y0 and its side, whole pixels.

    The side is `margin` times the box's longer side; halves round up. It may reach beyond the
    frame.
    """
    x0, y0, x1, y1 = (float(value) for value in box)
    side = max(1, int(np.floor(margin * max(x1 - x0, y1 - y0) + 0.5)))
    left = int(np.floor((x0 + x1 - side) / 2 + 0.5))
    top = int(np.floor((y0 + y1 - side) / 2 + 0.5))
    return left, top, side


def central(frame: np.ndarray) -> tuple[int, int, int]:
    """Return the largest square in the middle of a frame: x0, y0 and its side."""
    height, width = frame.shape[:2]
    side = min(height, width)
    return (width - side) // 2, (height - side) // 2, side


def crop(frame: np.ndarray, left: int, top: int, side: int, size: int) -> np.ndarray:
    """Cut a square out of a frame and resize it; beyond the frame its edge is repeated.

    Args:
        frame: uint8 (H, W, 3), RGB.

    Returns:
        uint8 (size, size, 3): bicubic with antialiasing (Pillow).
    """
    rows = np.arange(top, top + side).clip(0, frame.shape[0] - 1)
    columns = np.arange(left, left + side).clip(0, frame.shape[1] - 1)
    cut = Image.fromarray(frame[rows[:, None], columns])
    return np.asarray(cut.resize((size, size), Image.Resampling.BICUBIC))
