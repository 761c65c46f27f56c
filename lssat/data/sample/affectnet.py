"""AffectNet in small, the npy release: eight expressions drawn on aligned faces."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lssat.data.sample import draw as pen
from lssat.data.sample import scene
from lssat.data.sample.draw import Brow, Mouth
from lssat.data.sample.head import assemble, face
from lssat.data.sample.sources import TEMPLATE, divide, look

SIDE = 224  # pixels of a crop
PEOPLE = {"train": 37, "val": 14, "test": 50}  # val_set holds val and test: `_halves`
# Images per expression, in the order of the codes: train leans to some, val_set is even.
IMAGES = {"train_set": (36, 36, 30, 29, 28, 27, 28, 26), "val_set": (32,) * 8}
STRENGTH = (0.25, 1.0)  # how far an image goes from the neutral face to the whole expression
TOP = tuple(IMAGES)
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
    """Name each image and its person; the release itself gives no identities."""
    return "id", [
        (f"{subset.removesuffix('_set')}/{image}", person)
        for subset, cast in casts(seed).items()
        for image, (_, person) in enumerate(cast)
    ]


def draw(folder: Path, seed: int) -> None:
    """Draw the tree: train_set and val_set, each with images and four arrays per image."""
    for number, (subset, cast) in enumerate(casts(seed).items()):
        for part in ("images", "annotations"):
            (folder / subset / part).mkdir(parents=True, exist_ok=True)
        for image, (code, person) in enumerate(cast):
            rng = np.random.default_rng([seed, 42, number, image])
            _draw_image(folder / subset, image, code, person, rng)


def casts(seed: int) -> dict[str, list[tuple[int, int]]]:
    """Return the expression and the person of each image of train_set and val_set."""
    train, *halves = divide(seed, tuple(PEOPLE.values()))
    persons = {}
    for number, (subset, counts) in enumerate(IMAGES.items()):
        codes = np.repeat(np.arange(8), counts)
        codes = codes[np.random.default_rng([seed, 41, number]).permutation(len(codes))].tolist()
        shown = [train] * len(codes)
        if subset == "val_set":
            shown = [halves[half] for half in _halves(codes)]
        persons[subset] = _deal(codes, shown)
    return persons


def _deal(codes: list[int], shown: list[list[int]]) -> list[tuple[int, int]]:
    """Let the people of each list take turns among the images that show one of them."""
    turns: dict[int, int] = {}
    cast = []
    for code, people in zip(codes, shown, strict=True):
        turn = turns[id(people)] = turns.get(id(people), -1) + 1
        cast.append((code, people[turn % len(people)]))
    return cast


def _halves(codes: list[int]) -> list[int]:
    """Return for each image of val_set whether it will be val (0) or test (1).

    The rule of docs/splits.md for `splits.seed: 0` and half of the set, so that no person is in
    both. AffectNet gives no identities, so the splits step cannot see to it.
    """
    halves = [0] * len(codes)
    for code in set(codes):
        images = [image for image, other in enumerate(codes) if other == code]
        images.sort(key=lambda image: hashlib.sha256(f"0:val/{image}".encode()).digest())
        for image in images[: (len(images) + 1) // 2]:
            halves[image] = 1
    return halves


def _draw_image(folder: Path, image: int, code: int, person: int, rng: np.random.Generator) -> None:
    strength = rng.uniform(*STRENGTH)
    picture, landmarks = portrait(rng, person, EXPRESSIONS[code], strength)
    Image.fromarray(picture).save(folder / "images" / f"{image}.jpg", quality=80)
    affect = np.array(EXPRESSIONS[code].affect) * strength + rng.normal(0, 0.06, 2)
    _annotate(folder / "annotations", image, code, np.clip(affect, -1, 1), landmarks)


def portrait(
    rng: np.random.Generator, person: int, expression: Expression, strength: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a person with an expression: uint8 (224, 224, 3) and its 68 landmarks, (68, 2).

    Args:
        strength: of the expression, 0 (neutral) to 1.
    """
    looks = look(person)
    head = assemble(express(face(person, looks), expression, strength), looks)
    shift = rng.uniform(-4, 4, 2)
    pose = scene.Pose(
        _MIDDLE,
        (_CENTRE[0] + shift[0], _CENTRE[1] + shift[1]),
        rng.uniform(0.95, 1.05) * _SCALE,
        rng.uniform(-0.06, 0.06),
    )
    picture = scene.place(scene.as_image(head), scene.background(rng, SIDE, SIDE, 0.4), pose)
    return picture, scene.moved(_landmarks(milder(expression, strength)), pose)


def milder(expression: Expression, strength: float) -> Expression:
    """Return an expression with brows and mouth moved towards the neutral ones."""
    calm = EXPRESSIONS[0]
    right, left = (
        Brow(*_between(*pair, strength)) for pair in zip(calm.brows, expression.brows, strict=True)
    )
    mouth = Mouth(*_between(calm.mouth, expression.mouth, strength))
    return expression._replace(brows=(right, left), mouth=mouth)


def _between(start: Iterable[float], end: Iterable[float], share: float) -> list[float]:
    return [a + (b - a) * share for a, b in zip(start, end, strict=True)]


def express(skin: np.ndarray, expression: Expression, strength: float = 1.0) -> np.ndarray:
    """Draw an expression's eyes, brows, nose and mouth on a face; milder ones are fainter."""
    drawn = skin
    if expression.eyes == "wide":
        drawn = pen.wide_eyes(drawn)
    elif expression.eyes:
        drawn = pen.narrow_eyes(drawn, float(expression.eyes))
    if expression.nose:
        drawn = pen.wrinkle_nose(drawn)
    shown = milder(expression, strength)
    skin = pen.draw_brows(skin + (drawn - skin) * strength, shown.brows, (44, 28, 24))
    return pen.draw_mouth(skin, shown.mouth)


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
    return np.concatenate([np.asarray(part, float).reshape(-1, 2) for part in points])


def _annotate(
    folder: Path, image: int, code: int, affect: np.ndarray, landmarks: np.ndarray
) -> None:
    # the release keeps numbers as text, in arrays of one element
    texts = {"exp": str(code), "val": f"{affect[0]:.6f}", "aro": f"{affect[1]:.6f}"}
    for key, text in texts.items():
        np.save(folder / f"{image}_{key}.npy", np.array([text]))
    np.save(folder / f"{image}_lnd.npy", landmarks.ravel())
