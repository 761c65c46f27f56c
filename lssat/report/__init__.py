"""The report: one HTML page that needs no network, and the same numbers as CSV and JSON."""

from pathlib import Path
from typing import Any

from lssat.report import csvs
from lssat.report.read import TaskFiles, read_rejects, read_task
from lssat.scores import flat
from lssat.tables import atomic, write_json

__all__ = ["OUTPUTS", "TaskFiles", "write"]

OUTPUTS = ("report.html", "table.csv", "runs.csv", "rejects.csv", "metrics.json")


def write(params_json: dict[str, Any], tasks: dict[str, TaskFiles], files: dict[str, Path]) -> None:
    """Write the report of all tasks.

    The same inputs give the same bytes: nothing of the clock or of this machine enters.

    Args:
        params_json: plain values; `report` (title, note) is all that is read. What was run comes
            from the runs' own records.
        tasks: where the results of each task lie, in the order of the page.
        files: where to write, one path for each name in `OUTPUTS`.

    Raises:
        DataError: an input is missing, damaged, or does not fit the others.
    """
    from lssat.report import page  # Jinja2 and Pillow, only needed here

    read = [read_task(name, each) for name, each in tasks.items()]
    rejects = read_rejects(read)
    csvs.write_table(files["table.csv"], read)
    csvs.write_runs(files["runs.csv"], read)
    csvs.write_rejects(files["rejects.csv"], rejects)
    write_json(
        files["metrics.json"],
        {k: v for task in read for k, v in flat(task.metrics).items()},
    )
    options = params_json["report"]
    outputs = ", ".join(name for name in OUTPUTS if name != "report.html")
    text = page.render(options["title"], options["note"], read, rejects, outputs)
    with atomic(files["report.html"], "w") as file:
        file.write(text)
