"""What is drawn on a face: eyes, brows, mouths and things worn, in the canvas's coordinates."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import map_coordinates

from lssat.data.sample.head import blend, ellipse
from lssat.data.sample.sources import EYES, HEIGHT, WIDTH

Colour = tuple[int, int, int]
Points = Sequence[tuple[float, float]]
_FINE = 2  # shapes are drawn at twice the size and reduced, for smooth edges

DARK: Colour = (36, 18, 16)
TEETH: Colour = (238, 234, 224)
LIPS: Colour = (168, 74, 72)
RED: Colour = (205, 18, 48)


class Mouth(NamedTuple):
    """A mouth by its curves; lengths in pixels of the canvas."""

    half_width: float
    curve: float  # how far the corners rise above the middle (negative: hang)
    opening: float
    teeth: float  # share of the opening that the upper teeth fill
    skew: float = 0.0  # how far the left corner (the viewer's right) rises more


class Brow(NamedTuple):
    """Heights of a brow's inner end, middle and outer end above its resting place."""

    inner: float
    middle: float
    outer: float


class Layer:
    """Shapes at twice the size of the canvas, which are laid over it reduced: smooth edges."""

    def __init__(self) -> None:
        self.picture = Image.new("RGBA", (WIDTH * _FINE, HEIGHT * _FINE))
        self.pen = ImageDraw.Draw(self.picture)

    def polygon(self, points: Points, colour: Colour) -> None:
        """Fill a polygon."""
        self.pen.polygon(_fine(points), (*colour, 255))

    def line(
        self, points: Points, width: int, colour: tuple[int, ...] = DARK, joint: str | None = None
    ) -> None:
        """Draw a line so many pixels wide, of a colour with or without opacity."""
        self.pen.line(_fine(points), (*colour, 255)[:4], width * _FINE, joint)

    def over(self, canvas: np.ndarray) -> np.ndarray:
        """Return a canvas of three or four channels with the shapes on it."""
        box = self.picture.getbbox()
        if box is None:
            return canvas
        left, top, right, bottom = (int(edge) // _FINE for edge in box)
        left, top, right, bottom = left - 2, top - 2, right + 3, bottom + 3
        part = self.picture.crop((left * _FINE, top * _FINE, right * _FINE, bottom * _FINE))
        small = part.convert("RGBa").reduce(_FINE)  # premultiplied: no dark fringe
        drawn = np.asarray(small, np.float32)
        result = canvas.copy()
        window = result[top:bottom, left:right]
        drawn = drawn[: window.shape[0], : window.shape[1]]
        window[..., :3] = window[..., :3] * (1 - drawn[..., 3:] / 255) + drawn[..., :3]
        if window.shape[2] == 4:
            np.maximum(window[..., 3], drawn[..., 3], out=window[..., 3])
        return result


def _fine(points: Points) -> list[tuple[float, float]]:
    return [(x * _FINE, y * _FINE) for x, y in points]


def even_out(
    skin: np.ndarray, centre: tuple[float, float], radii: tuple[float, float]
) -> np.ndarray:
    """Replace a part of the face by its smooth skin, so that something else can be drawn there."""
    x, y = int(centre[0]), int(centre[1])
    reach_x, reach_y = int(radii[0] * 1.6), int(radii[1] * 1.6) + 4
    rows, columns = slice(y - reach_y, y + reach_y), slice(x - reach_x, x + reach_x)
    window = skin[rows, columns]
    rim = np.concatenate([window[:3].reshape(-1, 3), window[-3:].reshape(-1, 3)])
    mask = ellipse(centre, radii, min(radii) * 0.5)[rows, columns]
    result = skin.copy()
    result[rows, columns] = blend(window, np.median(rim, axis=0), mask)
    return result


def stretch(
    canvas: np.ndarray, centre: tuple[float, float], radii: tuple[float, float], by: tuple
) -> np.ndarray:
    """Enlarge a part of the picture by the factors `by` (x, y), fading out at its rim."""
    left, top = int(centre[0] - radii[0]), int(centre[1] - radii[1])
    y, x = np.mgrid[top : top + 2 * int(radii[1]), left : left + 2 * int(radii[0])]
    dx, dy = x - centre[0], y - centre[1]
    fade = np.clip(1 - (dx / radii[0]) ** 2 - (dy / radii[1]) ** 2, 0, 1)
    at = [y - dy * fade * (1 - 1 / by[1]), x - dx * fade * (1 - 1 / by[0])]
    result = canvas.copy()
    for k in range(3):
        result[y, x, k] = map_coordinates(canvas[..., k], at, order=1, mode="nearest")
    return result


def _edges(mouth: Mouth, lip: float) -> tuple[list, list]:
    u = np.linspace(-1, 1, 33)
    middle = 190 - mouth.curve * u**2 - mouth.skew * (u + 1) / 2 + mouth.curve * 0.4
    arch = np.sqrt(np.clip(1 - u**2, 0, 1))
    upper = middle - (0.4 * mouth.opening + lip) * arch
    lower = middle + (0.6 * mouth.opening + lip * 1.3) * arch
    x = 128 + mouth.half_width * u
    return list(zip(x, upper, strict=True)), list(zip(x, lower, strict=True))


def mouth_points(mouth: Mouth) -> Points:
    """Return the 20 landmarks of a mouth: 12 outside, 8 inside, clockwise from its right corner."""
    upper, lower = _edges(mouth, 5.5)
    inner_upper, inner_lower = _edges(mouth._replace(half_width=mouth.half_width - 4), 0.6)
    outer = [upper[k] for k in (0, 5, 11, 16, 21, 27, 32)] + [lower[k] for k in (27, 21, 16, 11, 5)]
    inner = [inner_upper[k] for k in (0, 8, 16, 24, 32)] + [inner_lower[k] for k in (24, 16, 8)]
    return outer + inner


def draw_mouth(
    skin: np.ndarray, mouth: Mouth, lips: Colour = LIPS, thick: float = 5.5
) -> np.ndarray:
    """Draw a mouth, with lips so many pixels thick, in place of the face's own."""
    upper, lower = _edges(mouth, thick)
    inner_upper, inner_lower = _edges(mouth._replace(half_width=mouth.half_width - 4), 0.6)
    share = mouth.teeth
    bite = [
        (x, top + (low - top) * share)
        for (x, top), (_, low) in zip(inner_upper, inner_lower, strict=True)
    ]
    layer = Layer()
    layer.polygon(upper + lower[::-1], lips)
    layer.polygon(inner_upper + inner_lower[::-1], DARK)
    if share:
        layer.polygon(inner_upper + bite[::-1], TEETH)
    return layer.over(even_out(skin, (128, 191), (44, 27)))


def _brow_line(brow: Brow, x: float, side: int) -> Points:
    return [(x + side * k, 105 - rise) for k, rise in zip((-20, -2, 22), brow, strict=True)]


def brow_points(brows: tuple[Brow, Brow]) -> Points:
    """Return the 10 landmarks of two brows, from the viewer's left to right."""
    points: list[tuple[float, float]] = []
    for brow, (x, _), side in zip(brows, EYES, (-1, 1), strict=True):
        at, rise = zip(*sorted(_brow_line(brow, x, side)), strict=True)
        along = np.linspace(at[0], at[-1], 5)
        points += zip(along.tolist(), np.interp(along, at, rise).tolist(), strict=True)
    return points


def draw_brows(skin: np.ndarray, brows: tuple[Brow, Brow], colour: Colour) -> np.ndarray:
    """Draw two brows (right, then left: the viewer's left first) in place of the face's own."""
    for eye in EYES:
        skin = even_out(skin, (eye[0], 101), (29, 13))
    layer = Layer()
    for brow, (x, _), side in zip(brows, EYES, (-1, 1), strict=True):
        layer.line(_brow_line(brow, x, side), 8, colour, "curve")
    return layer.over(skin)


def wide_eyes(skin: np.ndarray) -> np.ndarray:
    """Draw eyes torn open: much white around a small iris."""
    layer = Layer()
    for x, y in EYES:
        for rx, ry, colour in ((18, 15, DARK), (16, 13, TEETH), (6.5, 6.5, DARK)):
            layer.pen.ellipse(_fine([(x - rx, y - ry), (x + rx, y + ry)]), fill=(*colour, 255))
    return layer.over(skin)


def narrow_eyes(skin: np.ndarray, slant: float) -> np.ndarray:
    """Close the eyes to a slit whose inner ends lie `slant` pixels above the outer ones."""
    for eye in EYES:
        skin = even_out(skin, eye, (24, 13))
    layer = Layer()
    for (x, y), side in zip(EYES, (-1, 1), strict=True):
        slit = [(x - side * 15, y - slant / 2), (x, y + 1), (x + side * 16, y + slant / 2)]
        layer.line(slit, 5, joint="curve")
    return layer.over(skin)


def wrinkle_nose(skin: np.ndarray) -> np.ndarray:
    """Draw folds across the bridge of the nose and beside it."""
    layer, faint = Layer(), (*DARK, 190)
    for y in (118, 128, 138):
        layer.line([(116, y + 4), (128, y - 2), (140, y + 4)], 3, faint)
    for side in (-1, 1):
        fold = [(128 + side * 17, 152), (128 + side * 33, 166), (128 + side * 36, 184)]
        layer.line(fold, 3, faint, "curve")
    return layer.over(skin)


def blush(skin: np.ndarray, strength: float) -> np.ndarray:
    """Redden both cheeks, by 0 (not at all) to 1."""
    result = skin.copy()
    for x in (88, 168):
        part = slice(140, 196), slice(x - 34, x + 34)
        mask = ellipse((x, 168), (26, 21), 12)[part] * np.float32(strength)
        result[part] = blend(result[part], np.array([232, 62, 78]), mask)
    return result


def eyeglasses(head: np.ndarray) -> np.ndarray:
    """Put on glasses with a thick dark frame."""
    layer, frame = Layer(), (12, 12, 14)
    for x, y in EYES:
        box = _fine([(x - 25, y - 18), (x + 25, y + 20)])
        layer.pen.rounded_rectangle(box, 22, (40, 60, 90, 150), (*frame, 255), 7 * _FINE)
    for ends in ([(122, 122), (134, 122)], [(58, 116), (74, 120)], [(182, 120), (198, 116)]):
        layer.line(ends, 6, frame)
    return layer.over(head)


def moustache(skin: np.ndarray, colour: Colour) -> np.ndarray:
    """Draw a full moustache."""
    half = [(128, 167), (148, 166), (166, 180), (170, 196), (150, 185), (128, 184)]
    layer = Layer()
    layer.polygon(half + [(256 - x, y) for x, y in half[::-1]], colour)
    return layer.over(skin)


def bangs(head: np.ndarray, colour: Colour) -> np.ndarray:
    """Let a fringe hang over the forehead, down to the brows."""
    top = [(64, 108), (76, 66), (102, 46), (128, 42), (154, 46), (180, 66), (192, 108)]
    teeth = [(188 - 8 * k, 112 if k % 2 else 101) for k in range(16)]
    layer = Layer()
    layer.polygon(top + teeth, colour)
    return layer.over(head)


def hat(head: np.ndarray, colour: Colour) -> np.ndarray:
    """Put on a hat with a brim."""
    crown = [(58, 78), (66, 26), (90, 8), (166, 8), (190, 26), (198, 78)]
    band = tuple(int(value * 0.45) for value in colour)
    layer = Layer()
    layer.polygon(crown, colour)
    layer.pen.rectangle(_fine([(58, 62), (198, 78)]), fill=(*band, 255))
    layer.pen.rounded_rectangle(_fine([(32, 76), (224, 90)]), 12, fill=(*colour, 255))
    return layer.over(head)
