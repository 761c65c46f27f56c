"""Seven perturbations of stored crops at five strengths, to measure robustness with.

Kinds and levels are those of DeeperForensics-1.0 (Jiang et al. 2020, arXiv 2001.03024, and the
programs released with it, `perturbation/` in EndlessSora/DeeperForensics-1.0), which later work on
deepfakes took over. What that release calls JPEG compression reduces and enlarges: here it is
`pixelation`, as LipForensics (Haliassos et al. 2021) names it. Its seventh kind compresses videos;
a crop is a still, so here it is JPEG at the qualities of ImageNet-C (Hendrycks and Dietterich
2019, arXiv 1807.01697). docs/robustness.md has the formulas and where they differ.

Nothing here knows a model, and whoever uses a perturbed crop computes its texture anew.
"""

import hashlib
import io
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from lssat.training import sampling

STRENGTHS = (1, 2, 3, 4, 5)
_BLOCK = 8  # pixels, the side of a grey block
_GREY = 128
_BASE = 256  # pixels: so many blocks as the level says fall on a square of this side
_LUMA = np.array([0.299, 0.587, 0.114])  # BT.601
# From noise in Y, Cb, Cr of BT.601's narrow range (219 and 224 steps for 255) to R, G, B.
_TO_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])
_TO_RGB = 255 * _TO_RGB * np.array([255 / 219, 255 / 224, 255 / 224])

# Draws `count` numbers in [0, 1) for each of the images, float32 (N, count).
Draw = Callable[[int], np.ndarray]


class Perturbation(NamedTuple):
    """A kind of perturbation."""

    title: str
    what: str  # the levels are
    levels: tuple[float, ...]  # of the strengths 1 to 5
    apply: Callable[[np.ndarray, float, Draw], np.ndarray]


def perturb(
    imgs: np.ndarray,
    name: str,
    strength: int,
    seed: int = 0,
    keys: np.ndarray | None = None,
) -> np.ndarray:
    """Perturb crops.

    What is random is a function of (seed, perturbation, strength, key): it does not depend on
    which other crops stand beside one.

    Args:
        imgs: uint8 (N, H, W, 3) RGB, or (N, T, H, W, 3) of clips, whose frames differ in what is
            random; H and W at least 16.
        name: of `PERTURBATIONS`.
        strength: 1 to 5, or 0: nothing is changed.
        keys: uint64 (N,), see `keys_of`; by default the place in `imgs`.

    Returns:
        a new array of the same shape, uint8.

    Raises:
        ValueError: another strength, shape or dtype.
    """
    if imgs.dtype != np.uint8 or imgs.ndim not in (4, 5) or imgs.shape[-1] != 3:
        raise ValueError(f"crops are uint8 (N, [T,] H, W, 3), found {imgs.dtype} {imgs.shape}")
    if strength not in (0, *STRENGTHS):
        raise ValueError(f"strength {strength}: 0 (unchanged) to 5 are known")
    if strength == 0:
        return imgs.copy()
    perturbation = PERTURBATIONS[name]
    frames = imgs.shape[1] if imgs.ndim == 5 else 1
    places = np.arange(len(imgs), dtype=np.uint64) if keys is None else keys
    stream = 10 * list(PERTURBATIONS).index(name) + strength

    def draw(count: int) -> np.ndarray:
        times = np.tile(np.arange(frames), len(imgs))
        return sampling.numbers(seed, stream, np.repeat(places, frames), times, count)

    flat = imgs.reshape(-1, *imgs.shape[-3:])
    return perturbation.apply(flat, perturbation.levels[strength - 1], draw).reshape(imgs.shape)


def keys_of(ids: Iterable[str], frames: Iterable[int]) -> np.ndarray:
    """Return a number for each sample from its id and (first) frame: uint64 (N,)."""
    texts = (f"{id}\0{frame}" for id, frame in zip(ids, frames, strict=True))
    heads = (hashlib.sha256(text.encode()).digest()[:8] for text in texts)
    return np.array([int.from_bytes(head, "little") for head in heads], dtype=np.uint64)


