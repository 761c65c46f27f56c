"""What stands behind the numbers: data, rejects, files with their hashes, recipe, environment."""

from collections import Counter
from pathlib import Path
from typing import Any

from lssat.report import words
from lssat.report.cells import Cell, Column, Table, command, num, revision
from lssat.report.read import Task
from lssat.tables import sha256

SPLITS = ("train", "val", "test")
SHOWN = 500  # rejected samples written into the page; rejects.csv has all


def data(task: Task) -> dict[str, Any]:
    """Describe the splits of a task's data set: what was counted, per split."""
    rows = [row for name, value in task.splits.items() for row in _by_split(name, value)]
    columns = [Column("Count"), *[Column(split, "num") for split in SPLITS]]
    table = Table(f"data-{task.name}", f"splits of {task.metrics['dataset']}", columns, rows)
    coverage = words.percent(task.metrics["coverage"])
    n = words.listing([words.count(n, name) for name, n in task.metrics["n"].items()])
    lead = (
        f"The test split that was scored: {n} in {words.count(task.metrics['groups'], 'group')}; "
        f"coverage {coverage} of the samples that the release puts there."
    )
    return {"dataset": task.title, "lead": lead, "table": table if rows else None}


def _by_split(name: str, value: Any) -> list[list[Cell]]:
    """Make rows of whatever the summary counts per split, nested counts (classes) included."""
    if not isinstance(value, dict) or not set(value) <= set(SPLITS) or not value:
        return []
    label = name.replace("_", " ")
    if not any(isinstance(part, dict) for part in value.values()):
        return [[Cell(label), *[_count(name, value.get(split)) for split in SPLITS]]]
    inner = dict.fromkeys(key for part in value.values() for key in part)
    return [
        [
            Cell(f"{label}: {key}"),
            *[_count(name, value.get(s, {}).get(key)) for s in SPLITS],
        ]
        for key in inner
    ]


def _count(name: str, value: Any) -> Cell:
    if isinstance(value, float) and "coverage" in name:
        return Cell(words.percent(value), value)
    if value is None or isinstance(value, int | float):
        return num(value)
    return Cell(str(value))


def rejects(rows: list[dict]) -> dict[str, Any]:
    """Describe what was left out: counts by data set, step and reason, then the samples."""
    if not rows:
        return {
            "lead": "No sample was rejected at any step.",
            "summary": None,
            "rows": None,
        }
    counts = Counter((row["dataset"], row["step"], row["reason"]) for row in rows)
    columns = [
        Column("Data set"),
        Column("Step"),
        Column("Reason"),
        Column("Samples", "num"),
    ]
    summed = [[*map(Cell, key), num(n)] for key, n in sorted(counts.items())]
    names = ["dataset", "step", "reason", "id", "path", "detail"]
    labels = [Column(n.capitalize(), "pre" if n in names[3:] else "text") for n in names]
    listed = [[Cell(str(row[name])) for name in names] for row in rows[:SHOWN]]
    more = len(rows) - len(listed)
    left = f"The first {SHOWN} are listed; {more:,} more are in rejects.csv." if more else ""
    return {
        "lead": f"{words.count(len(rows), 'sample')} left out, each with its step and reason.",
        "summary": Table("rejects-summary", "rejects by reason", columns, summed),
        "rows_lead": left or "All of them, as in rejects.csv.",
        "rows": Table("rejects-rows", "rejected samples", labels, listed),
    }


def files(tasks: list[Task]) -> Table:
    """List the files that the numbers come from, with the command and the hash of each."""
    columns = [
        Column("Numbers"),
        Column("File", "id"),
        Column("Command that makes it", "id"),
        Column("sha256", "id"),
    ]
    rows = [
        _file(f"{task.title}: {what}", path)
        for task in tasks
        for what, path in (
            ("tables, intervals, ROC", task.files.metrics),
            ("predictions", task.files.predictions),
            ("split counts", task.files.splits),
        )
    ]
    return Table("files", "files behind the numbers", columns, rows)


def _file(what: str, path: Path) -> list[Cell]:
    return [Cell(what), Cell(str(path)), Cell(command(path)), Cell(sha256(path)[:16])]


def recipe(tasks: list[Task]) -> dict[str, Any]:
    """Describe recipe and environment, from the runs' own records: what all share, what differs."""
    records = [record for task in tasks for record in task.records.values()]
    groups = []
    for section in dict.fromkeys(name for record in records for name in record["params"]):
        values = [record["params"].get(section, {}) for record in records]
        groups.append(_pairs(section, f"params.yaml: {section}", values))
    groups.append(_pairs("environment", "environment", [_machine(record) for record in records]))
    mixed = any(row[1].small for group in groups for row in group.rows)
    lead = "As each run recorded it. "
    lead += (
        "Where runs differ, each value stands with its number of runs."
        if mixed
        else ("All runs agree." if len(records) > 1 else "")
    )
    return {"lead": lead, "groups": groups}


def _machine(record: dict) -> dict[str, Any]:
    inputs = {"device": record.get("device"), "git": revision(record["git"])}
    return {**record["environment"], **inputs}


def _pairs(id: str, caption: str, values: list[dict]) -> Table:
    rows = []
    for key in dict.fromkeys(key for each in values for key in each):
        counts = Counter(str(each.get(key, "absent")) for each in values)
        small = words.listing([words.count(n, "run") for n in counts.values()])
        shown = words.listing(list(counts))
        rows.append([Cell(key), Cell(shown, small=small if len(counts) > 1 else "")])
    return Table(f"recipe-{id}", caption, [Column(caption), Column("Value", "id")], rows)
