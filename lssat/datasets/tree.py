"""What the readers share: finding official files, reading lists, rows of the manifest."""

import json
import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

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
        DataError: it is in none of them; the message names it and the key of the root.
    """
    tried = [base / folder / name for folder in folders]
    for path in tried:
        if path.exists():
            return path
    also = "".join(f" (nor {path})" for path in tried[1:])
    raise DataError(
        tried[0],
        f"does not exist{also}; it is {what}",
        f"Put it there, or set datasets.{dataset}.root in params.yaml",
    )


def near(name: str, known: list[str]) -> str:
    """Say which known name was perhaps meant."""
    lower = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), list(lower), n=1, cutoff=0.5)
    return f"did you mean {lower[close[0]]}?" if close else f"known: {', '.join(known)}"


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file that are not blank, each with its number from 1.

    Raises:
        DataError: the file is not UTF-8 text.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(path, f"is not UTF-8 text ({error})", "Fetch the list again") from None


def fields(path: Path, names: list[str], skip: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of a list, separated by white space, with the number of their line.

    Args:
        names: what stands in a row; each row must have as many fields.
        skip: header lines to leave out.

    Raises:
        DataError: a row has another number of fields.
    """
    for number, line in lines(path):
        if number <= skip:
            continue
        row = line.split()
        if len(row) != len(names):
            many = f"has {len(row)} fields; expected are {len(names)}: {' '.join(names[:4])}"
            more = " ..." if len(names) > 4 else ""
            raise DataError(path, f"{many}{more}", "Correct this line", number)
        yield number, row


def json_of(path: Path) -> Any:
    """Read a JSON list; numbers stay what they are, so that a reader can refuse them."""
    try:
        return json.loads("\n".join(line for _, line in lines(path)))
    except ValueError as error:
        raise DataError(path, f"is not valid JSON ({error})", "Fetch the list again") from None


def plain(name: str, path: Path, line: int | None = None) -> str:
    """Return a file name of a list, which must not lead out of its folder.

    Raises:
        DataError: the name has a folder in it, or is `.` or `..`.
    """
    if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
        problem = f"{name!r} is not the plain name of a file"
        raise DataError(path, problem, "Nothing outside of the data root is read", line)
    return name


def names(folder: Path, base: Path) -> set[str]:
    """Return the names of the files in a folder; a link must not lead out of the root `base`.

    Raises:
        DataError: the folder cannot be read, or a link leaves the root.
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
        owner = os.stat(folder).st_uid
        fix = "Ask the owner for permission to read it"
        raise DataError(folder, f"cannot be read (owner: uid {owner})", fix) from None
    return found


def row(
    dataset: str, id: str, path: str, media: str, labels: list[int], split: str, **rest: Any
) -> dict:
    """Return a row of the manifest; `subset` and `box` are empty unless given."""
    known = {"dataset": dataset, "id": id, "path": path, "media": media}
    return {**known, "labels": labels, "split": split, "subset": "", "box": [], **rest}
