"""The report: one HTML page that needs no network, and the same numbers as CSV and JSON."""

from pathlib import Path
from typing import Any

from lssat.report import csvs
from lssat.report.read import TaskFiles, read_rejects, read_task
from lssat.scores import flat
from lssat.tables import atomic, write_json

__all__ = ["OUTPUTS", "TaskFiles", "write"]

OUTPUTS = ("report", "table", "runs", "curves", "rejects", "metrics")


def write(params_json: dict[str, Any], tasks: dict[str, TaskFiles], files: dict[str, Path]) -> None:
    """Write the report of all tasks.

    The same inputs give the same bytes: nothing of the clock or of this machine enters.

    Args:
        params_json: plain values. `report` gives title and note, the whole is shown as it is;
            what was run comes from the runs' own records.
        tasks: where the results of each task lie, in the order of the page.
        files: where to write, one path for each name in `OUTPUTS`
            (the page, four CSV tables, metrics.json).

    Raises:
        DataError: an input is missing, damaged, or does not fit the others.
    """
    from lssat.report import page  # Jinja2 and Pillow, only needed here

    read = [read_task(name, each) for name, each in tasks.items()]
    rejects = read_rejects(read)
    csvs.write_table(files["table"], read)
    csvs.write_runs(files["runs"], read)
    csvs.write_curves(files["curves"], read)
    csvs.write_rejects(files["rejects"], rejects)
    write_json(
        files["metrics"],
        {k: v for task in read for k, v in flat(task.metrics).items()},
    )
    others = ", ".join(files[name].name for name in OUTPUTS if name != "report")
    text = page.render(params_json, read, rejects, others)
    with atomic(files["report"], "w") as file:
        file.write(text)
