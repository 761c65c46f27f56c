"""Checks before a list is read, and a record of the lists that a reader uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from lssat.tables import DataError, s3_addresses
from lssat.tables.errors import denied

_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml")
_POINTER = b"version https://git-lfs"
_OPENED: ContextVar[set[str] | None] = ContextVar("opened", default=None)


@contextmanager
def recording() -> Iterator[set[str]]:
    """Collect the lists that are opened in the block."""
    opened: set[str] = set()
    token = _OPENED.set(opened)
    try:
        yield opened
    finally:
        _OPENED.reset(token)


def opening(path: Path) -> Path:
    """Note that a list is about to be read.

    Raises:
        DataError: it lies in object storage, and is none of the kinds that are fetched whole.
    """
    if s3_addresses.address(path):
        known = ", ".join(s3_addresses.LISTS)
        problem = f"is read as a whole, which in object storage only lists are ({known})"
        fix = "Unpack an archive there; copy a tree of arrays to a disk; give a list its suffix"
        raise DataError(path, problem, fix)
    if (opened := _OPENED.get()) is not None:
        opened.add(str(path))
    return path


def impostor(path: Path) -> str | None:
    """Say what is there in place of a list, image or archive; None if it looks genuine.

    Quota pages, Git LFS pointers and empty files are what interrupted downloads leave.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(64)
    except PermissionError:
        raise denied(path) from None
    except IsADirectoryError:
        return "is a folder"
    if not head:
        return "is an empty file"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGES):
        return f"is a web page (first bytes {head[:24]!r})"
    if head.startswith(_POINTER):
        return f"is a Git LFS pointer (first bytes {head[:24]!r})"
    return None


def genuine(path: Path, what: str = "list", own: bool = False) -> Path:
    """Return the path of a file that is no impostor.

    Raises:
        DataError: it is a web page, a Git LFS pointer, empty or a folder.
    """
    if problem := impostor(opening(path)):
        raise DataError(path, problem, "Put the list there" if own else f"Fetch the {what} again")
    return path