def _uint8(x: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def saturation(imgs: np.ndarray, level: float, draw: Draw) -> np.ndarray:
    """Scale both colour differences (Cb, Cr) by `level`; 0 leaves grey."""
    grey = imgs @ _LUMA
    return _uint8(grey[..., None] + level * (imgs - grey[..., None]))


def contrast(imgs: np.ndarray, level: float, draw: Draw) -> np.ndarray:
    """Scale every value by `level`: darker and flatter."""
    return _uint8(imgs * level)


def block_wise(imgs: np.ndarray, level: float, draw: Draw) -> np.ndarray:
    """Put grey blocks of 8 x 8 pixels in random places, `level` for each 256 x 256 pixels."""
    height, width = imgs.shape[1:3]
    count = max(1, round(level * height * width / _BASE**2))
    drawn = draw(2 * count).reshape(len(imgs), count, 2)
    corners = (drawn * [height - _BLOCK + 1, width - _BLOCK + 1]).astype(int)
    out = imgs.copy()
    for image, places in zip(out, corners.tolist(), strict=True):
        for y, x in places:
            image[y : y + _BLOCK, x : x + _BLOCK] = _GREY
    return out


def noise(imgs: np.ndarray, level: float, draw: Draw) -> np.ndarray:
    """Add white Gaussian noise of variance `level` to Y, Cb and Cr, whose range is 0 to 1."""
    pixels = int(np.prod(imgs.shape[1:]))
    half = -(-pixels // 2)
    u, v = np.split(draw(2 * half), 2, axis=1)
    radius = np.sqrt(-2 * np.log1p(-u.astype(float)))  # Box and Muller 1958; 1 - u is never 0
    normal = np.concatenate(
        [radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)], axis=1
    )
    added = normal[:, :pixels].reshape(imgs.shape) @ (np.sqrt(level) * _TO_RGB.T)
    return _uint8(imgs + added)


def blur(imgs: np.ndarray, level: float, draw: Draw) -> np.ndarray:
    """Blur with a Gaussian window of `level` x `level` pixels and a sigma of a sixth of that."""
    blurred = ndimage.gaussian_filter(
        imgs.astype(float), level / 6, radius=int(level) // 2, axes=(1, 2), mode="mirror"
    )
    return _uint8(blurred)


def pixelation(imgs: np.ndarray, level: float, draw: Draw) -> np.ndarray:
    """Reduce to a `level`-th of the size and enlarge again, both bilinear, not antialiased."""
    height, width = imgs.shape[1:3]
    small = _bilinear(imgs, int(height // level), int(width // level))
    return _bilinear(small, height, width)


def _bilinear(imgs: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns = _weights(imgs.shape[1], height), _weights(imgs.shape[2], width)
    across = np.moveaxis(imgs, 3, 1) @ columns.T
    return np.moveaxis(_uint8(rows @ across), 1, 3)


def _weights(size: int, wanted: int) -> np.ndarray:
    """Return what each of `wanted` pixels takes of `size`, (wanted, size): two neighbours."""
    centre = ((np.arange(wanted) + 0.5) * size / wanted - 0.5).clip(0, size - 1)
    return np.maximum(0, 1 - np.abs(centre[:, None] - np.arange(size)))


def jpeg(imgs: np.ndarray, level: float, draw: Draw) -> np.ndarray:
    """Compress at quality `level` (Pillow, colour at half resolution) and decode."""
    out = np.empty_like(imgs)
    for place, image in enumerate(imgs):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=int(level), subsampling="4:2:0")
        with Image.open(buffer) as decoded:
            out[place] = decoded
    return out


# The control of formats: every crop goes through one pipeline, whatever its file was.
RECODED_SCALE, RECODED_QUALITY = 0.75, 75


def recode(imgs: np.ndarray) -> np.ndarray:
    """Reduce to three quarters, enlarge again and compress as JPEG at quality 75, all alike.

    Args:
        imgs: uint8 (N, H, W, 3) RGB, or (N, T, H, W, 3) of clips.

    Returns:
        a new array of the same shape, uint8.
    """
    flat = imgs.reshape(-1, *imgs.shape[-3:])
    small = pixelation(flat, 1 / RECODED_SCALE, _nothing)
    return jpeg(small, RECODED_QUALITY, _nothing).reshape(imgs.shape)


def _nothing(count: int) -> np.ndarray:
    raise AssertionError(f"{count} numbers drawn where nothing is random")


PERTURBATIONS = {
    "saturation": Perturbation(
        "Saturation", "share of colour kept", (0.4, 0.3, 0.2, 0.1, 0.0), saturation
    ),
    "contrast": Perturbation(
        "Contrast", "factor of all values", (0.85, 0.725, 0.6, 0.475, 0.35), contrast
    ),
    "block_wise": Perturbation(
        "Grey blocks", "blocks per 256 x 256 pixels", (16, 32, 48, 64, 80), block_wise
    ),
    "noise": Perturbation("Noise", "variance", (0.001, 0.002, 0.005, 0.01, 0.05), noise),
    "blur": Perturbation("Blur", "window in pixels", (7, 9, 13, 17, 21), blur),
    "pixelation": Perturbation("Pixelation", "factor", (2, 3, 4, 5, 6), pixelation),
    "jpeg": Perturbation("JPEG", "quality", (25, 18, 15, 10, 7), jpeg),
}
