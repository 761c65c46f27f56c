"""The report: one HTML page that needs no network; the same as CSV, JSON, LaTeX and PDF."""

from pathlib import Path
from typing import Any

from lssat.evaluation.scores import flat
from lssat.report import csvs, latex, short
from lssat.report.kit.results import (
    Cross,
    CrossFiles,
    Task,
    TaskFiles,
    read_cross,
    read_rejects,
    read_task,
)
from lssat.report.sections import ranks
from lssat.tables import atomic, together, write_json, write_text

__all__ = ["CrossFiles", "TaskFiles", "write"]


@together()
def write(
    params_json: dict[str, Any],
    tasks: dict[str, TaskFiles],
    files: dict[str, Path],
    cross: dict[str, CrossFiles] | None = None,
) -> None:
    """Write the report of all tasks.

    The same inputs give the same bytes: nothing of the clock or of this machine enters.

    Args:
        params_json: plain values. `report` may give title and note, the whole is shown as it is;
            what was run comes from the runs' own records.
        tasks: where the results of each task lie, in the order of the page.
        files: where to write, one path for each name in `project.REPORT`
            (the page, CSV tables, LaTeX tables, PDF figures, metrics.json,
            ranks.json, and for DVC headline.json and curves.svg).
        cross: where the results on data sets lie that runs were only tested on.

    Raises:
        DataError: an input is missing, damaged, or does not fit the others.
    """
    from lssat.report import page, pdf  # Jinja2, Pillow, matplotlib: only needed here

    read = [read_task(name, task_files) for name, task_files in tasks.items()]
    across = [read_cross(name, its_files, read) for name, its_files in (cross or {}).items()]
    data_sets: list[Task | Cross] = [*read, *across]
    rejects = read_rejects(data_sets)
    for name in csvs.TABLES:
        csvs.write(name, files[name], data_sets)
    csvs.write_rejects(files["rejects"], rejects)
    write_json(
        files["metrics"],
        {k: v for task in data_sets for k, v in flat(task.metrics).items()},
        sealed=False,  # for other programs: no step reads it
    )
    families = ranks.families(read)
    write_json(files["ranks"], families, sealed=False)
    write_json(files["headline"], short.headline(read), sealed=False)
    write_text(files["picture"], short.curves(read))
    write_text(files["latex"], latex.tables(read))
    with atomic(files["figures"]) as file:
        pdf.write(file, read, families)
    others = ", ".join(files[name].name for name in files if name != "report")
    text = page.render(params_json, read, across, families, rejects, others)
    write_text(files["report"], text)
