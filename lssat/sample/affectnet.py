"""AffectNet in small, the npy release: eight expressions drawn on aligned faces."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lssat.sample import draw as pen
from lssat.sample import scene
from lssat.sample.draw import Brow, Mouth
from lssat.sample.head import assemble, face
from lssat.sample.sources import TEMPLATE, divide, look

SIDE = 224  # pixels of a crop
# Each person of val_set stands in one image: it will be halved into val and test.
PEOPLE = {"train_set": 37, "val_set": 64}
# Images per expression, in the order of the codes: train leans to some, val_set is even.
IMAGES = {"train_set": (36, 36, 30, 29, 28, 27, 28, 26), "val_set": (8,) * 8}
TOP = tuple(PEOPLE)
_SCALE = 1.23  # picture pixels per pixel of the canvas
_MIDDLE, _CENTRE = (128.0, 150.0), (112.0, 118.0)  # on the canvas, in the picture


class Expression(NamedTuple):
    """How a face shows an emotion, and where it lies in valence and arousal (-1 to 1)."""

    name: str
    brows: tuple[Brow, Brow]
    eyes: float | str  # as they are (0), torn open (wide), or a slit with this slant
    mouth: Mouth
    affect: tuple[float, float]
    nose: bool = False  # wrinkled


def _both(inner: float, middle: float, outer: float) -> tuple[Brow, Brow]:
    return Brow(inner, middle, outer), Brow(inner, middle, outer)


EXPRESSIONS = (
    Expression("Neutral", _both(0, 3, 0), 0, Mouth(23, 0, 1, 0), (0.0, 0.0)),
    Expression("Happy", _both(4, 9, 4), 0, Mouth(42, 26, 24, 0.6), (0.8, 0.3)),
    Expression("Sad", _both(16, 4, -8), 9, Mouth(36, -30, 1, 0), (-0.7, -0.4)),
    Expression("Surprise", _both(14, 21, 12), "wide", Mouth(18, 0, 46, 0), (0.2, 0.85)),
    Expression("Fear", _both(20, 12, 1), "wide", Mouth(42, -10, 26, 0.55), (-0.6, 0.8)),
    Expression("Disgust", _both(-6, -4, 2), -4, Mouth(30, -18, 20, 0.3, -14), (-0.7, 0.4), True),
    Expression("Anger", _both(-16, 0, 16), -8, Mouth(38, -5, 24, 1.0), (-0.6, 0.75)),
    Expression(
        "Contempt", (Brow(-4, 0, 0), Brow(5, 20, 12)), 0, Mouth(40, 3, 2, 0, 32), (-0.5, 0.1)
    ),
)


def people(seed: int) -> tuple[str, list[tuple[str, int]]]:
    """Name the images, of which the release tells no identities, each with its person."""
    names = zip(PEOPLE, ("train", "val"), divide(seed, tuple(PEOPLE.values())), strict=True)
    return "id", [
        (f"{split}/{image}", dealt[image % len(dealt)])
        for subset, split, dealt in names
        for image in range(sum(IMAGES[subset]))
    ]


def draw(folder: Path, seed: int) -> None:
    """Draw the tree: train_set and val_set, each with images and four arrays per image."""
    dealt = divide(seed, tuple(PEOPLE.values()))
    for number, (subset, persons) in enumerate(zip(PEOPLE, dealt, strict=True)):
        for part in ("images", "annotations"):
            (folder / subset / part).mkdir(parents=True, exist_ok=True)
        codes = np.repeat(np.arange(8), IMAGES[subset])
        order = np.random.default_rng([seed, 41, number]).permutation(len(codes))
        for image, k in enumerate(order):
            rng = np.random.default_rng([seed, 42, number, image])
            _draw_image(folder / subset, image, int(codes[k]), persons[image % len(persons)], rng)


def _draw_image(folder: Path, image: int, code: int, person: int, rng: np.random.Generator) -> None:
    picture, landmarks = portrait(rng, person, EXPRESSIONS[code])
    Image.fromarray(picture).save(folder / "images" / f"{image}.jpg", quality=80)
    affect = np.clip(EXPRESSIONS[code].affect + rng.normal(0, 0.06, 2), -1, 1)
    _annotate(folder / "annotations", image, code, affect, landmarks)


def portrait(
    rng: np.random.Generator, person: int, expression: Expression
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a person with an expression: uint8 (224, 224, 3) and its 68 landmarks, (68, 2)."""
    own = look(person)
    head = assemble(express(face(person, own), expression), own)
    shift = rng.uniform(-4, 4, 2)
    pose = scene.Pose(
        _MIDDLE,
        (_CENTRE[0] + shift[0], _CENTRE[1] + shift[1]),
        rng.uniform(0.95, 1.05) * _SCALE,
        rng.uniform(-0.06, 0.06),
    )
    picture = scene.place(scene.as_image(head), scene.background(rng, SIDE, SIDE, 0.4), pose)
    return picture, scene.moved(_landmarks(expression), pose)


def express(skin: np.ndarray, expression: Expression) -> np.ndarray:
    """Draw an expression's eyes, brows, nose and mouth on a face."""
    if expression.eyes == "wide":
        skin = pen.wide_eyes(skin)
    elif expression.eyes:
        skin = pen.narrow_eyes(skin, float(expression.eyes))
    if expression.nose:
        skin = pen.wrinkle_nose(skin)
    skin = pen.draw_brows(skin, expression.brows, (44, 28, 24))
    return pen.draw_mouth(skin, expression.mouth)


def _landmarks(expression: Expression) -> np.ndarray:
    """Return the usual 68 points on the canvas: jaw, brows, nose, eyes, mouth."""
    angle = np.linspace(np.pi, 0, 17)
    jaw = np.stack([128 + 66 * np.cos(angle), 150 + 93 * np.sin(angle)], axis=1)
    brows = pen.brow_points(expression.brows)
    bridge = [(128, y) for y in (126, 137, 148, 159)]
    nostrils = [(x, 168) for x in (112, 120, 128, 136, 144)]
    turn = np.arange(6) * np.pi / 3 + np.pi
    eyes = [
        (x + 14 * c, y + 7 * s)
        for x, y in TEMPLATE[:2]
        for c, s in zip(np.cos(turn), np.sin(turn), strict=True)
    ]
    points = [jaw, brows, bridge, nostrils, eyes, pen.mouth_points(expression.mouth)]
    return np.concatenate([np.asarray(each, float).reshape(-1, 2) for each in points])


def _annotate(
    folder: Path, image: int, code: int, affect: np.ndarray, landmarks: np.ndarray
) -> None:
    # the release keeps numbers as text, in arrays of one element
    texts = {"exp": str(code), "val": f"{affect[0]:.6f}", "aro": f"{affect[1]:.6f}"}
    for key, text in texts.items():
        np.save(folder / f"{image}_{key}.npy", np.array([text]))
    np.save(folder / f"{image}_lnd.npy", landmarks.ravel())
