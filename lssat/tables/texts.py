"""JSON and CSV, written whole; JSON is sealed, and read with an error that says what to do."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lssat.tables import seal
from lssat.tables.atomic import write_bytes, write_text
from lssat.tables.errors import DataError


def write_json(path: str | Path, value: Any, sealed: bool = True) -> None:
    """Write valid JSON: NaN and infinities must have become null before (they raise).

    Args:
        value: a dict where it is sealed, whose last entry the seal becomes.
        sealed: steps read it; False: it is only for people and other tools, in a form of theirs.
    """
    text = _with_seal(value) if sealed else json_text(value)
    write_bytes(path, seal.sealed(text.encode()) if sealed else text.encode())


def _with_seal(value: dict[str, Any]) -> str:
    others = {key: content for key, content in value.items() if key != seal.KEY}
    start = json_text(others).removesuffix("}\n").rstrip()
    return f'{start}{"," if others else ""}\n "{seal.KEY}": "{seal.BLANK}"\n}}\n'


def json_text(value: Any) -> str:
    """Return JSON as people and other tools read it."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: str | Path, remedy: str = seal.REMEDY, sealed: bool = True) -> Any:
    """Read JSON, with a DataError in place of a parser's message.

    Args:
        sealed: as it was written; the seal is held to the bytes and left out.

    Raises:
        DataError: missing, no JSON, or not the bytes that were written.
    """
    data = seal.unsealed(path, remedy) if sealed else seal.read_bytes(path, remedy)
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"is not valid JSON ({error})", remedy) from error
    if sealed:
        value.pop(seal.KEY)
    return value


def dotted(values: dict[str, Any], start: str = "") -> dict[str, Any]:
    """Return nested values under flat keys, such as `train.lr`; `start` stands before them."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{start}{key}"
        flat |= dotted(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat


def write_csv(path: str | Path, columns: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    """Write a heading and rows of cells, atomically; None becomes an empty cell.

    Returns:
        its sha256.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return write_text(path, text.getvalue())
