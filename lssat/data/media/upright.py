"""A decoded frame as it is to be seen: RGB, square pixels, upright, as FFmpeg shows it."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image

# A pixel that is longer is a damaged number: no camera or disc has one. It is taken for square.
MOST_ASPECT = 8


def pictured(frame: Any, aspect: Fraction | None) -> np.ndarray:
    """Convert a frame of PyAV to uint8 (H, W, 3), RGB.

    Args:
        aspect: width of a pixel over its height, as the container or the codec says; None:
            nobody says. The shorter side of the pixels is stretched, so that none is lost.
    """
    size = squared(frame.width, frame.height, aspect)
    how: dict[str, Any] = dict(format="rgb24", threads=1)  # processes per core
    if size != (frame.width, frame.height):
        how |= dict(width=size[0], height=size[1], interpolation="BICUBIC")
    array = frame.to_ndarray(**how)
    if matrix := frame.side_data.get("DISPLAYMATRIX"):
        array = turned(array, np.frombuffer(bytes(matrix), np.int32))
    return np.ascontiguousarray(array)


def squared(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return the size of a frame once its pixels are square."""
    if not aspect or not Fraction(1, MOST_ASPECT) <= aspect <= MOST_ASPECT:
        return width, height
    return round(width * max(aspect, Fraction(1))), round(height / min(aspect, Fraction(1)))


def turned(array: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Turn and mirror a frame by its display matrix; phones store portraits lying down.

    The rule is that of ffmpeg's `autorotate`: angles are rounded to whole degrees, right angles
    and mirrors move pixels, by another angle the picture is turned within its frame. A matrix
    that would leave nothing of the picture is not followed.

    Args:
        array: uint8 (H, W, 3).
        matrix: (9,), row after row; x, y of the file become (a x + c y, b x + d y), where a and
            b stand first and second, c and d fourth and fifth.
    """
    a, b, c, d = (float(matrix[at]) for at in (0, 1, 3, 4))
    across, down = math.hypot(a, c), math.hypot(b, d)
    if not across or not down:
        return array
    angle = round(math.degrees(math.atan2(b / down, a / across))) % 360  # clockwise
    if angle % 90:
        image = Image.fromarray(array).rotate(-angle, Image.Resampling.BILINEAR)
        return np.asarray(image)
    if angle % 180:
        array, a, d = array.swapaxes(0, 1), c, b
    array = array[:, ::-1] if a < 0 else array
    return array[::-1] if d < 0 else array
