"""Folders of classes: crops as `{train,val}/<class>/<file>`, the class a code or a name.

Only the names below are known: a copy that numbers its classes by the alphabet looks
just like AffectNet's codes, so codes and names in one tree are refused.
"""

from collections.abc import Iterator
from pathlib import Path

from lssat.data.datasets import tree
from lssat.data.datasets.affectnet.codes import NAMES, Sample
from lssat.data.media.system_files import hidden
from lssat.tables import DataError

_ALSO = {
    "happiness": "1",
    "sadness": "2",
    "surprised": "3",
    "fearful": "4",
    "afraid": "4",
    "disgusted": "5",
    "angry": "6",
    "noface": "10",
    "no_face": "10",
}
KNOWN = {**{name.lower(): code for code, name in NAMES.items()}, **_ALSO}  # in lower case


def stands(base: Path) -> bool:
    """Say whether a tree has this layout."""
    return any(tree.exists(base / split) for split in ("train", "val"))


def samples(base: Path) -> Iterator[Sample]:
    """Yield each file of each class, by path; system files (`Thumbs.db`) are skipped."""
    if tree.exists(base / "test"):
        problem = "has a folder test, which AffectNet has not: its validation set is halved"
        fix = "Take it out of the tree, or read the tree as a data set of your own"
        raise DataError(base, problem, fix)
    for split in ("train", "val"):
        what = "a folder of the classes of AffectNet"
        top = tree.find(base, split, ("",), "affectnet", what)
        for folder, code in _classes(top, base).items():
            for name in sorted(tree.names(top / folder, base)):
                if not hidden(name):
                    path = f"{split}/{folder}/{name}"
                    yield Sample(path, split, path, code, group=path)


def _classes(top: Path, base: Path) -> dict[str, str]:
    """Return the code of each folder."""
    classes: dict[str, str] = {}
    for folder in tree.folders(top, base):
        code = folder if folder in NAMES else KNOWN.get(folder.lower())
        if code is None:
            problem = f"{folder!r} is the name of no class of AffectNet"
            known = [*NAMES.values(), *_ALSO]
            raise DataError(top, problem, f"Rename it; {tree.near(folder, known)}")
        if code in classes.values():
            first = next(name for name, value in classes.items() if value == code)
            problem = f"{first!r} and {folder!r} are both class {code} {NAMES[code]}"
            raise DataError(top, problem, "Put its images into one folder")
        classes[folder] = code
    if len({folder in NAMES for folder in classes}) > 1:
        problem = f"has codes and names of classes: {', '.join(classes)}"
        raise DataError(top, problem, "Name all of them alike")
    return classes
