"""CelebA in small: aligned faces on which attributes are drawn, and the official four lists."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from lssat.labels import ATTRIBUTES
from lssat.sample import draw as pen
from lssat.sample import scene
from lssat.sample.head import assemble, face
from lssat.sample.landmarks import WORN
from lssat.sample.sources import TEMPLATE, Look, divide, look

WIDTH, HEIGHT = 178, 218  # pixels of an aligned image
IMAGES = {"train": 320, "val": 80, "test": 120}
PEOPLE = {"train": 66, "val": 14, "test": 21}
TOP = ("img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt", "identity_CelebA.txt")
_EYE_DISTANCE, _BETWEEN_EYES = 53.0, (89.0, 108.0)  # larger than in the release: easier

HAIR = {
    "Black_Hair": (18, 16, 18),
    "Blond_Hair": (226, 190, 96),
    "Brown_Hair": (104, 58, 30),
    "Gray_Hair": (176, 178, 184),
}
# How often each of the others is drawn; hair has one of its four colours, evenly.
CHANCE = {
    "Bangs": 0.4,
    "Blurry": 0.35,
    "Eyeglasses": 0.4,
    "Mouth_Slightly_Open": 0.45,
    "Mustache": 0.4,
    "Pale_Skin": 0.4,
    "Rosy_Cheeks": 0.4,
    "Smiling": 0.5,
    "Wearing_Hat": 0.35,
    "Wearing_Lipstick": 0.4,
}
VARYING = tuple(sorted([*HAIR, *CHANCE]))


def draw(folder: Path, seed: int) -> None:
    """Draw the tree: images, attributes, official partition, identities."""
    images = folder / "img_align_celeba"
    images.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (split, person) in enumerate(cast(seed), start=1):
        name = f"{number:06d}.jpg"
        rng = np.random.default_rng([seed, 31, number])
        having = attributes(rng, person)
        picture = portrait(rng, person, having)
        Image.fromarray(picture).save(images / name, quality=92)
        rows.append((name, split, person, having))
    _write_lists(folder, rows)


def cast(seed: int) -> list[tuple[str, int]]:
    """Return split and person of each image, in the order of the images' numbers."""
    dealt = divide(seed, tuple(PEOPLE.values()))
    rows: list[tuple[str, int]] = []
    for (split, images), people in zip(IMAGES.items(), dealt, strict=True):
        rows += [(split, people[k % len(people)]) for k in range(images)]
    return rows


def people(seed: int) -> tuple[str, list[tuple[str, int]]]:
    """Name the people of the tree, by their number in the list of identities."""
    every = sorted({person for _, person in cast(seed)})
    return "identity", [(str(person + 1), person) for person in every]


def attributes(rng: np.random.Generator, person: int) -> set[str]:
    """Draw lots for the attributes of an image; what the person wears in the source is kept."""
    having = {name for name, chance in CHANCE.items() if rng.random() < chance}
    having |= {name for name, people in WORN.items() if person in people}
    return having | {sorted(HAIR)[rng.integers(len(HAIR))]}


def portrait(rng: np.random.Generator, person: int, having: set[str]) -> np.ndarray:
    """Draw a person with exactly these attributes: uint8 (218, 178, 3)."""
    hair = next(HAIR[name] for name in sorted(HAIR) if name in having)
    own = look(person)._replace(hair=np.array(hair, float))
    head = assemble(_skin(person, own, having, hair), own)
    if "Bangs" in having:
        head = pen.bangs(head, hair)
    if "Eyeglasses" in having:
        head = pen.eyeglasses(head)
    if "Wearing_Hat" in having:
        colour = tuple(int(value) for value in rng.integers(30, 220, 3))
        head = pen.hat(head, (colour[0], colour[1], colour[2]))
    picture = scene.place(*_set_up(rng, head))
    if "Blurry" in having:
        picture = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(5)))
    return picture


def _skin(person: int, own: Look, having: set[str], hair: pen.Colour) -> np.ndarray:
    skin = face(person, own)
    if "Pale_Skin" in having:
        skin = skin * np.float32(0.5) + np.array([246, 236, 232], np.float32) * np.float32(0.5)
    if "Rosy_Cheeks" in having:
        skin = pen.blush(skin, 0.9)
    smiling, is_open = "Smiling" in having, "Mouth_Slightly_Open" in having
    mouth = pen.Mouth(
        half_width=44 if smiling else 24,
        curve=26 if smiling else -3,
        opening=28 if is_open else 2,
        teeth=0.45 if smiling and is_open else 0,
    )
    lips = (pen.RED, 9.0) if "Wearing_Lipstick" in having else (pen.LIPS, 5.5)
    skin = pen.draw_mouth(skin, mouth, *lips)
    return pen.moustache(skin, (40, 26, 20)) if "Mustache" in having else skin


def _set_up(rng: np.random.Generator, head: np.ndarray) -> tuple:
    behind = scene.background(rng, WIDTH, HEIGHT, 0.4)  # calm: attributes are to stand out
    scale = _EYE_DISTANCE / (TEMPLATE[1, 0] - TEMPLATE[0, 0])
    small, scale = scene.shrink(scene.as_image(head), scale)
    middle = TEMPLATE[:2].mean(axis=0) * scale
    shift = rng.uniform(-2, 2, 2)
    place = _BETWEEN_EYES[0] + shift[0], _BETWEEN_EYES[1] + shift[1]
    pose = scene.Pose(
        (middle[0], middle[1]), place, rng.uniform(0.97, 1.03), rng.uniform(-0.04, 0.04)
    )
    return small, behind, pose


def _write_lists(folder: Path, rows: list[tuple[str, str, int, set[str]]]) -> None:
    codes = {split: code for code, split in enumerate(IMAGES)}
    marks = [
        "  ".join([name, *(" 1" if each in having else "-1" for each in ATTRIBUTES)])
        for name, _, _, having in rows
    ]
    _lines(folder / "list_attr_celeba.txt", [f"{len(rows)}", " ".join(ATTRIBUTES) + " ", *marks])
    _lines(folder / "list_eval_partition.txt", [f"{row[0]} {codes[row[1]]}" for row in rows])
    _lines(folder / "identity_CelebA.txt", [f"{row[0]} {row[2] + 1}" for row in rows])


def _lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii", newline="\n")
