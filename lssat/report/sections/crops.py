"""A few stored crops of each data set, above their texture."""

from typing import Any

from lssat.report.kit import pictures
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Section
from lssat.tables import face_privacy


def content(page: Page) -> list[dict[str, Any]]:
    """Return what the section shows of each data set."""
    return [_data_set(task, page.place(task)) for task in page.of_data_sets]


def _data_set(task: Task, place: str) -> dict[str, Any]:
    if place != "report":
        return {"title": task.title, "lead": face_privacy.absent(place), "pictures": []}
    shown, kind = pictures.crops(task.files.faces, task.files.texture)
    lead = f"Stored crops, each above its texture: {kind}."
    if not kind:
        lead = (
            "Stored crops. No configuration uses a texture, so there is no texture image to show."
        )
    lead = lead if shown else "No crops are stored for this data set."
    return {"title": task.title, "lead": lead, "pictures": shown}


SECTION = Section("crops", "Crops and texture", content=content)
