"""Sensitivity to the margin of crops and the number of frames, for tasks where it was asked for."""

from lssat.report.kit import columns, words
from lssat.report.kit.cells import ROW, Cell, Column, Table, flag_of, measured, num
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Part, Section
from lssat.tables.analysis_tables import SensitivityRow

ASK = "snakemake --cores 8 sensitivity"
LEAD = (
    "The trained runs on the same test videos, cropped with another margin or scored on another "
    "number of frames. Each difference is paired with the default on the samples that both have."
)


def content(page: Page) -> list[Part]:
    """Return a part for each task with results, and name those whose results are of other runs."""
    fresh = [task for task in page.tasks if task.sensitivity and not _outdated(task)]
    names = [task.name for task in page.tasks if task.sensitivity and _outdated(task)]
    old = f"What there is of {words.listing(names)} belongs to other runs: {ASK} renews it."
    return [*([Part("Of other runs", [old])] if names else []), *map(_part, fresh)]


def _outdated(task: Task) -> bool:
    weights = {run: record.get("weights_sha256") for run, record in task.records.items()}
    return bool(task.sensitivity and task.sensitivity["weights"] != weights)


def _part(task: Task) -> Part:
    assert task.sensitivity is not None
    rows = task.sensitivity["rows"]
    confidence = words.capital(words.confidence(task.sensitivity))
    lead = f"{confidence}s cover {words.covers(rows)}."
    return Part(task.title, tables=[_table(task, rows)], lead=lead)


def _table(task: Task, rows: list[SensitivityRow]) -> Table:
    shown = [
        *ROW,
        Column("Varied", "key", value="varied"),
        Column("Value", "num", value=_value),
        Column(words.measure(task.metrics), "num", "mean over seeds", measured),
        Column("Difference", "num", "from the default, paired", _difference),
        columns.SEEDS,
        Column("n", "num", value="n"),
        Column("Of", "num", "samples that the default has", "of"),
        flag_of(task),
    ]
    notes = [
        f"{words.name(row)}, {row['varied']} {row['value']:g}: {row['note']}"
        for row in rows
        if row["note"]
    ]
    caption = f"sensitivity of {task.title}"
    return Table.of(f"sensitivity-{task.name}", caption, shown, rows, notes=notes)


def _value(row: SensitivityRow) -> Cell:
    default = "default" if row["value"] == row["default"] else ""
    return Cell(f"{row['value']:g}", row["value"], default)


def _difference(row: SensitivityRow) -> Cell:
    if row["value"] == row["default"]:
        return Cell(words.DASH)
    ends = {"low": row["difference_low"], "high": row["difference_high"]}
    return num(row["difference"], small=words.interval(ends))


SECTION = Section("sensitivity", "Sensitivity", content=content, lead=LEAD, ask=ASK)
