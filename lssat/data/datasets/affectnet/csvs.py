"""The CSV release: uncropped images, `training.csv` and `validation.csv` with a box a row.

Some copies of validation.csv have no header: it is read by position then. `NULL` stands where no
face was found, and a few rows of a class have a box without a width; no detector is run in their
place: they are rejected as no_face.
"""

from collections.abc import Iterator
from pathlib import Path

from lssat.data.datasets import lists, tree
from lssat.data.datasets.affectnet.codes import EXCLUDED, Sample
from lssat.tables import DataError

COLUMNS = [
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
]
FILES = {"train": "training.csv", "val": "validation.csv"}

IMAGES = "Manually_Annotated_Images"
_LISTS = ("", "Manually_Annotated_file_lists", "Manually_Annotated")
_NO_NUMBER = {f"{sign}{word}" for sign in ("", "+", "-") for word in ("nan", "inf", "infinity")}
_KEPT = ["subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "expression"]


def stands(base: Path) -> bool:
    """Say whether a tree has this layout."""
    listed = [base / folder / name for folder in _LISTS for name in FILES.values()]
    images = [base / folder / IMAGES for folder in ("", "Manually_Annotated")]
    return any(tree.exists(path) for path in listed + images)


def samples(base: Path) -> Iterator[Sample]:
    """Yield the sample of each row, in the order of the lists."""
    what = "the folder of images of the CSV release"
    folder = tree.find(base, IMAGES, ("", "Manually_Annotated"), "affectnet", what)
    prefix = folder.relative_to(base).as_posix()
    there: dict[str, set[str]] = {}
    for split, name in FILES.items():
        what = f"the official list of the split {split} of the CSV release"
        path = tree.find(base, name, _LISTS, "affectnet", what)
        for number, (file, *box, code) in lists.csv(path, COLUMNS, _KEPT, headed=False):
            file = tree.below(file, path, number)
            parent, _, last = file.rpartition("/")
            if parent not in there:
                there[parent] = _names(folder, parent, path, number)
            absent = "" if last in there[parent] else "no image"
            # Rows of no class need no face: their boxes are NULL more often than not.
            values, no_box = ((), "") if code in EXCLUDED else _box(path, number, box)
            # A file in both lists is one face in two splits; the group shows it.
            yield Sample(
                f"{split}/{file}",
                split,
                f"{prefix}/{file}",
                code,
                group=file,
                absent=absent,
                box=values,
                no_box=no_box,
                where=f"{name}:{number}",
            )


def _names(folder: Path, parent: str, path: Path, line: int) -> set[str]:
    """Return the names in a folder that a row names; a link must not lead it out of the images."""
    place = folder / parent
    if not tree.exists(place):
        return set()
    if not place.resolve().is_relative_to(folder.resolve()):
        problem = f"{parent!r} is a link that leaves the data root, to {place.resolve()}"
        raise DataError(path, problem, "Nothing outside of the data root is read", line)
    return tree.names(place, folder)


def _box(path: Path, line: int, fields: list[str]) -> tuple[tuple[float, ...], str]:
    """Return x, y, width, height; or nothing, and the box as text if no face can be in it."""
    described = f"box {','.join(fields)}"
    if any(field in ("NULL", "") for field in fields):
        return (), described
    if any(field.strip().lower() in _NO_NUMBER for field in fields):
        return (), described
    numbers = [number for field in fields if (number := lists.number(field)) is not None]
    if len(numbers) < len(fields):
        raise DataError(path, f"{described} is not of numbers", "Correct this line", line)
    x, y, width, height = numbers
    visible = min(width, height) > 0 and min(x + width, y + height) > 0
    return ((x, y, width, height), "") if visible else ((), described)
