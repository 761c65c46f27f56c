"""Reading a table of ids and scores, CSV or Parquet, that another program wrote.

Columns: `id`; `frame`, where a video's frames have scores of their own; then `score`, the
probability of a binary task's positive class, or a column for each class or attribute, by name.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lssat.data.datasets import lists
from lssat.grid.tasks import Task
from lssat.params.base import nearest
from lssat.tables import DataError, spelling

_SUM = 0.01  # what the probabilities of a sample's classes may miss 1 by: they are rounded in a CSV
_SHOWN = 5

Key = tuple[str, int]  # id and frame of a row; frame 0 where it is of a whole video


class Scores(NamedTuple):
    """The table as it was read."""

    file: Path
    ids: list[str]
    frames: list[int] | None  # None: a row is a video, or an image
    values: np.ndarray  # (N, K) float64, probabilities: of the positive class, or one each
    lines: list[int]  # of a CSV the line of each row from 1, else its number from 1

    def named(self, row: int) -> str:
        """Return what a message calls a row."""
        frame = f" frame {self.frames[row]}" if self.frames else ""
        where = "" if self.file.suffix == ".csv" else f" (row {self.lines[row]:,})"
        return f"{self.ids[row]}{frame}{where}"

    def refusal(self, row: int, problem: str, fix: str) -> DataError:
        """Return the error of a row, with its line; rows of Parquet have none."""
        line = self.lines[row] if self.file.suffix == ".csv" else None
        return DataError(self.file, problem, fix, line)

    def keys(self) -> list[Key]:
        """Return what tells the rows apart: the id, and the frame where there is one."""
        return list(zip(self.ids, self.frames or [0] * len(self.ids), strict=True))


def read(file: Path, task: Task) -> Scores:
    """Read the scores of a task.

    Raises:
        DataError: no such file, other columns than agreed, an id twice, or a score that is no
            number from 0 to 1; a CSV's message has the line.
    """
    table, lines = _table(file)
    _check_header(file, list(table), task)
    names = columns(task)
    scores = Scores(file, table["id"], None, np.empty((len(lines), len(names))), lines)
    for row, id in enumerate(scores.ids):
        if not id:  # of Parquet also null
            raise scores.refusal(row, "the id is empty", "Name the sample, or drop the row")
    if "frame" in table:
        scores = scores._replace(frames=_frames(scores, table["frame"]))
    for column, name in enumerate(names):
        scores.values[:, column] = _numbers(scores, table[name], name)
    _check_once(scores)
    if task.kind == "multiclass":
        _check_sums(scores)
    return scores


def columns(task: Task) -> list[str]:
    """Return the names of the columns of scores."""
    return ["score"] if task.kind == "binary" else list(task.classes)


def _table(file: Path) -> tuple[dict[str, list], list[int]]:
    """Return the columns by name, and the line of each row or its number."""
    if not file.is_file():
        near = spelling.nearest(file)
        meant = f"Is it {near}? Else: " if near else ""
        fix = f"{meant}Put the table there, or correct benchmark.external in params.yaml"
        raise DataError(file, "does not exist; it is a table of scores", fix)
    if file.suffix == ".csv":
        table, lines = _csv(file)
    elif file.suffix == ".parquet":
        table = _parquet(file)
        lines = list(range(1, 1 + max(map(len, table.values()), default=0)))
    else:
        raise DataError(file, "is no .csv and no .parquet", "Save the scores as one of them")
    if not lines:
        raise DataError(file, "holds no row but its header", "Write a row for each sample")
    return table, lines


def _csv(file: Path) -> tuple[dict[str, list], list[int]]:
    line, text, header = lists.header(file, own=True)
    for name in lists.delimiters(text) if len(header) == 1 else ():
        raise DataError(file, f"is separated by {name}, not by commas", "Save it anew", line)
    _differ(file, header, line)
    rows = list(lists.csv(file, header, own=True))
    table = {name: [row[place] for _, row in rows] for place, name in enumerate(header)}
    return table, [number for number, _ in rows]


def _parquet(file: Path) -> dict[str, list]:
    try:
        with pq.ParquetFile(file) as whole:  # pq.read_table would import pandas
            table = whole.read()
        table.validate(full=True)  # texts are UTF-8, too
    except (pa.ArrowException, OSError) as error:
        problem = f"is no Parquet file ({str(error).splitlines()[0]})"
        raise DataError(file, problem, "Write it again") from None
    _differ(file, table.column_names)
    kind = table["id"].type if "id" in table.column_names else pa.string()
    if not pa.types.is_string(kind) and not pa.types.is_large_string(kind):
        fix = "Write ids as text: 000003 is not 3"
        raise DataError(file, f"its column id holds {kind}, not text", fix)
    return table.to_pydict()


def _differ(file: Path, names: list[str], line: int | None = None) -> None:
    """Refuse a table with two columns of one name."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(file, f"names the column {twice[0]!r} twice", "Keep one", line)


def _check_header(file: Path, names: list[str], task: Task) -> None:
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


def _frames(scores: Scores, values: list) -> list[int]:
    frames = []
    for row, value in enumerate(values):
        number = _number(value)
        if not number.is_integer():
            fix = "Write the number of the frame in its video, from 0"
            raise scores.refusal(row, f"the frame {value!r} is no whole number", fix)
        frames.append(int(number))
    return frames


def _numbers(scores: Scores, values: list, name: str) -> np.ndarray:
    """Return a column of scores (N,), each a number from 0 to 1."""
    numbers = np.array([_number(value) for value in values])
    wrong = np.flatnonzero(~((numbers >= 0) & (numbers <= 1)))  # nan is none of these
    if len(wrong):
        row = int(wrong[0])
        more = f", as {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        problem = f"{name} of {scores.named(row)} is {values[row]!r}, no number from 0 to 1{more}"
        fix = "Write probabilities: logits through a sigmoid or softmax"
        raise scores.refusal(row, problem, fix)
    return numbers


def _number(value: Any) -> float:
    if isinstance(value, str):
        number = lists.number(value)
        return float("nan") if number is None else number
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _check_once(scores: Scores) -> None:
    seen: dict[Key, int] = {}
    for row, key in enumerate(scores.keys()):
        if (first := seen.setdefault(key, row)) != row:
            where = "line" if scores.file.suffix == ".csv" else "row"
            problem = f"{scores.named(row)} stands in {where} {scores.lines[first]} too"
            fix = "Keep one row of each sample"
            if scores.frames is None:
                fix += "; the mean of a video's frames, or number them in a column frame"
            raise scores.refusal(row, problem, fix)


def _check_sums(scores: Scores) -> None:
    total = scores.values.sum(axis=1)
    wrong = np.flatnonzero(np.abs(total - 1) > _SUM)
    if len(wrong):
        row = int(wrong[0])
        problem = f"the classes of {scores.named(row)} add up to {total[row]:.4g}"
        fix = "Write a probability of each class; those of a sample add up to 1"
        raise scores.refusal(row, problem, fix)
