"""Reading the lists of a release: text of fields, JSON, CSV, each held to what it must be.

Values stay text: `000003`, `NA` and `nan` reach the reader as they stand in the list.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc

from lssat.tables import DataError

_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml")
_POINTER = b"version https://git-lfs"


def impostor(path: Path) -> str | None:
    """Say what stands in the place of a list, image or archive, or None if nothing gives it away.

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


def genuine(path: Path, what: str = "list") -> Path:
    """Return the path of a file that is no impostor.

    Raises:
        DataError: it is a web page, a Git LFS pointer, empty or a folder.
    """
    if problem := impostor(path):
        raise DataError(path, problem, f"Fetch the {what} again")
    return path


def denied(path: str | Path) -> DataError:
    """Return the error of a file or folder that may not be read; it names the owner."""
    problem = f"cannot be read (owner: uid {os.stat(path).st_uid})"
    return DataError(path, problem, "Ask the owner for permission to read it")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file that are not blank, each with its number from 1.

    Raises:
        DataError: the file is no text in UTF-8, or an impostor.
    """
    with open(genuine(path), "rb") as file:
        for number, line in enumerate(file, 1):
            text = _utf8(path, number, line)
            if text.strip():
                yield number, text.rstrip("\r\n")


def _utf8(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        found = line[error.start : error.end]
        problem = f"is not UTF-8 text (byte {error.start + 1} of the line is {found!r})"
        raise DataError(path, problem, "Fetch the list again", number) from None


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
            raise _count(path, len(row), names, " ", number)
        yield number, row


def _count(path: Path, found: int, names: list[str], between: str, line: int) -> DataError:
    expected = between.join(names[:4]) + (f"{between}..." if len(names) > 4 else "")
    problem = f"has {found} fields; expected are {len(names)}: {expected}"
    return DataError(path, problem, "Correct this line, or fetch the list again", line)


def csv(
    path: Path, names: list[str], keep: list[str] | None = None, header: bool = True
) -> tuple[pa.Table, list[int]]:
    """Read a CSV of comma-separated text fields.

    Args:
        names: the columns, in their order.
        keep: those to return, by default all; each row is held to all of them.
        header: the first row must be `names`; otherwise it may be.

    Returns:
        A table of text columns, nothing of which is null, and the line of each row.

    Raises:
        DataError: another header or delimiter, a row that is too short or too long, not UTF-8.
    """
    first = next(lines(path), None)
    if first is None:
        raise DataError(path, "holds no row", "Fetch the list again")
    start, found = first[0], first[1].split(",")
    if len(found) < len(names):
        _check_delimiter(path, first, names)
    titled = found == names
    if not titled and (header or set(found) & set(names)):
        problem = f"begins with {first[1][:60]!r}, not with {','.join(names)}"
        raise DataError(path, problem, "Fetch the list again", start)
    return _parse(path, names, keep or names, start if titled else start - 1)


def _check_delimiter(path: Path, first: tuple[int, str], names: list[str]) -> None:
    number, text = first
    for other, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(text.split(other)) == len(names):
            problem = f"is separated by {name}; expected are commas: {','.join(names)}"
            raise DataError(path, problem, "Save it with commas, or fetch it again", number)
    raise _count(path, len(text.split(",")), names, ",", number)


def _parse(path: Path, names: list[str], keep: list[str], skip: int) -> tuple[pa.Table, list[int]]:
    wrong: list[pc.InvalidRow] = []

    def invalid(row: pc.InvalidRow) -> str:
        wrong.append(row)
        return "skip"

    try:
        table = pc.read_csv(
            path,
            # One thread: with more, the numbers of wrong rows are not known.
            pc.ReadOptions(use_threads=False, column_names=names, skip_rows=skip),
            pc.ParseOptions(invalid_row_handler=invalid),
            pc.ConvertOptions(
                column_types={name: pa.string() for name in names}, include_columns=keep
            ),
        )
    except pa.ArrowInvalid as error:
        for _ in lines(path):  # finds the line that is not UTF-8
            pass
        raise DataError(path, f"cannot be parsed ({error})", "Fetch the list again") from None
    numbers = _numbers(path, skip)
    if wrong:
        # Arrow counts what it skipped and, from there on, lines that are not blank.
        number = numbers[wrong[0].number - skip - 1]
        raise _count(path, wrong[0].actual_columns, names, ",", number)
    return table, numbers


def _numbers(path: Path, skip: int) -> list[int]:
    """Return the numbers of the lines that are not blank, after the first `skip`."""
    with open(path, "rb") as file:
        return [n for n, line in enumerate(file, 1) if n > skip and line.strip(b"\r\n")]


def rows(table: pa.Table) -> Iterator[tuple]:
    """Yield the rows of a table; only some thousands of them are Python objects at a time."""
    for batch in table.to_batches(max_chunksize=4096):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def json_of(path: Path) -> Any:
    """Read a JSON list; numbers stay what they are, so that a reader can refuse them.

    Raises:
        DataError: the file is not JSON, or an impostor; a key stands twice in an object.
    """
    text = "\n".join(line for _, line in lines(path))
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _once(path, pairs))
    except ValueError as error:
        problem = f"is not valid JSON ({error})"
        raise DataError(path, problem, "It was cut or edited; fetch it again") from None


def _once(path: Path, pairs: list[tuple[str, Any]]) -> dict:
    made: dict = {}
    for key, value in pairs:
        if key in made and made[key] != value:
            raise DataError(path, f"has two different entries {key!r}", "Keep the right one")
        made[key] = value
    return made
