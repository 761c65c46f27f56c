"""`lssat rejects`: the samples that steps left out, by reason, and the first ones of each."""

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lssat.tables import REJECTS, DataError, read_table
from lssat.tables.project import Project


def show(files: list[Path], rows: int, reason: str | None, console: Console | None = None) -> None:
    """Print counts by data set, step and reason, then the first samples of each.

    Args:
        files: tables of rejects; see `tables_of`.
        rows: samples of each reason; 0 for all.
        reason: this one alone.

    Raises:
        DataError: a table is damaged.
    """
    console = console or Console(markup=False, emoji=False)
    all_rows = [row for file in files for row in read_table(file, REJECTS).to_pylist()]
    rejects = [row for row in all_rows if reason in (None, row["reason"])]
    if not rejects:
        what = f"as {reason} " if reason else ""
        console.print(f"nothing was rejected {what}in {len(files):,} tables")
        return
    console.print(_counts(rejects))
    groups: dict[tuple[str, ...], list[dict]] = {}
    for row in rejects:
        groups.setdefault(_group(row), []).append(row)
    for group, rejected in groups.items():
        shown = rejected[: rows or None]
        console.print(f"\n{' '.join(group)}")
        for row in shown:
            detail = f": {row['detail']}" if row["detail"] else ""
            console.print(f"  {row['path']}{detail}", soft_wrap=True, highlight=False)
        if len(shown) < len(rejected):
            console.print(f"  and {len(rejected) - len(shown):,} more (--rows 0 shows all)")


def tables_of(task: str | None, project: Project) -> list[Path]:
    """Return the tables of rejects of a project: of one data set, or of all.

    Raises:
        DataError: there is none.
    """
    stopped = {file.name.split(".")[0]: file for file in project.find(project.kept_rejects("*"))}
    finished = {file.parent.name: file for file in project.find(project.data("*").rejects)}
    names = sorted({*stopped, *finished})
    chosen = [name for name in names if task in (None, name)]
    if not chosen:
        there = f"there are those of {', '.join(names)}" if names else "no step has written one"
        what = f" of {task}" if task else ""
        fix = "Run snakemake first, in the folder of the project"
        raise DataError(project.prepared, f"holds no table of rejects{what}; {there}", fix)
    files = []
    for name in chosen:
        files.append((finished | stopped)[name])
        files += project.find(project.data(name).faces.shard("*").rejects)
    return files


def _group(row: dict) -> tuple[str, ...]:
    return row["dataset"], row["step"], row["reason"]


def _counts(rows: list[dict]) -> Table:
    entries = Counter(map(_group, rows))
    samples = Counter(group for group, _ in {(_group(row), row["id"]) for row in rows})
    table = Table("data set", "step", "reason")
    for name in ("samples", "rows"):
        table.add_column(name, justify="right")
    for group, n in sorted(entries.items(), key=lambda item: (item[0][:2], -item[1])):
        table.add_row(*group, f"{samples[group]:,}", f"{n:,}")
    return table
