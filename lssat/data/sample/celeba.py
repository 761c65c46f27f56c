"""CelebA in small: aligned faces on which attributes are drawn, and the official four lists."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from lssat.data.sample import draw as pen
from lssat.data.sample import scene
from lssat.data.sample.head import assemble, face
from lssat.data.sample.landmarks import WORN
from lssat.data.sample.sources import TEMPLATE, Look, divide, look
from lssat.grid.labels import ATTRIBUTES

WIDTH, HEIGHT = 178, 218  # pixels of an aligned image
IMAGES = {"train": 288, "val": 64, "test": 180}
PEOPLE = {"train": 46, "val": 10, "test": 45}
STRENGTH = (0.4, 1.0)  # how marked an attribute is: drawn for each attribute of each image
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
    persons = sorted({person for _, person in cast(seed)})
    return "identity", [(str(person + 1), person) for person in persons]


def attributes(rng: np.random.Generator, person: int) -> set[str]:
    """Draw lots for the attributes of an image; what the person wears in the source is kept."""
    having = {name for name, chance in CHANCE.items() if rng.random() < chance}
    having |= {name for name, people in WORN.items() if person in people}
    return having | {sorted(HAIR)[rng.integers(len(HAIR))]}


def portrait(
    rng: np.random.Generator,
    person: int,
    having: set[str],
    strength: tuple[float, float] = STRENGTH,
) -> np.ndarray:
    """Draw a person with exactly these attributes: uint8 (218, 178, 3).

    Args:
        strength: range of how marked each is, up to 1. Hair has its colour, whatever it says.
    """
    marked = strengths(rng, strength)
    shown = {name: by for name, by in marked.items() if name in having}
    hair = next(HAIR[name] for name in sorted(HAIR) if name in having)
    looks = look(person)._replace(hair=np.array(hair, float))
    head = assemble(_skin(person, looks, shown), looks)
    if by := shown.get("Bangs"):
        head = _faded(head, pen.bangs(head, hair), by)
    if by := shown.get("Eyeglasses"):
        head = _faded(head, pen.eyeglasses(head), by)
    if by := shown.get("Wearing_Hat"):
        colour = tuple(int(value) for value in rng.integers(30, 220, 3))
        head = _faded(head, pen.hat(head, (colour[0], colour[1], colour[2])), by)
    picture = scene.place(*_set_up(rng, head))
    if by := shown.get("Blurry"):
        picture = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(5 * by)))
    return picture


def strengths(rng: np.random.Generator, within: tuple[float, float]) -> dict[str, float]:
    """Draw how marked each attribute would be, the same whichever of them the image has."""
    return dict(zip(CHANCE, rng.uniform(*within, len(CHANCE)).tolist(), strict=True))


def _faded(before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray:
    return before + (after - before) * np.float32(share)


def _skin(person: int, looks: Look, shown: dict[str, float]) -> np.ndarray:
    skin = face(person, looks)
    pale, rosy = shown.get("Pale_Skin", 0), shown.get("Rosy_Cheeks", 0)
    skin = _faded(skin, np.array([246, 236, 232], np.float32), 0.5 * pale)
    if rosy:
        skin = pen.blush(skin, 0.9 * rosy)
    smile, gap = shown.get("Smiling", 0), shown.get("Mouth_Slightly_Open", 0)
    mouth = pen.Mouth(
        half_width=24 + 20 * smile,
        curve=-3 + 29 * smile,
        opening=2 + 26 * gap,
        teeth=0.45 * min(smile, gap),
    )
    skin = pen.draw_mouth(skin, mouth)
    if by := shown.get("Wearing_Lipstick"):
        skin = _faded(skin, pen.draw_mouth(skin, mouth, pen.RED, 9.0), by)
    if by := shown.get("Mustache"):
        skin = _faded(skin, pen.moustache(skin, (40, 26, 20)), by)
    return skin


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
        "  ".join([name, *(" 1" if attribute in having else "-1" for attribute in ATTRIBUTES)])
        for name, _, _, having in rows
    ]
    _lines(folder / "list_attr_celeba.txt", [f"{len(rows)}", " ".join(ATTRIBUTES) + " ", *marks])
    _lines(folder / "list_eval_partition.txt", [f"{row[0]} {codes[row[1]]}" for row in rows])
    _lines(folder / "identity_CelebA.txt", [f"{row[0]} {row[2] + 1}" for row in rows])


def _lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii", newline="\n")
