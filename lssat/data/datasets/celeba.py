"""CelebA (Liu et al. 2015), aligned images: 40 attributes, the official partition, identities.

The images are a folder of JPEGs, a folder of PNGs, or the official zip, which is read in place.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from lssat.data.datasets import lists, tree
from lssat.data.datasets.genuine_lists import genuine
from lssat.data.media import archive
from lssat.grid.labels import ATTRIBUTES
from lssat.tables import DataError, s3_addresses
from lssat.tables.rows import SampleRow

SPLITS = {"0": "train", "1": "val", "2": "test"}
IMAGES = {"train": 162_770, "val": 19_867, "test": 19_962}  # of list_eval_partition.txt
IDENTITIES = 10_177  # of identity_CelebA.txt
AGAIN = "Fetch all three lists again"

_VALUES = {"1": 1, "-1": 0}
_COUNT = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"\+?0*([0-9]+)(\.0*)?")  # in any spelling
_IMAGES = "img_align_celeba"
_FOLDERS = ("", "Img")


def read(options: Any) -> tree.Reading:
    """Read the three lists and look for each image that they name.

    The lists may lie at the root or, as in the release, below `Anno/` and `Eval/`, the images at
    the root or below `Img/`. Of several forms of the images the first is read of
    `img_align_celeba/`, `img_align_celeba_png/` and `img_align_celeba.zip`.

    Args:
        options: those of every data set.

    Returns:
        Rows of the manifest and rejects (missing). Labels: 40 values, 0 or 1. Ids are the names
        of the lists, `000001.jpg`, whatever form the images have.

    Raises:
        DataError: a list is absent, cut short or has unknown values, or the lists disagree.
    """
    base = tree.root(options, "celeba")
    prefix, suffix, there = _images(base)
    attributes = _list(base, "list_attr_celeba.txt", "Anno", "the official list of attributes")
    partition = _list(base, "list_eval_partition.txt", "Eval", "the official partition")
    identities = _list(base, "identity_CelebA.txt", "Anno", "the official list of identities")
    splits = _pairs(partition, "partition")
    persons = _pairs(identities, "identity")
    labelled = [(name, labels) for _, name, labels in _attributes(attributes)]
    names = {name for name, _ in labelled}
    _agree({attributes: names, partition: splits, identities: persons})
    samples = tree.Samples("celeba", "image")
    for name, labels in labelled:
        file = name.removesuffix(".jpg") + suffix if suffix else name
        split = _split(partition, name, splits[name])
        samples.add(file in there, name, prefix + file, labels, split, [persons[name]])
    return samples.rows, samples.rejects


def problems(section: dict, root: Path) -> Iterator[tuple[tuple, str]]:
    """Yield what is wrong with images in object storage, where the official zip is not read."""
    try:
        if s3_addresses.address(root):
            _images(root)
    except DataError as error:
        yield ("root",), str(error).removesuffix(".")


def whole(options: Any, rows: list[SampleRow]) -> int:
    """Return how many images the release has."""
    return sum(IMAGES.values())


def disagreements(known: Mapping[Path, Collection[str]]) -> Iterator[tuple[Path, list[str]]]:
    """Yield each list that lacks images of another list, and the names of these images."""
    named = set().union(*known.values())
    for path, names in known.items():
        if lacking := named.difference(names):
            yield path, sorted(lacking)


def _agree(known: Mapping[Path, Collection[str]]) -> None:
    total = len(set().union(*known.values()))
    wrong = []
    for path, names in disagreements(known):
        some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        wrong.append(DataError(path, f"{lacks(len(names), total)} ({some})", AGAIN))
    if len(wrong) > 1:
        raise DataError.of(wrong[0].file, [str(error) for error in wrong])
    if wrong:
        raise wrong[0]


def lacks(n: int, total: int) -> str:
    """Say that a list lacks images."""
    return f"lacks {n:,} of the {total:,} images that the lists name"


def _images(base: Path) -> tuple[str, str, set[str]]:
    """Return the prefix of a name in its path, its other suffix, and the names there."""
    # Unpacking a zip into a folder of its name puts the images one folder further down.
    within = tuple(f"{folder}/{_IMAGES}".lstrip("/") for folder in _FOLDERS)
    for name, suffix in ((_IMAGES, ""), (f"{_IMAGES}_png", ".png")):
        for folder in (*within, *_FOLDERS):
            path = base / folder / name
            if tree.exists(path):
                prefix = f"{path.relative_to(base).as_posix()}/"
                return prefix, suffix, tree.names(path, base)
    for folder in _FOLDERS:
        path = base / folder / f"{_IMAGES}.zip"
        if tree.exists(path):
            return _members(path, base)
    problem = f"holds none of {_IMAGES}, {_IMAGES}_png and {_IMAGES}.zip, here or in Img; one of "
    near = tree.meant(base, [_IMAGES, f"{_IMAGES}_png", f"{_IMAGES}.zip"])
    fix = f"{near}Put it there, or set datasets.celeba.root in params.yaml"
    raise DataError(base, f"{problem}them is the folder of aligned images", fix)


def _members(path: Path, base: Path) -> tuple[str, str, set[str]]:
    members = archive.names(genuine(path, "archive"))
    inside = f"{_IMAGES}/"
    names = {name.removeprefix(inside) for name in members if name.startswith(inside)}
    if not names:
        some = ", ".join(members[:3]) or "nothing"
        problem = f"has no folder {_IMAGES} in it, but {some}"
        raise DataError(path, problem, "Fetch the official archive")
    return f"{path.relative_to(base).as_posix()}{archive.BETWEEN}{inside}", "", names


def _list(base: Path, name: str, folder: str, what: str) -> Path:
    return tree.find(base, name, ("", folder), "celeba", what)


def _attributes(path: Path):
    """Yield (line, file name, labels) after the count and the names were checked."""
    header = [line for _, line in zip(range(2), lists.lines(path), strict=False)]
    count = header[0][1].strip() if header else ""
    lists.check_ends(path, 1, count)
    if not _COUNT.fullmatch(count):
        raise DataError(path, f"begins with {count[:40]!r}, not with a count", "Fetch it again", 1)
    if len(header) < 2 or tuple(header[1][1].split()) != ATTRIBUTES:
        raise DataError(path, "does not hold the 40 names of the release", "Fetch it again", 2)
    rows = 0
    for number, (name, *values) in lists.fields(path, ["file", *ATTRIBUTES], skip=2):
        wrong = next((value for value in values if value not in _VALUES), None)
        if wrong is not None:
            problem = f"{ATTRIBUTES[values.index(wrong)]} of {name} is {wrong}, not 1 or -1"
            raise DataError(path, problem, "Correct this line", number)
        rows += 1
        yield (
            number,
            tree.plain(name, path, number),
            [_VALUES[value] for value in values],
        )
    if rows != int(count):
        problem = f"line 1 says {int(count):,} rows, {rows:,} follow"
        raise DataError(path, problem, "The list was cut or edited; fetch it again")


def _pairs(path: Path, second: str) -> dict[str, str]:
    known: dict[str, str] = {}
    spelt: dict[str, str] = {}
    for number, (name, value) in lists.fields(path, ["file", second]):
        key = match[1] if (match := _NUMBER.fullmatch(value)) else value
        if spelt.setdefault(key, value) != value:  # would be two people, in two splits unnoticed
            problem = f"the {second} of {name} is {value}, and {spelt[key]} above: one number"
            raise DataError(path, problem, "Write it in one way", number)
        if known.setdefault(name, value) != value:
            problem = f"{name} has the {second} {known[name]} above and {value} here"
            raise DataError(path, problem, "Correct this line", number)
    return known


def _split(path: Path, name: str, code: str) -> str:
    if code not in SPLITS:
        problem = f"the partition of {name} is {code}, not 0, 1 or 2"
        raise DataError(path, problem, "Fetch the list again")
    return SPLITS[code]
