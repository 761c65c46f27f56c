"""From a head on the canvas to a picture: background, place, turn, size."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from lssat.data.sample.sources import HEIGHT, WIDTH


class Pose(NamedTuple):
    """Where a point of the canvas comes to lie in the picture."""

    anchor: tuple[float, float]  # the point on the canvas
    place: tuple[float, float]  # and in the picture, pixels
    scale: float  # picture pixels per canvas pixel
    turn: float  # radians, clockwise


def background(
    rng: np.random.Generator, width: int, height: int, strength: float = 1.0
) -> np.ndarray:
    """Return a background of blotches and boards, uint8 (height, width, 3).

    The less `strength` (0 to 1), the less they vary around a middle grey.
    """
    layers = [_noise(rng, cells, (width, height)) for cells in (5, 20, 80)]
    weights = np.array([16, 8, 6])[:, None] * rng.uniform(0.6, 1.4, (3, 3))
    field = np.stack(layers, axis=2) @ weights.astype(np.float32) + _pastel(rng)
    for _ in range(rng.integers(2, 5)):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(width // 8, width // 2), rng.integers(height // 8, height // 2)
        field[y : y + h, x : x + w] += rng.uniform(-40, 40) + rng.uniform(-15, 15, 3)
    return np.clip(125 + (field - 125) * strength, 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, cells: int, size: tuple[int, int]) -> np.ndarray:
    coarse = rng.standard_normal((cells, cells), np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR))


def _pastel(rng: np.random.Generator) -> np.ndarray:
    return (rng.uniform(70, 180) + rng.uniform(-28, 28, 3)).astype(np.float32)


def as_image(head: np.ndarray) -> Image.Image:
    """Turn a head (HEIGHT, WIDTH, 4; 0 to 255) into an RGBA image."""
    return Image.fromarray(np.clip(np.rint(head), 0, 255).astype(np.uint8), "RGBA")


def shrink(head: Image.Image, scale: float) -> tuple[Image.Image, float]:
    """Reduce a head by `scale` < 1 with a good filter, once, before small moves.

    Returns:
        the image and its exact scale; a head to be enlarged comes back as it is.
    """
    if scale >= 1:
        return head, 1.0
    size = round(WIDTH * scale), round(HEIGHT * scale)
    return head.resize(size, Image.Resampling.LANCZOS), size[0] / WIDTH


def place(head: Image.Image, behind: np.ndarray, pose: Pose) -> np.ndarray:
    """Lay a head over a background; `pose.anchor` and `pose.scale` count in the head's pixels.

    Returns:
        uint8 RGB of the background's shape.
    """
    cos, sin = np.cos(pose.turn) / pose.scale, np.sin(pose.turn) / pose.scale
    (ax, ay), (px, py) = pose.anchor, pose.place
    inverse = (cos, sin, ax - cos * px - sin * py, -sin, cos, ay + sin * px - cos * py)
    size = behind.shape[1], behind.shape[0]
    moved = head.transform(size, Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR)
    canvas = Image.fromarray(behind)
    canvas.paste(moved, (0, 0), moved)
    return np.asarray(canvas)


def moved(points: np.ndarray, pose: Pose) -> np.ndarray:
    """Return where points (N, 2) of the head lie in the picture that `place` makes."""
    cos, sin = np.cos(pose.turn) * pose.scale, np.sin(pose.turn) * pose.scale
    offset = np.asarray(points, float) - pose.anchor
    turned = offset @ np.array([[cos, sin], [-sin, cos]])
    return turned + pose.place
