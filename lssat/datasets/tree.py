"""What the readers share: finding official files and folders, names in them, manifest rows."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lssat.datasets import lists
from lssat.tables import DataError


def root(options: Any, dataset: str) -> Path:
    """Return the root of a raw tree.

    Raises:
        DataError: there is no such folder.
    """
    path = Path(options.root)
    if not path.is_dir():
        problem = f"the root of {dataset} is not a folder"
        raise DataError(path, problem, f"Set datasets.{dataset}.root in params.yaml")
    return path


def find(base: Path, name: str, folders: tuple[str, ...], dataset: str, what: str) -> Path:
    """Return the official file or folder `name`, looked for in `folders` below the root.

    Raises:
        DataError: it is in none of them (the message names it and the key of the root), or
            where it should be cannot be read.
    """
    tried = [base / folder / name for folder in folders]
    for path in tried:
        if exists(path):
            return path
    also = "".join(f" (nor {path})" for path in tried[1:])
    raise DataError(
        tried[0],
        f"does not exist{also}; it is {what}",
        f"Put it there, or set datasets.{dataset}.root in params.yaml",
    )


def exists(path: Path) -> bool:
    """Say whether a file or folder is there.

    Raises:
        DataError: a folder on the way to it cannot be read.
    """
    try:
        return path.exists()
    except PermissionError:
        closed = next(each for each in path.parents if os.path.exists(each))
        raise lists.denied(closed) from None


def near(name: str, known: list[str]) -> str:
    """Say which known name was perhaps meant."""
    lower = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), list(lower), n=1, cutoff=0.5)
    return f"did you mean {lower[close[0]]}?" if close else f"known: {', '.join(known)}"


def plain(name: str, path: Path, line: int | None = None) -> str:
    """Return a file name of a list, which must not lead out of its folder.

    Raises:
        DataError: the name has a folder in it, or is `.` or `..`.
    """
    if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
        problem = f"{name!r} is not the plain name of a file"
        raise DataError(path, problem, "Nothing outside of the data root is read", line)
    return name


def below(name: str, path: Path, line: int | None = None) -> str:
    """Return a relative path of a list, which must not lead out of the folder it starts from.

    Raises:
        DataError: the path is absolute or empty, or a part of it is empty, `.` or `..`.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in name or "\0" in name:
        problem = f"{name!r} is not a path below the data root"
        raise DataError(path, problem, "Nothing outside of the data root is read", line)
    return name


def names(folder: Path, base: Path) -> set[str]:
    """Return the names of what a folder holds; a link must not lead out of the root `base`.

    The folder itself may be a link: whoever set the tree up may keep images on another disk.

    Raises:
        DataError: the folder cannot be read or is a file, or a link leaves the root.
    """
    found = set()
    inside = (os.path.realpath(base) + os.sep, os.path.realpath(folder) + os.sep)
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                end = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                if entry.is_symlink() and not end.startswith(inside):
                    problem = f"is a link that leaves the data root, to {end}"
                    raise DataError(entry.path, problem, "Put the file itself there")
                found.add(entry.name)
    except PermissionError:
        raise lists.denied(folder) from None
    except NotADirectoryError:
        problem = lists.impostor(folder) or "is a file, not a folder"
        raise DataError(folder, problem, "Put the folder of the release there") from None
    return found


def folders(folder: Path, base: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted; see `names`."""
    return sorted(name for name in names(folder, base) if (folder / name).is_dir())


def row(
    dataset: str, id: str, path: str, media: str, labels: list[int], split: str, **rest: Any
) -> dict:
    """Return a row of the manifest; `subset` and `box` are empty unless given."""
    known = {"dataset": dataset, "id": id, "path": path, "media": media}
    return {**known, "labels": labels, "split": split, "subset": "", "box": [], **rest}
