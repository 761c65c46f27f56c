"""Columns that tables of results share."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Column, anchor, flagged, measured, num, shown
from lssat.report.kit.results import Task

BASELINE = Column("Baseline", "num", "the best score without looking at the input", "baseline")
COLLAPSED = Column("Flag", value=lambda row: flagged(row["collapsed"]))
SEEDS = Column("Seeds", "num", value=lambda row: len(row["seeds"]))
RUNS = Column(
    "Seeds", "num", "each links to its run",
    lambda row: Cell(str(len(row["seeds"])), len(row["seeds"]), link="#" + anchor(row["runs"][0])),
)  # fmt: skip


def score(task: Task) -> Column:
    """Return the column of the headline metric, each mean with its interval."""
    return Column(words.measure(task.metrics), "num", "mean over seeds and its interval", measured)


def score_in(rows: Iterable[Mapping[str, Any]], label: str, hint: str = "") -> Column:
    """Return the column of what each backbone and configuration scores in other rows."""
    scores = {words.pair(row): row for row in rows}
    return Column(label, "num", hint, lambda row: measured(scores.get(words.pair(row))))


def n(task: Task) -> Column:
    """Return the column of the number of samples."""
    return Column("n", "num", f"{task.metrics['level']}s", "n")


def beats(row: Mapping[str, Any]) -> Cell:
    """Make the cell that says whether a row is shown to beat the trivial baseline."""
    return Cell(words.DASH) if row["mean"] is None else shown(row["beats_baseline"])


def of_test(of: str, holm: str = "", key: str = "") -> list[Column]:
    """Return the columns of a test: the difference, its p-value, and whether it is shown.

    Args:
        of: what the difference is of.
        holm: over what the correction runs.
        key: under which a row has its test, None where there was none; default: in itself.
    """

    def where_tested(cell: Callable[[Any], Cell]) -> Callable[[Any], Cell]:
        def read(row: Any) -> Cell:
            test = row[key] if key else row
            return cell(test) if test else Cell(words.DASH)

        return read

    return [
        Column("Difference", "num", f"{of}, with its interval", where_tested(_difference)),
        Column("p", "num", f"Holm’s correction{holm}", where_tested(p_value)),
        Column("Differs", hint="the corrected p-value is below 0.05", value=where_tested(_differs)),
    ]


def _difference(test: Mapping[str, Any]) -> Cell:
    return num(test["difference"], small=words.interval(test))


def p_value(test: Mapping[str, Any]) -> Cell:
    """Make the cell of a corrected p-value."""
    return Cell(words.p(test["p_holm"]), test["p_holm"])


def _differs(test: Mapping[str, Any]) -> Cell:
    return shown(words.differs(test))
