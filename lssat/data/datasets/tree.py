"""What the readers share: finding official files and folders, names in them, manifest rows."""

import errno
import os
import posixpath
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from lssat import params
from lssat.data.datasets.genuine_lists import impostor
from lssat.tables import DataError, links, reject, s3, spelling
from lssat.tables.errors import denied
from lssat.tables.rows import RejectRow, SampleRow

Reading = tuple[list[SampleRow], list[RejectRow]]  # what a reader returns

_RENAME = "Rename the file or folder: its path is the sample's id"


def root(options: params.Dataset, dataset: str) -> Path:
    """Return the root of a raw tree; of one in object storage its outline.

    Raises:
        DataError: there is no such folder, or what an address names cannot be listed.
    """
    path = s3.outline(options.root)
    if not path.is_dir():
        problem = f"the root of {dataset} is not a folder"
        near = "" if path.exists() else spelling.nearest(path)
        meant = f"Is it {near}? " if near else ""
        raise DataError(path, problem, f"{meant}Set datasets.{dataset}.root in params.yaml")
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
            return inside(path, base)
        if path.is_symlink():
            get = "Fetch the file that it stands for (git-annex and DataLad: `get`)"
            raise DataError(path, f"is a link that leads to nothing; it is {what}", get)
    also = "".join(f" (nor {path})" for path in tried[1:])
    near = meant(base, [f"{folder}/{name}".lstrip("/") for folder in folders])
    fix = f"Put it there, or set datasets.{dataset}.root in params.yaml"
    raise DataError(tried[0], f"does not exist{also}; it is {what}", near + fix)


def meant(base: Path, names: list[str]) -> str:
    """Return the question that names the file there in place of `names`; it precedes the fix.

    "" where nothing below the root is spelt nearly as one of them.
    """
    there = spelling.Spellings(base)
    for loose in (False, True):
        for name in names:
            if near := there.near(name, loose=loose):
                return f"Is it {base / near}? Else: "
    return ""


def exists(path: Path) -> bool:
    """Say whether a file or folder is there.

    Raises:
        DataError: a folder on the way to it cannot be read.
    """
    try:
        return path.exists()
    except PermissionError:
        closed = next(parent for parent in path.parents if os.path.exists(parent))
        raise denied(closed) from None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False  # no file has such a name


def near(name: str, known: list[str]) -> str:
    """Say which known name was perhaps meant."""
    lower = {item.lower(): item for item in known}
    close = get_close_matches(name.lower(), list(lower), n=1, cutoff=0.5)
    return f"did you mean {lower[close[0]]}?" if close else f"known: {', '.join(known)}"


def plain(name: str, path: Path, line: int | None = None) -> str:
    """Return a file name of a list, which must not lead out of its folder.

    Raises:
        DataError: the name has a folder in it, or is `.` or `..`.
    """
    if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
        problem = f"{name!r} is not the plain name of a file"
        raise DataError(path, problem, _instead(name, plain=True), line)
    return name


def below(name: str, path: Path, line: int | None = None, base: Path | None = None) -> str:
    """Return a relative path of a list, which must not lead out of the folder it starts from.

    `./a//b` is `a/b`: it leads nowhere else. `base` is that folder, for the message.

    Raises:
        DataError: the path is absolute or empty, has `..` or a backslash in it.
    """
    if not name.strip():
        raise DataError(path, "the path is empty", "Write it, or leave the row out", line)
    parts = name.split("/")
    clean = "/".join(part for part in parts if part not in ("", "."))
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or not clean:
        problem = f"{name!r} is not a path below the data root"
        raise DataError(path, problem, _instead(name, base), line)
    return clean


def _instead(name: str, base: Path | None = None, plain: bool = False) -> str:
    """Say what to write in place of a path that is refused."""
    right = posixpath.normpath(name.replace("\\", "/"))
    if base is not None and right.startswith(f"{base.absolute()}/"):
        right = right.removeprefix(f"{base.absolute()}/")
    leaves = right.startswith(("/", "..")) or ":" in right.split("/")[0] or "\0" in name
    if right not in ("", ".") and not leaves and not (plain and "/" in right):
        return f"Write {right}"
    return "Nothing outside of the data root is read: write it relative to the root, with /"


def inside(path: Path, base: Path) -> Path:
    """Return a path that does not lead out of the root `base`; the root may be a link.

    Raises:
        DataError: it is or goes through a link that leaves the root.
    """
    if end := links.out(path, base):
        raise DataError(path, f"is a link that leaves the data root, to {end}", links.REMEDY)
    return path


def names(folder: Path, base: Path) -> set[str]:
    """Return the names in a folder; no link may lead out of the root `base`.

    Raises:
        DataError: the folder cannot be read or is a file, or a link leaves the root.
    """
    held = set()
    inside(folder, base)
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    inside(Path(entry.path), base)
                held.add(entry.name)
    except PermissionError:
        raise denied(folder) from None
    except NotADirectoryError:
        problem = impostor(folder) or "is a file, not a folder"
        raise DataError(folder, problem, "Put the folder of the release there") from None
    return held


def folders(folder: Path, base: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted; see `names`."""
    return sorted(name for name in names(folder, base) if (folder / name).is_dir())


def _writable(id: str, path: str) -> None:
    """Refuse a name that no table or list of ids can hold: tables are UTF-8, lists a line an id.

    Raises:
        DataError: it is neither.
    """
    name = f"{id}{path}"
    if name.isprintable():  # few are not
        return
    # As Python spells bytes that are not UTF-8; others can stand in JSON, and in no file's name.
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in name):
        raise DataError(path, "has a name that is not UTF-8", _RENAME)
    if "\n" in name or "\r" in name:
        raise DataError(repr(path), "has a line break in its name", _RENAME)


class Samples:
    """What a reader gathers: rows of the manifest, and the rejects of what is not there.

    Args:
        dataset: the section's name.
        media: `image`, `video` or `frames` (a folder of a video's images).
    """

    def __init__(self, dataset: str, media: str):
        self.dataset, self.media = dataset, media
        self.rows: list[SampleRow] = []
        self.rejects: list[RejectRow] = []

    def add(
        self,
        there: bool,
        id: str,
        path: str,
        labels: list[int],
        split: str,
        groups: Sequence[str],
        group: str = "",
        subset: str = "",
        box: Sequence[float] = (),
        reason: str = "missing",
        detail: str = "",
    ) -> None:
        """Add a sample that the lists name.

        Args:
            there: it can be used; else it is rejected for `reason`, and counts as lost.
            groups: everybody in it, who must not stand in two splits.
            group: of whom its cluster is; default: the first of them.
            reason, detail: of the reject. With it, labels, split and subset are counted
                (`lssat.tables.listed_counts`) and stand in no table.
        """
        _writable(id, path)
        if not there:
            lost = reject(self.dataset, id, path, "manifest", reason, detail)
            self.rejects.append(lost | {"labels": labels, "split": split, "subset": subset})
            return
        row = SampleRow(
            dataset=self.dataset,
            id=id,
            path=path,
            media=self.media,
            labels=labels,
            subset=subset,
            split=split,
            groups=list(groups),
            group=group or groups[0],
            box=list(box),
        )
        self.rows.append(row)

    def exclude(self, id: str, path: str, detail: str) -> None:
        """Reject a sample of a class that is left out on request: it is no loss."""
        _writable(id, path)
        self.rejects.append(reject(self.dataset, id, path, "manifest", "excluded_class", detail))
