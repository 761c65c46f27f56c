"""The results of each task: the headline, any metric, all metrics, subsets."""

from typing import Any

from lssat.report.kit import words
from lssat.report.kit.results import Task
from lssat.report.kit.section import Section, by_task
from lssat.report.sections import headline, matrix, subsets


def _task(task: Task) -> dict[str, Any]:
    return {
        "title": task.title,
        "lead": _lead(task),
        "confidence": words.confidence(task.metrics),
        "headline": headline.headline(task),
        "matrix": matrix.chooser(task),
        "matrix_lead": matrix.LEAD,
        "measures": headline.measures(task),
        "subsets": subsets.chooser(task),
        "subset_lead": subsets.lead(task),
    }


def _lead(task: Task) -> str:
    metrics, seeds = task.metrics, len(task.seeds)
    trainings = f" and other trainings ({seeds} seeds)" if seeds > 1 else ", not of other trainings"
    return words.capital(
        f"{words.measure(metrics)} on the {metrics['split']} split; "
        f"{words.confidence(metrics)} of other test sets (this one: "
        f"{words.count(metrics['groups'], 'group')}){trainings}; "
        f"coverage {words.coverage(metrics)}."
    )


SECTION = Section("results", "Results", content=by_task(_task))
