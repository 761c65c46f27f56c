"""What the decoder makes of removed patches: pictures, and its error beside a constant's."""

from typing import Any

from lssat.report.kit import pictures
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Section
from lssat.report.sections import decoder
from lssat.tables import face_privacy


def content(page: Page) -> list[dict[str, Any]]:
    """Return what the section shows of each task with a decoder."""
    parts = (_task(task, page.place(task)) for task in page.tasks)
    return [part for part in parts if part["strips"] or part["absent"]]


def _task(task: Task, place: str) -> dict[str, Any]:
    runs = [row["runs"][0] for row in task.trained if row["runs"]]
    files = [(task.files.runs[run], task.records[run]) for run in runs]
    strips, note = pictures.reconstructions(files) if place == "report" else ([], "")
    errors = decoder.rows(task)
    return {
        "title": task.title,
        "strips": strips,
        "note": note,
        "absent": face_privacy.absent(place),
        "decoder": decoder.sentence(errors),
        "table": decoder.table(task, errors),
    }


SECTION = Section("reconstruction", "Reconstructions", content=content)
