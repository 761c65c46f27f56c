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
    metrics, counts = task.metrics, [len(row["seeds"]) for row in task.trained]
    trainings = ", not of other trainings"
    if max(counts, default=0) > 1:
        of = "" if min(counts) > 1 else ", of rows with several seeds,"
        trainings = f" and{of} other trainings ({words.seeds(task.trained)})"
    return words.capital(
        f"{words.measure(metrics)} on the {metrics['split']} split; "
        f"{words.confidence(metrics)} of other test sets (this one: "
        f"{words.count(metrics['groups'], 'group')}){trainings}; "
        f"coverage {words.coverage(metrics)}."
    )


SECTION = Section("results", "Results", content=by_task(_task))
