"""Reading a table of ids and scores, CSV or Parquet, that another program wrote.

Columns: `id`; `frame`, where a video's frames have scores of their own; then `score`, the
probability of a binary task's positive class, or a column for each class or attribute, by name.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lssat.data.datasets import lists
from lssat.grid.tasks import Task
from lssat.params.base import nearest
from lssat.tables import DataError, spelling

_SUFFIXES = (".csv", ".parquet")
_SUM = 0.01  # what the probabilities of a sample's classes may miss 1 by: they are rounded in a CSV
_SHOWN = 5


class Scores(NamedTuple):
    """The table as it was read."""

    file: Path
    ids: list[str]
    frames: list[int] | None  # None: a row is a video, or an image
    values: np.ndarray  # (N, K) float64, probabilities: of the positive class, or one each
    lines: list[int]  # of a CSV the line of each row from 1, else its number from 1

    def line(self, row: int) -> int | None:
        """Return the line of a row for a message; None of Parquet, which has none."""
        return self.lines[row] if self.file.suffix == ".csv" else None

    def named(self, row: int) -> str:
        """Return what a message calls a row."""
        frame = f" frame {self.frames[row]}" if self.frames else ""
        where = "" if self.file.suffix == ".csv" else f" (row {self.lines[row]:,})"
        return f"{self.ids[row]}{frame}{where}"


def read(file: Path, task: Task) -> Scores:
    """Read the scores of a task.

    Raises:
        DataError: no such file, other columns than agreed, an id twice, or a score that is no
            number from 0 to 1; a CSV's message has the line.
    """
    table, lines = _table(file)
    _columns(file, table.column_names, task)
    ids = _texts(file, table["id"].combine_chunks(), lines)
    frames = _frames(file, table, lines) if "frame" in table.column_names else None
    names = columns(task)
    found = Scores(file, ids, frames, np.empty((len(ids), len(names))), lines)
    for column, name in enumerate(names):
        found.values[:, column] = _numbers(found, table[name], name)
    _once(found)
    if task.kind == "multiclass":
        _sums(found)
    return found


def columns(task: Task) -> list[str]:
    """Return the names of the columns of scores."""
    return ["score"] if task.kind == "binary" else list(task.classes)


def _table(file: Path) -> tuple[pa.Table, list[int]]:
    if not file.is_file():
        near = spelling.nearest(file)
        meant = f"Is it {near}? Else: " if near else ""
        fix = f"{meant}Put the table there, or correct benchmark.external in params.yaml"
        raise DataError(file, "does not exist; it is a table of scores", fix)
    if file.suffix not in _SUFFIXES:
        raise DataError(file, "is no .csv and no .parquet", "Save the scores as one of them")
    if file.suffix == ".csv":
        line, text, header = lists.header(file, own=True)
        for name in lists.delimiters(text) if len(header) == 1 else ():
            raise DataError(file, f"is separated by {name}, not by commas", "Save it anew", line)
        if twice := sorted({name for name in header if header.count(name) > 1}):
            raise DataError(file, f"names the column {twice[0]!r} twice", "Keep one", line)
        table, lines = lists.csv(file, header, own=True)
    else:
        try:
            with pq.ParquetFile(file) as whole:  # pq.read_table would import pandas
                table = whole.read()
        except (pa.ArrowInvalid, OSError) as error:
            problem = f"is no Parquet file ({str(error).splitlines()[0]})"
            raise DataError(file, problem, "Write it again") from None
        lines = list(range(1, len(table) + 1))
    if not len(table):
        raise DataError(file, "holds no row but its header", "Write a row for each sample")
    return table, lines


def _columns(file: Path, names: list[str], task: Task) -> None:
    wanted, line = columns(task), 1 if file.suffix == ".csv" else None
    allowed = ["id", *(["frame"] if task.level == "video" else []), *wanted]
    problems = [f"has no column {name}" for name in ("id", *wanted) if name not in names]
    unknown = [name for name in names if name not in allowed]
    problems += [f"has an unknown column {name!r}{nearest(name, allowed)}" for name in unknown]
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        some = "" if len(wanted) < 4 else ", ..."
        fix = f"{task.name} is {task.kind}: its columns are {', '.join(allowed[:4])}{some}"
        raise DataError(file, f"{'; '.join(problems[:_SHOWN])}{more}", fix, line)


def _texts(file: Path, column: pa.Array, lines: list[int]) -> list[str]:
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        fix = "Write ids as text: 000003 is not 3"
        raise DataError(file, f"its column id holds {column.type}, not text", fix)
    ids = column.to_pylist()
    for row, id in enumerate(ids):
        if not id:
            line = lines[row] if file.suffix == ".csv" else None
            raise DataError(file, "the id is empty", "Name the sample, or drop the row", line)
    return ids


def _frames(file: Path, table: pa.Table, lines: list[int]) -> list[int]:
    made = []
    for row, value in enumerate(table["frame"].to_pylist()):
        try:
            made.append(int(value))
            if made[-1] != float(value):
                raise ValueError
        except (TypeError, ValueError):
            line = lines[row] if file.suffix == ".csv" else None
            fix = "Write the number of the frame in its video, from 0"
            raise DataError(file, f"the frame {value!r} is no whole number", fix, line) from None
    return made


def _numbers(found: Scores, column: pa.ChunkedArray, name: str) -> np.ndarray:
    """Return a column of scores (N,), each a number from 0 to 1."""
    raw = column.to_pylist()
    try:
        values = np.array(raw, dtype=float)
    except (TypeError, ValueError):
        values = np.array([_number(each) for each in raw])
    wrong = np.flatnonzero(~((values >= 0) & (values <= 1)))  # what is no number is none of these
    if len(wrong):
        row = int(wrong[0])
        more = f", as {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        problem = f"{name} of {found.named(row)} is {raw[row]!r}, no number from 0 to 1{more}"
        fix = "Write probabilities: logits through a sigmoid or softmax"
        raise DataError(found.file, problem, fix, found.line(row))
    return values


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _once(found: Scores) -> None:
    seen: dict[tuple, int] = {}
    for row, key in enumerate(keys(found)):
        if key in seen:
            where = "line" if found.file.suffix == ".csv" else "row"
            problem = f"{found.named(row)} stands in {where} {found.lines[seen[key]]} too"
            fix = "Keep one row of each sample"
            if found.frames is None:
                fix += "; the mean of a video's frames, or number them in a column frame"
            raise DataError(found.file, problem, fix, found.line(row))
        seen[key] = row


def keys(found: Scores) -> list[tuple]:
    """Return what tells the rows apart: the id, and the frame where there is one."""
    return list(zip(found.ids, found.frames or [0] * len(found.ids), strict=True))


def _sums(found: Scores) -> None:
    total = found.values.sum(axis=1)
    wrong = np.flatnonzero(np.abs(total - 1) > _SUM)
    if len(wrong):
        row = int(wrong[0])
        problem = f"the classes of {found.named(row)} add up to {total[row]:.4g}"
        fix = "Write a probability of each class; those of a sample add up to 1"
        raise DataError(found.file, problem, fix, found.line(row))
