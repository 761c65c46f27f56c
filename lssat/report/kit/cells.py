"""The tables of the page, as columns and cells that one template macro writes."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lssat.report.kit import words
from lssat.report.kit.results import Task


@dataclass(frozen=True)
class Bar:
    """An interval drawn on the table's common scale: positions from 0 to 100."""

    low: float
    mean: float
    high: float
    baseline: float | None


@dataclass(frozen=True)
class Cell:
    """A cell: what it shows, what it sorts by, and what else stands in it."""

    text: str
    sort: float | str | None = None
    small: str = ""  # a second line
    bar: Bar | None = None
    flag: str = ""  # good | bad: a word with a sign, never colour alone
    link: str = ""


Reads = str | int | Callable[[Any], Cell | str | float | None]  # a key or place, or a function


@dataclass(frozen=True)
class Column:
    """A column: its heading, and what it shows of a row; `kind` is text, key, num, id, pre or mark.

    The first columns of a table may be keys: together they name a row, and all stay in view.
    """

    label: str
    kind: str = "text"
    hint: str = ""
    value: Reads = ""

    def cell(self, row: Any) -> Cell:
        """Make the cell of a row."""
        value = row[self.value] if isinstance(self.value, str | int) else self.value(row)
        if isinstance(value, Cell):
            return value
        return Cell(value) if isinstance(value, str) else num(value)


# What names a row of the results.
ROW = (
    Column("Backbone", "key", value="backbone"),
    Column("Configuration", "key", "masked branch / reconstructed / classified", "configuration"),
)


@dataclass(frozen=True)
class Table:
    """A table with a caption, sortable by its headings and filtered by a text field."""

    id: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    best: int | None = None  # the row to set off
    best_on: str = "test"  # the split on which it is best
    foot: list[Cell] = field(default_factory=list)  # a last row that sorting leaves in place
    feet: list[list[Cell]] = field(default_factory=list)  # further last rows
    notes: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)  # of the rows, for links to them

    @classmethod
    def of(
        cls, id: str, caption: str, columns: list[Column], rows: Iterable[Any], **more: Any
    ) -> Self:
        """Make a table whose columns say what each shows of a row.

        Args:
            more: further fields of the table.
        """
        return cls(id, caption, columns, [[c.cell(row) for c in columns] for row in rows], **more)

    @property
    def keys(self) -> int:
        """How many columns name a row."""
        kinds = [column.kind for column in self.columns]
        return next((n for n, kind in enumerate(kinds) if kind != "key"), len(kinds)) or 1


@dataclass(frozen=True)
class Chooser:
    """Tables of which one is shown at a time, by a list of their labels; the first at the start."""

    id: str
    label: str  # what is chosen
    tables: list[tuple[str, Table]]


def anchor(run: str) -> str:
    """Return the id of a run's row, safe in a URL."""
    return "run-" + re.sub(r"[^A-Za-z0-9_-]", "-", run)


def flagged(collapsed: bool) -> Cell:
    """Make the cell that says whether a row collapsed."""
    return Cell("collapsed", "collapsed", flag="bad") if collapsed else Cell("", "")


def shown(yes: bool, flag: str = "good") -> Cell:
    """Make the cell that says whether a test shows something."""
    return Cell("yes", "yes", flag=flag) if yes else Cell("not shown", "no")


def flag_of(task: Task) -> Column:
    """Return the column that flags a row of the results which collapsed."""
    return Column("Flag", value=lambda row: flagged(words.pair(row) in task.collapsed))


def num(value: Any, digits: int = 3, small: str = "") -> Cell:
    """Make a cell of a number."""
    return Cell(words.number(value, digits), value, small)


def least(difference: float | None) -> Cell:
    """Make the cell of a difference that a test needs; a metric is in [0, 1]."""
    if difference is None or difference <= 1:
        return num(difference)
    return Cell("> 1", difference, small="not possible")


def share(value: float | None, small: str = "") -> Cell:
    """Make a cell of a share, as a percentage."""
    return Cell(words.percent(value), value, small)


def measured(row: Mapping[str, Any] | None) -> Cell:
    """Make the cell of a row's mean, its interval below."""
    return num(row["mean"], small=words.interval(row)) if row else Cell(words.DASH)


def interval(row: Mapping[str, Any]) -> Cell:
    """Make the cell of a row's interval, which sorts by its lower end."""
    return Cell(words.interval(row), row["low"])
