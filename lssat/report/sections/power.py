"""The smallest difference that a test set and seeds could have shown, by metric and question."""

from collections.abc import Mapping
from typing import Any

from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Column, Table, num
from lssat.report.kit.results import Task
from lssat.tables import Metrics


def sentence(metrics: Metrics) -> str:
    """Say what two rows would have had to differ by, by the headline metric; nothing if unknown."""
    rows = [row for row in metrics.get("power", []) if _is_headline(row, metrics)]
    known = [row for row in rows if row["least"] is not None]
    if not known:
        return ""
    asked = [
        f"of {words.number(row['least'])} between {row['compared']}s{_family(row)}" for row in known
    ]
    seeds = words.count(min(row["seeds"] for row in known), "seed")
    return (
        f"What could have been shown: with {seeds} and this test set, a test shows in 80 % of "
        f"repetitions a difference {words.listing(asked)}. This is of the median pair."
    )


def _family(row: Mapping[str, Any]) -> str:
    if row["tests"] == 1:
        return ""
    return f" ({words.number(row['least_holm'])} with the correction for {row['tests']} pairs)"


def _is_headline(row: Mapping[str, Any], metrics: Metrics) -> bool:
    return bool((row["level"], row["metric"]) == (metrics["level"], metrics["metric"]))


def table(task: Task) -> Table:
    """Make the table: a row per level, metric and question, the headline's first."""
    rows = sorted(
        task.metrics.get("power", []), key=lambda row: not _is_headline(row, task.metrics)
    )
    columns = [
        Column("Metric", "key"),
        Column("Two rows that differ in", "key"),
        Column("Least at 0.05", "num", "would have been shown in 80 % of repetitions, alone"),
        Column("Least after Holm", "num", "the same, as the first of all pairs that ask this"),
        Column("Standard error", "num", "of the median pair"),
        Column("Pairs", "num"),
        Column("Seeds", "num", "of the row that has fewest"),
        Column("n", "num", "samples; below, groups"),
    ]
    cells = [
        [
            Cell(f"{row['level']} {words.metric(row['metric'])}"),
            Cell(row["compared"]),
            *[num(row[name]) for name in ("least", "least_holm", "error", "tests", "seeds")],
            num(row["n"], small=words.count(row["groups"], "group")),
        ]
        for row in rows
    ]
    about: dict[str, list[str]] = {}
    for row in rows:
        if row["note"]:
            name = f"{row['level']} {words.metric(row['metric'])}"
            about.setdefault(row["note"], []).append(name)
    notes = [f"{words.listing(list(dict.fromkeys(n)))}: {note}" for note, n in about.items()]
    caption = f"{task.title}: the smallest differences that would have been shown"
    return Table(f"power-{task.name}", caption, columns, cells, notes=notes)
