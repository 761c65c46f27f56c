"""Sensitivity to the margin of crops and the number of frames, for tasks where it was asked for."""

from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table, flagged, num
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Part, Section
from lssat.tables.analysis_tables import Sensitivity, SensitivityRow

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
    alone = all(len(row["seeds"]) == 1 for row in task.sensitivity["rows"])
    covers = "other test samples of these trained models" if alone else "other samples and seeds"
    confidence = words.confidence(task.sensitivity)
    lead = f"{confidence[0].upper()}{confidence[1:]}s cover {covers}."
    return Part(task.title, tables=[_table(task, task.sensitivity)], lead=lead)


def _table(task: Task, sensitivity: Sensitivity) -> Table:
    columns = [
        *ROW,
        Column("Varied", "key"),
        Column("Value", "num"),
        Column(words.where(task.metrics), "num", "mean over seeds"),
        Column("Difference", "num", "from the default, paired"),
        Column("Seeds", "num"),
        Column("n", "num"),
        Column("Of", "num", "samples that the default has"),
        Column("Flag"),
    ]
    rows = [_row(task, row) for row in sensitivity["rows"]]
    notes = [
        f"{row['backbone']}, {row['configuration']}, {row['varied']} {row['value']:g}: "
        f"{row['note']}"
        for row in sensitivity["rows"]
        if row["note"]
    ]
    caption = f"sensitivity of {task.title}"
    return Table(f"sensitivity-{task.name}", caption, columns, rows, notes=notes)


def _row(task: Task, row: SensitivityRow) -> list[Cell]:
    gap = {"low": row["difference_low"], "high": row["difference_high"]}
    default = row["value"] == row["default"]
    return [
        Cell(row["backbone"]),
        Cell(row["configuration"]),
        Cell(row["varied"]),
        Cell(f"{row['value']:g}", row["value"], "default" if default else ""),
        num(row["mean"], small=words.interval(row)),
        Cell(words.DASH) if default else num(row["difference"], small=words.interval(gap)),
        num(len(row["seeds"])),
        num(row["n"]),
        num(row["of"]),
        flagged(words.pair(row) in task.collapsed),
    ]


SECTION = Section("sensitivity", "Sensitivity", content=content, lead=LEAD, ask=ASK)
