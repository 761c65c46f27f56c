"""The smallest difference that a test set and seeds could have shown, by metric and question."""

from lssat.report.kit import words
from lssat.report.kit.cells import Column, Table, least, num
from lssat.report.kit.results import Task
from lssat.tables import Metrics
from lssat.tables.metric_tables import Power


def sentence(metrics: Metrics) -> str:
    """Say what two rows would have had to differ by, by the headline metric; nothing if unknown."""
    rows = [row for row in metrics["power"] if words.is_headline(row, metrics)]
    known = [row for row in rows if row["least"] is not None]
    if not known:
        return ""
    seeds = words.count(min(row["seeds"] for row in known), "seed")
    return (
        f"What could have been shown: with {seeds} and this test set, a test shows in 80 % of "
        f"repetitions a difference {words.listing([_least(row) for row in known])}."
    )


def _least(row: Power) -> str:
    corrected = f"{words.possible(row['least_holm'])} with the correction for {row['tests']} pairs"
    family = f" ({corrected})" if row["tests"] > 1 else ""
    return (
        f"of {words.possible(row['least'])} between the median pair of {row['compared']}s{family}"
    )


def table(task: Task) -> Table:
    """Make the table: a row per level, metric and question, the headline's first."""
    rows = sorted(task.metrics["power"], key=lambda row: not words.is_headline(row, task.metrics))
    columns = [
        Column("Metric", "key", value=words.measure),
        Column("Two rows that differ in", "key", value="compared"),
        Column("Least at 0.05", "num", "would be shown in 80 % of repetitions, alone",
               lambda row: least(row["least"])),
        Column("Least after Holm", "num", "the same, as the first of all pairs that ask this",
               lambda row: least(row["least_holm"])),
        Column("Standard error", "num", "of the median pair", "error"),
        Column("Pairs", "num", value="tests"),
        Column("Seeds", "num", "of the row that has fewest", "seeds"),
        Column("n", "num", "samples; below, groups",
               lambda row: num(row["n"], small=words.count(row["groups"], "group"))),
    ]  # fmt: skip
    notes = words.about((words.measure(row), row["note"]) for row in rows)
    caption = f"{task.title}: the smallest differences that would be shown"
    return Table.of(f"power-{task.name}", caption, columns, rows, notes=notes)
