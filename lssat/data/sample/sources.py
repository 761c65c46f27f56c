"""The people of the sample: real faces from scikit-image, aligned, and how each one looks."""

from functools import cache
from typing import NamedTuple

import numpy as np
import skimage.data
from PIL import Image
from skimage.transform import AffineTransform

from lssat.data.sample.landmarks import ALIKE, LANDMARKS

# The canvas on which every head is drawn, and where the five landmarks lie on it.
WIDTH, HEIGHT = 256, 320
EYES = ((98.0, 124.0), (158.0, 124.0))
NOSE = (128.0, 157.0)
MOUTH = ((105.0, 190.0), (151.0, 190.0))
TEMPLATE = np.array([*EYES, NOSE, *MOUTH])

_CUT = (160, 50, 296, 186)  # the face in the astronaut's picture: left, top, right, bottom
_PAD = 160  # pixels of the enlarged picture's edge that are repeated around it
_ENLARGE = 8  # Lanczos first, since an affine map of 25 pixels alone shows them as steps

_HAIR = np.array([[38, 30, 28], [72, 46, 30], [112, 74, 44], [60, 56, 58], [150, 112, 66]], float)


class Look(NamedTuple):
    """How one person looks in every picture: colours (RGB, 0 to 255) and length of hair."""

    tone: np.ndarray  # (256, 3), colour of the skin by grey value
    hair: np.ndarray
    cloth: np.ndarray
    long_hair: bool


def _cut_out() -> np.ndarray:
    left, top, right, bottom = _CUT
    return skimage.data.astronaut()[top:bottom, left:right]


@cache
def _pictures() -> list[Image.Image]:
    small = np.round(skimage.data.lfw_subset()[:100] * 255).astype(np.uint8)
    side = small.shape[1] * _ENLARGE
    astronaut = Image.fromarray(_cut_out()).convert("L")
    pictures = [*map(Image.fromarray, small), astronaut]
    return [picture.resize((side, side), Image.Resampling.LANCZOS) for picture in pictures]


def count() -> int:
    """Return the number of people."""
    return len(LANDMARKS)


@cache
def aligned(person: int) -> np.ndarray:
    """Return a person's face on the canvas, landmarks on `TEMPLATE` by a least-squares affine map.

    Returns:
        float32 (HEIGHT, WIDTH), 0 to 255, brightness and contrast brought to one level.
    """
    to_picture = AffineTransform.from_estimate(TEMPLATE, LANDMARKS[person] * _ENLARGE)
    coefficients = to_picture.params[:2] + np.array([0, 0, _PAD])
    padded = Image.fromarray(np.pad(np.asarray(_pictures()[person]), _PAD, mode="edge"))
    affine, bicubic = Image.Transform.AFFINE, Image.Resampling.BICUBIC
    grey = padded.transform((WIDTH, HEIGHT), affine, coefficients.ravel().tolist(), bicubic)
    return _level(np.asarray(grey, np.float32))


def _level(grey: np.ndarray) -> np.ndarray:
    inside = grey[90:215, 84:172]
    return np.clip((grey - inside.mean()) / max(inside.std(), 1.0) * 28 + 150, 0, 255)


@cache
def _ramp() -> np.ndarray:
    """Return the skin's colour by grey value, (256, 3): a fit to the astronaut's face."""
    skin = _cut_out()[30:95, 30:95].reshape(-1, 3).astype(float)
    grey = skin @ [0.299, 0.587, 0.114]
    fits = [np.polyfit(grey, skin[:, channel], 2) for channel in range(3)]
    steps = np.clip(np.arange(256), grey.min(), 235)
    ramp = np.stack([np.polyval(fit, steps) for fit in fits], axis=1)
    return ramp + (np.arange(256) - steps)[:, None]


@cache
def look(person: int) -> Look:
    """Return how a person looks; the same in every tree and under every seed."""
    rng = np.random.default_rng([7, person])
    gain = rng.uniform(0.62, 1.08)
    tint = np.array([1.1, rng.uniform(0.93, 1.0), rng.uniform(0.9, 1.05)])
    tone = np.clip(_ramp() * gain * tint, 0, 255)
    hair = _HAIR[rng.integers(len(_HAIR))] * rng.uniform(0.85, 1.15)
    return Look(tone, hair, rng.uniform(30, 210, 3), bool(rng.random() < 0.35))


def divide(seed: int, sizes: tuple[int, ...], without: tuple[int, ...] = ()) -> list[list[int]]:
    """Deal the people out to splits, at random, so that none stands in two.

    Pictures that may show one person (`landmarks.ALIKE`) go to the same split; what does not
    fit is left out.

    Args:
        sizes: people per split, at most 101 in all.
        without: people who are not dealt at all.

    Returns:
        One sorted list of people per split.
    """
    rng = np.random.default_rng([seed, 101])
    grouped = {person for group in ALIKE for person in group}
    loose = [(person,) for person in range(count()) if person not in grouped]
    kept = (tuple(p for p in cluster if p not in without) for cluster in (*ALIKE, *loose))
    clusters = [cluster for cluster in kept if cluster]
    order = sorted(rng.permutation(len(clusters)), key=lambda k: -len(clusters[k]))
    splits: list[list[int]] = [[] for _ in sizes]
    for cluster in (clusters[k] for k in order):
        free = np.array([size - len(split) for size, split in zip(sizes, splits, strict=True)])
        if free.max() >= len(cluster):
            chance = np.where(free >= len(cluster), free, 0)
            splits[rng.choice(len(sizes), p=chance / chance.sum())].extend(cluster)
    return [sorted(split) for split in splits]
