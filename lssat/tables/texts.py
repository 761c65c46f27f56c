"""JSON and CSV, written whole; JSON is read with an error that says what to do."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lssat.tables.errors import DataError
from lssat.tables.whole import write_text


def write_json(path: str | Path, value: Any) -> None:
    """Write valid JSON: NaN and infinities must have become null before (they raise)."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Return what `write_json` writes."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: str | Path, remedy: str = "Run its step again") -> Any:
    """Read JSON, with a DataError in place of a parser's message."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(path, "does not exist", remedy) from None
    except ValueError as error:
        raise DataError(path, f"is not valid JSON ({error})", remedy) from error


def dotted(values: dict[str, Any], start: str = "") -> dict[str, Any]:
    """Return nested values under flat keys, such as `train.lr`; `start` stands before them."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{start}{key}"
        found |= dotted(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


def write_csv(path: str | Path, columns: Iterable[Any], rows: Iterable[Iterable[Any]]) -> None:
    """Write a heading and rows of cells, atomically; None becomes an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())
