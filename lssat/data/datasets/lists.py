"""Reading the lists of a release: text of fields, JSON, CSV, each checked for its form.

Values stay text: `000003`, `NA` and `nan` reach the reader as they stand in the list.
"""

import csv as quoted
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lssat.data.datasets.genuine_lists import genuine
from lssat.tables import DataError

_LONGEST = quoted.field_size_limit()  # characters of a field; a longer header is none
_FETCH = "Fetch the list again"  # of a release's; nobody can fetch a user's own
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
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
    if b"\0" in line:
        problem = "holds bytes that are 0, as UTF-16 does, and is not UTF-8 text"
        raise DataError(path, problem, "Save it as UTF-8" if own else _FETCH, number)
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        bad_bytes = line[error.start : error.end]
        problem = f"is not UTF-8 text (byte {error.start + 1} of the line is {bad_bytes!r})"
        raise DataError(path, problem, "Save it as UTF-8" if own else _FETCH, number) from None


def header(path: Path, own: bool = False) -> tuple[int, str, list[str]]:
    """Return the first line of a CSV that is not blank: its number, its text, its fields.

    Raises:
        DataError: there is none, it is too long to be one, or its lines end as on the Macs of old.
    """
    first = next(lines(path, own), None)
    if first is None:
        raise DataError(path, "holds no row", "Write its header and rows" if own else _FETCH)
    number, text = first
    check_ends(path, number, text)
    if len(text) > _LONGEST:
        problem = f"begins with a line of {len(text):,} characters; no header is so long"
        raise DataError(path, problem, "Write its header and rows" if own else _FETCH, number)
    return number, text, next(quoted.reader([text]))


def check_ends(path: Path, number: int, text: str) -> None:
    """Refuse a line that holds several, which end as on the Macs of old.

    Raises:
        DataError: it does.
    """
    if "\r" in text:
        fix = "Save it with line feeds"
        raise DataError(path, "has lines that end in carriage returns alone", fix, number)


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
            check_ends(path, number, line)
            if other := delimiter(line, len(names), {",": "commas", **_DELIMITERS}):
                problem = f"is separated by {other}; expected are blanks: {_some(names, ' ')}"
                fix = "Save it with blanks, or fetch the list again"
                raise DataError(path, problem, fix, number)
            raise _count(path, len(row), names, " ", number, False)
        yield number, row


def _count(
    path: Path, n_fields: int, names: list[str], between: str, line: int, own: bool
) -> DataError:
    has = "1 field" if n_fields == 1 else f"{n_fields} fields"
    problem = f"has {has}; expected are {len(names)}: {_some(names, between)}"
    also = "" if own else ", or fetch the list again"
    return DataError(path, problem, f"Correct this line{also}", line)


def _some(names: list[str], between: str) -> str:
    return between.join(names[:4]) + (f"{between}..." if len(names) > 4 else "")


def csv(
    path: Path,
    names: list[str],
    keep: list[str] | None = None,
    headed: bool = True,
    own: bool = False,
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV of comma-separated text fields, quoted or not, with their lines.

    Args:
        names: the columns, in their order.
        keep: those to yield, by default all; each row is held to all of them.
        headed: the first row must be `names`; otherwise it may be.
        own: the list is a user's, not a release's: what to do is to correct it.

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
    places = [names.index(name) for name in keep or names]
    for number, line in lines(path, own):
        if titled and number == start:
            continue
        row = _parsed(path, number, line, own)
        if len(row) != len(names):
            raise _count(path, len(row), names, ",", number, own)
        yield number, [row[place] for place in places]


def _parsed(path: Path, number: int, line: str, own: bool) -> list[str]:
    """Return the fields of a line of a CSV; without quotes, they lie between its commas."""
    if "\r" in line:
        problem = "has a carriage return within the line"
        raise DataError(path, problem, "Save it with line feeds", number)
    if '"' not in line:
        return line.split(",")
    try:
        return next(quoted.reader([line], strict=True))
    except quoted.Error as error:
        problem = f"cannot be parsed ({error})"
        if "unexpected end" in str(error):
            problem = "has a quote that does not end on its line: a line break within a field"
        fix = "Write the field on one line, and each quote in pairs"
        fix = fix if own else f"{fix}, or fetch the list again"
        raise DataError(path, problem, fix, number) from None


def delimiter(text: str, columns: int, known: dict[str, str] = _DELIMITERS) -> str:
    """Name what separates a line into this number of fields, if not commas; "" if nothing."""
    for other, name in known.items() if len(text) <= _LONGEST else ():
        if len(next(quoted.reader([text], delimiter=other))) == columns > 1:
            return name
    return ""


def number(text: str) -> float | None:
    """Return the decimal number that a field holds; None: it holds none, or none that is finite.

    Stricter than Python's `float`, which also reads `1_0` and digits of other scripts.
    """
    value = float(text) if _DECIMAL.fullmatch(text.strip()) else math.inf
    return value if math.isfinite(value) else None


def delimiters(text: str) -> list[str]:
    """Name what may separate the fields of a line in place of commas."""
    return [name for other, name in _DELIMITERS.items() if other in text]


def json_of(path: Path) -> Any:
    """Read a JSON list; numbers stay what they are, so that a reader can refuse them.

    Raises:
        DataError: the file is not JSON, or an impostor; a key stands twice in an object.
    """
    text = "\n".join(line for _, line in lines(path))
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _once(path, pairs))
    except (ValueError, RecursionError) as error:
        problem = f"is not valid JSON ({error})"
        raise DataError(path, problem, "It was cut or edited; fetch it again") from None


def _once(path: Path, pairs: list[tuple[str, Any]]) -> dict:
    entries: dict = {}
    for key, value in pairs:
        if key in entries and entries[key] != value:
            raise DataError(path, f"has two different entries {key!r}", "Keep the right one")
        entries[key] = value
    return entries
