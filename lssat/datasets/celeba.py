"""CelebA (Liu et al. 2015), aligned images: 40 attributes, the official partition, identities."""

from pathlib import Path

from lssat.datasets import tree
from lssat.labels import ATTRIBUTES
from lssat.tables import DataError, reject

SPLITS = {"0": "train", "1": "val", "2": "test"}

_VALUES = {"1": 1, "-1": 0}
_IMAGES = "img_align_celeba"


def read(options) -> tuple[list[dict], list[dict]]:
    """Read the three lists and look for each image that they name.

    The lists may lie at the root or, as in the release, below `Anno/` and `Eval/`.

    Args:
        options: `params.Celeba`.

    Returns:
        Rows of the manifest and rejects (missing). Labels: 40 values, 0 or 1.

    Raises:
        DataError: a list is absent, cut short or has unknown values, or the lists disagree.
    """
    base = tree.root(options, "celeba")
    folder = tree.find(base, _IMAGES, ("", "Img"), "celeba", "the folder of aligned images")
    attributes = _list(base, "list_attr_celeba.txt", "Anno", "the official list of attributes")
    partition = _list(base, "list_eval_partition.txt", "Eval", "the official partition")
    identities = _list(base, "identity_CelebA.txt", "Anno", "the official list of identities")
    splits = _pairs(partition, "partition")
    persons = _pairs(identities, "identity")
    there = tree.names(folder, base)
    rows, rejects = [], []
    for number, name, labels in _attributes(attributes):
        for path, known in ((partition, splits), (identities, persons)):
            if name not in known:
                problem = f"{name} of {attributes.name} (line {number}) is not in this list"
                raise DataError(path, problem, "Fetch both lists again")
        path = (folder / name).relative_to(base).as_posix()
        if name not in there:
            rejects.append(reject("celeba", name, path, "manifest", "missing"))
            continue
        group = persons[name]
        split = _split(partition, name, splits[name])
        who = {"groups": [group], "group": group}
        rows.append(tree.row("celeba", name, path, "image", labels, split, **who))
    return rows, rejects


def _list(base: Path, name: str, folder: str, what: str) -> Path:
    return tree.find(base, name, ("", folder), "celeba", what)


def _attributes(path: Path):
    """Yield (line, file name, labels) after the count and the names were checked."""
    header = [line for _, line in zip(range(2), tree.lines(path), strict=False)]
    count = header[0][1].strip() if header else ""
    if not count.isdecimal():
        raise DataError(path, f"begins with {count[:40]!r}, not with a count", "Fetch it again", 1)
    if len(header) < 2 or tuple(header[1][1].split()) != ATTRIBUTES:
        raise DataError(path, "does not hold the 40 names of the release", "Fetch it again", 2)
    rows = 0
    for number, (name, *values) in tree.fields(path, ["file", *ATTRIBUTES], skip=2):
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
    for number, (name, value) in tree.fields(path, ["file", second]):
        if known.setdefault(name, value) != value:
            problem = f"{name} has the {second} {known[name]} above and {value} here"
            raise DataError(path, problem, "Correct this line", number)
    return known


def _split(path: Path, name: str, code: str) -> str:
    if code not in SPLITS:
        problem = f"the partition of {name} is {code}, not 0, 1 or 2"
        raise DataError(path, problem, "Fetch the list again")
    return SPLITS[code]
