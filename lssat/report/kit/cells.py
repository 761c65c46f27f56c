"""The tables of the page, as columns and cells that one template macro writes."""

import re
from dataclasses import dataclass, field
from typing import Any

from lssat.report.kit import words


@dataclass(frozen=True)
class Column:
    """A column's heading; `kind` is text, key, num, id, pre or mark.

    The first columns of a table may be keys: together they name a row, and all stay in view.
    """

    label: str
    kind: str = "text"
    hint: str = ""


# What names a row of the results.
ROW = (
    Column("Backbone", "key"),
    Column("Configuration", "key", "masked branch / reconstructed / classified"),
)


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


def num(value: Any, digits: int = 3, small: str = "") -> Cell:
    """Make a cell of a number."""
    return Cell(words.number(value, digits), value, small)
