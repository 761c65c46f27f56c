"""Reading the lists of a release: text of fields, JSON, CSV, each checked for its form.

Values stay text: `000003`, `NA` and `nan` reach the reader as they stand in the list.
"""

import csv as quoted
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc

from lssat.data.datasets.genuine_lists import genuine
from lssat.tables import DataError

_FETCH = "Fetch the list again"  # of a release's; nobody can fetch a user's own
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def lines(path: Path, own: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file that are not blank, each with its number from 1.

    Args:
        own: the list is a user's, not a release's: what to do is to correct it.

    Raises:
        DataError: the file is no text in UTF-8, or an impostor.
    """
    with open(genuine(path, own=own), "rb") as file:
        for number, line in enumerate(file, 1):
            text = _utf8(path, number, line, own)
            if text.strip():
                yield number, text.rstrip("\r\n")


def _utf8(path: Path, number: int, line: bytes, own: bool) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        bad_bytes = line[error.start : error.end]
        problem = f"is not UTF-8 text (byte {error.start + 1} of the line is {bad_bytes!r})"
        raise DataError(path, problem, "Save it as UTF-8" if own else _FETCH, number) from None


def header(path: Path, own: bool = False) -> tuple[int, str, list[str]]:
    """Return the first line of a CSV that is not blank: its number, its text, its fields.

    Raises:
        DataError: there is none, or its lines end as on the Macs of old.
    """
    first = next(lines(path, own), None)
    if first is None:
        raise DataError(path, "holds no row", "Write its header and rows" if own else _FETCH)
    number, text = first
    if "\r" in text:
        fix = "Save it with line feeds"
        raise DataError(path, "has lines that end in carriage returns alone", fix, number)
    return number, text, next(quoted.reader([text]))


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
            raise _count(path, len(row), names, " ", number, False)
        yield number, row


def _count(
    path: Path, n_fields: int, names: list[str], between: str, line: int, own: bool
) -> DataError:
    expected = between.join(names[:4]) + (f"{between}..." if len(names) > 4 else "")
    problem = f"has {n_fields} fields; expected are {len(names)}: {expected}"
    also = "" if own else ", or fetch the list again"
    return DataError(path, problem, f"Correct this line{also}", line)


def csv(
    path: Path,
    names: list[str],
    keep: list[str] | None = None,
    headed: bool = True,
    own: bool = False,
) -> tuple[pa.Table, list[int]]:
    """Read a CSV of comma-separated text fields, quoted or not.

    Args:
        names: the columns, in their order.
        keep: those to return, by default all; each row is held to all of them.
        headed: the first row must be `names`; otherwise it may be.
        own: the list is a user's, not a release's: what to do is to correct it.

    Returns:
        A table of text columns, nothing of which is null, and the line of each row.

    Raises:
        DataError: another header or delimiter, a row that is too short or too long, a line
            break within quotes, not UTF-8.
    """
    start, text, fields = header(path, own)
    if len(fields) < len(names):
        if other := delimiter(text, len(names)):
            problem = f"is separated by {other}; expected are commas: {','.join(names)}"
            also = "" if own else ", or fetch it again"
            raise DataError(path, problem, f"Save it with commas{also}", start)
        raise _count(path, len(fields), names, ",", start, own)
    titled = fields == names
    if not titled and (headed or set(fields) & set(names)):
        problem = f"begins with {text[:60]!r}, not with {','.join(names)}"
        raise DataError(path, problem, "Correct its header" if own else _FETCH, start)
    return _parse(path, names, keep or names, start if titled else start - 1, own)


def delimiter(text: str, columns: int) -> str:
    """Name what separates a line into this number of fields, if not commas; "" if nothing."""
    for other, name in _DELIMITERS.items():
        if len(next(quoted.reader([text], delimiter=other))) == columns > 1:
            return name
    return ""


def delimiters(text: str) -> list[str]:
    """Name what may separate the fields of a line in place of commas."""
    return [name for other, name in _DELIMITERS.items() if other in text]


def _parse(
    path: Path, names: list[str], keep: list[str], skip: int, own: bool
) -> tuple[pa.Table, list[int]]:
    numbers, blank = _numbers(path, skip, own)
    wrong: list[tuple[int | None, int]] = []  # row as Arrow counts it, its fields

    def invalid(row: pc.InvalidRow) -> str:
        if row.text.strip():  # what holds blanks alone is no row
            wrong.append((row.number, row.actual_columns))
        return "skip"

    try:
        table = pc.read_csv(
            path,
            # One thread: with more, the numbers of wrong rows are not known.
            pc.ReadOptions(use_threads=False, column_names=names, skip_rows=skip),
            pc.ParseOptions(invalid_row_handler=invalid, newlines_in_values=True),
            pc.ConvertOptions(
                column_types={name: pa.string() for name in names}, include_columns=keep
            ),
        )
    except pa.ArrowInvalid as error:
        fix = "Correct it" if own else _FETCH
        raise DataError(path, f"cannot be parsed ({error})", fix) from None
    if len(table) + len(wrong) + len(blank) != len(numbers):
        raise _broken(path, skip, own)
    if wrong:
        # Arrow counts what it skipped and, from there on, lines that are not blank.
        number, fields = wrong[0]
        raise _count(path, fields, names, ",", numbers[(number or 0) - skip - 1], own)
    return table, [number for number in numbers if number not in blank]


def _broken(path: Path, skip: int, own: bool) -> DataError:
    """Find the row that spans several lines: a line break within quotes."""
    begin = skip + 1
    with open(path, encoding="utf-8", newline="") as file:
        reader = quoted.reader(line for n, line in enumerate(file, 1) if n > skip)
        with suppress(quoted.Error):  # a field that never ends is longer than it may be
            for _ in reader:
                if skip + reader.line_num > begin:
                    break
                begin = skip + reader.line_num + 1
    problem = "has a quote that does not end on its line: a line break within a field"
    fix = "Write the field on one line, and each quote in pairs"
    return DataError(path, problem, fix if own else f"{fix}, or fetch the list again", begin)


def _numbers(path: Path, skip: int, own: bool) -> tuple[list[int], set[int]]:
    """Return the lines after the first `skip` that are not empty, and which hold but blanks.

    Raises:
        DataError: a line is not UTF-8 (Arrow would hand it to Python as text, and fail there),
            or has a carriage return within.
    """
    numbers, blank = [], set()
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.isascii():
                _utf8(path, number, line, own)
            text = line.strip(b"\r\n")
            if b"\r" in text:
                problem = "has a carriage return within the line"
                raise DataError(path, problem, "Save it with line feeds", number)
            if number > skip and text:
                numbers.append(number)
                if not text.strip():
                    blank.add(number)
    return numbers, blank


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
    entries: dict = {}
    for key, value in pairs:
        if key in entries and entries[key] != value:
            raise DataError(path, f"has two different entries {key!r}", "Keep the right one")
        entries[key] = value
    return entries
