"""A head on the canvas: a real face in the middle, with hair, ears, neck and shoulders drawn on."""

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter

from lssat.data.sample.sources import HEIGHT, WIDTH, Look, aligned

_Y, _X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


@cache
def ellipse(centre: tuple[float, float], radii: tuple[float, float], soft: float) -> np.ndarray:
    """Return the mask of an ellipse on the canvas: float32 0 to 1, `soft` pixels of edge."""
    radius = np.hypot((_X - centre[0]) / radii[0], (_Y - centre[1]) / radii[1])
    return np.clip((1 - radius) * min(radii) / soft + 0.5, 0, 1).astype(np.float32)


def blend(canvas: np.ndarray, colour: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Lay a colour (3,) or a picture (HEIGHT, WIDTH, 3) over the canvas where the mask is 1."""
    return canvas + (np.asarray(colour, np.float32) - canvas) * mask[..., None]


@cache
def _masks() -> dict[str, np.ndarray]:
    """Return the mask of each part of a head and of its hair, (HEIGHT, WIDTH), 0 to 1."""
    shoulders, skull = ellipse((128, 366), (126, 94), 3), ellipse((128, 128), (76, 102), 5)
    hairline = 72 + ((_X - 128) / 11) ** 2 * 0.9
    return {
        "face": ellipse((128, 150), (66, 93), 3),
        "picture": ellipse((128, 150), (58, 80), 22),
        "ears": np.maximum(ellipse((62, 152), (10, 19), 3), ellipse((194, 152), (10, 19), 3)),
        "neck": ellipse((128, 255), (36, 60), 4) * (_Y > 180),
        "shoulders": shoulders,
        # the shoulders, less a round neckline
        "dress": shoulders * np.clip(np.hypot(_X - 128, _Y - 238) - 44, 0, 1),
        "short": skull * np.clip((176 - _Y) / 10, 0, 1),
        "long": ellipse((128, 160), (92, 134), 6) * np.clip((276 - _Y) / 12, 0, 1),
        "top": np.clip((hairline - _Y) / 6, 0, 1) * skull,
    }


@cache
def streaks(kind: int) -> np.ndarray:
    """Return one of a few textures of strands, (HEIGHT, WIDTH), mean 0, spread about 1."""
    noise = np.random.default_rng([11, kind]).standard_normal((HEIGHT, WIDTH)).astype(np.float32)
    strands = gaussian_filter(noise, (12, 1.6))
    return strands / strands.std()


@cache
def _grain() -> np.ndarray:
    noise = np.random.default_rng(13).standard_normal((HEIGHT, WIDTH)).astype(np.float32)
    return gaussian_filter(noise, 0.8) * 8


@cache
def _shade() -> np.ndarray:
    """Return the grey value of a smooth egg lit from above: what the face picture fades into."""
    edge = ((_X - 128) / 66) ** 2 + ((_Y - 140) / 100) ** 2
    return np.clip(168 - 62 * edge, 60, 190).astype(np.float32)


def skin(grey: np.ndarray, look: Look) -> np.ndarray:
    """Colour a grey face: float32 (HEIGHT, WIDTH, 3), 0 to 255, with redder lips."""
    index = np.clip(grey + _grain(), 0, 255).astype(np.uint8)
    return look.tone.astype(np.float32)[index] * _lips()


@cache
def _lips() -> np.ndarray:
    lips = ellipse((128, 190), (26, 10), 8)[..., None] * np.float32(0.35)
    return 1 - lips * np.array([0, 0.45, 0.35], np.float32)


def face(person: int, look: Look) -> np.ndarray:
    """Return the person's skin from hairline to chin, real picture faded into smooth skin."""
    mask = _masks()["picture"]
    return skin(aligned(person) * mask + _shade() * (1 - mask), look)


def assemble(skin_picture: np.ndarray, look: Look) -> np.ndarray:
    """Build a head around a face.

    Args:
        skin_picture: (HEIGHT, WIDTH, 3), as `face` returns it.

    Returns:
        float32 (HEIGHT, WIDTH, 4): colour and opacity, 0 to 255 (colours a little beyond).
    """
    back = "long" if look.long_hair else "short"
    colours = np.array([look.hair, look.tone[118], look.cloth], np.float32)
    drawn = _layers(back)
    head = np.empty((HEIGHT, WIDTH, 4), np.float32)
    head[..., :3] = drawn[..., :3] @ colours + skin_picture * drawn[..., 3:]
    head[..., 3] = _opacity(back)
    return head


@cache
def _layers(back: str) -> np.ndarray:
    """Return how much of hair, bare skin, cloth and face each pixel shows, (HEIGHT, WIDTH, 4)."""
    hair, bare, cloth, picture = np.eye(4, dtype=np.float32)
    strands, masks = hair * (1 + 0.13 * streaks(0))[..., None], _masks()
    canvas = blend(strands, bare * 0.82, masks["neck"])
    canvas = blend(canvas, cloth * (1 + 0.1 * streaks(1))[..., None], masks["dress"])
    canvas = blend(canvas, bare, masks["ears"])
    canvas = blend(canvas, picture, masks["face"])
    return blend(canvas, strands, masks["top"])


def with_skin(head: np.ndarray, skin_picture: np.ndarray) -> np.ndarray:
    """Return the head with another face in the same place, below the same hair."""
    visible = _masks()["face"] * (1 - _masks()["top"])
    return np.dstack([blend(head[..., :3], skin_picture, visible), head[..., 3]])


@cache
def _opacity(back: str) -> np.ndarray:
    names = (back, "face", "ears", "neck", "shoulders", "top")
    return np.maximum.reduce([_masks()[name] for name in names]) * np.float32(255)
