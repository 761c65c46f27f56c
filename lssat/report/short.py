"""What DVC shows: a few numbers that fit a terminal, and one picture that needs no script."""

import math

from lssat.report.kit import linechart, words
from lssat.report.kit.results import Task


def headline(tasks: list[Task]) -> dict[str, dict[str, float | None]]:
    """Return each task's headline, its `best` row's, and under `all` the `mean` over every row.

    The best rows alone would hide from `dvc metrics diff` what happens to the others. The mean is
    over the tasks' metrics as they are: it tells that something moved, not how good it is. A mean
    of each task would be too wide for `dvc exp show`. Null where nothing is defined.
    """
    numbers: dict[str, dict[str, float | None]] = {}
    for task in tasks:
        best = words.best(task.headline)
        numbers[task.name] = {"best": best["mean"] if best else None}
    means = [row["mean"] for task in tasks for row in task.headline if row["mean"] is not None]
    numbers.setdefault("all", {})["mean"] = math.fsum(means) / len(means) if means else None
    return numbers


def curves(tasks: list[Task]) -> str:
    """Draw the headline on validation by epoch as SVG: a plot a task, a line a run."""
    return linechart.svg([_panel(task) for task in tasks], across=2)


def _panel(task: Task) -> linechart.Panel:
    metric = task.metrics["metric"]
    lines = {
        f"{row['backbone']} {row['configuration']}#{run['seed']}": curve[f"val_{metric}"]
        for row in task.headline
        for run in task.runs_of(row["backbone"], row["configuration"])
        if f"val_{metric}" in (curve := task.curves.get(run["run"], {}))  # of others there is none
    }
    return linechart.Panel(f"{task.name}: {words.metric(metric)} on validation", lines)
