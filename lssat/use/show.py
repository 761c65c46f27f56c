"""The headline table for the terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lssat import grid, params
from lssat.grid import trained
from lssat.tables import DataError, Metrics, Row, read_json, read_metrics
from lssat.tables.project import Project, Results


def headline(metrics: Metrics) -> list[Row]:
    """Return the rows of a task's headline metric and level, the best first.

    Rows of variants are left to the report.
    """
    rows = [
        row
        for row in metrics["table"]
        if row["metric"] == metrics["metric"] and row["level"] == metrics["level"]
        if not row["swept"]
    ]
    return sorted(rows, key=_standing)


def _standing(row: Row) -> tuple:
    return trained.standing(row["metric"], row["mean"], row.get("val_loss"), _key(row))


def show(results: Path, everything: bool = False) -> None:
    """Print, for each task, every backbone and configuration with interval and baseline.

    Args:
        results: folder of results. What the params.yaml beside it asks for is shown; all of it
            where there is none.
        everything: show all of it in any case.

    Raises:
        DataError: there is no result, or none that is requested.
    """
    known = Results(results)
    there = {file.parent.name: file for file in known.find(known.task("*").metrics)}
    if not there:
        fix = "Run `snakemake --cores 8`, or name another folder with --results"
        raise DataError(results, "holds no result (no tasks/<task>/metrics.json)", fix)
    requested = None if everything else _requested(Project(results.parent).params)
    shown = [task for task in (there if requested is None else requested) if task in there]
    if not shown:
        problem = f"holds no result of {', '.join(requested or [])}, which params.yaml asks for"
        fix = (
            f"Run `snakemake --cores 8`; `{_all(results)}` shows what lies there of {_list(there)}"
        )
        raise DataError(results, problem, fix)
    console = Console(markup=False, emoji=False)
    left = [task for task in there if task not in shown]
    for task in shown:
        probed = known.task(task).format
        metrics = read_metrics(there[task], "table", "level", "metric")
        rows = headline(metrics)
        kept = [row for row in rows if requested is None or _key(row) in requested[task]]
        _print(console, metrics, kept)
        if probed.exists():
            console.print(_format(read_json(probed)), soft_wrap=True)
        if more := len(rows) - len(kept):
            left.append(f"{more} more row{'' if more == 1 else 's'} of {task}")
    if missing := [task for task in requested or () if task not in there]:
        console.print(f"no result yet: {_list(missing)}")
    if left:
        what = f"{results}/ also holds {_list(left)}, which params.yaml does not ask for"
        console.print(f"{what}: {_all(results)}", soft_wrap=True)
    if (page := known.report()["report"]).exists():
        console.print(f"report: {page.resolve()}", soft_wrap=True)
    else:
        console.print("report: not made yet; run `snakemake --cores 8`")
    console.print("runs:   `mlflow ui` in this folder, then http://127.0.0.1:5000")


def _all(results: Path) -> str:
    named = "" if results == Project().results.root else f" --results {results}"
    return f"lssat show --all{named}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _requested(file: Path) -> dict[str, set[tuple[str, str]]] | None:
    """Return the rows of each task in a params.yaml; None where there is no file."""
    if not file.exists():
        return None
    loaded = params.load(file)
    rows: dict[str, set[tuple[str, str]]] = {task: set() for task in loaded.benchmark.tasks}
    for run in loaded.runs():
        rows[run.task].add((run.backbone, str(grid.parse(run.configuration))))
    for run in map(grid.Run.of, loaded.external()):
        if run.task in rows:  # else it is of a data set that is only tested on
            rows[run.task].add((run.backbone, run.configuration))
    return rows


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["backbone"], row["configuration"]


def _print(console: Console, metrics: Metrics, rows: Sequence[Mapping[str, Any]]) -> None:
    counts = ", ".join(f"{n} {level}s" for level, n in metrics["n"].items())
    where = f"test {metrics['level']} {metrics['metric']} of {counts}"
    title = f"{metrics['title']}\n{where}; coverage {_share(metrics)}"
    table = Table(title=title, title_justify="left")
    table.add_column("backbone")
    table.add_column("configuration", no_wrap=True)
    percent = f"{100 * metrics['confidence']:g} %"
    for name in ("mean", f"{percent} interval", "rank", "baseline"):
        table.add_column(name, justify="right", no_wrap=True)
    ranks = {_key(rank): rank for rank in metrics.get("ranks", [])}
    for row in rows:
        table.add_row(row["backbone"], row["configuration"], *_numbers(row, ranks.get(_key(row))))
    console.print(table)
    for line in _least(metrics):
        console.print(line, soft_wrap=True)


def _share(metrics: Metrics) -> str:
    share, present = metrics["coverage"], metrics.get("coverage_present", metrics["coverage"])
    of = f" of what is listed, {_percent(present)} of what is there"
    return _percent(share) + (of if share != present else "")


def _percent(share: float) -> str:
    return "100 %" if share == 1 else f"{min(100 * share, 99.9):.1f} %"


def _least(metrics: Metrics) -> Iterator[str]:
    """Say of each question the smallest difference that would have been shown."""
    for row in metrics.get("power", []):
        head = (row["level"], row["metric"]) == (metrics["level"], metrics["metric"])
        if head and row["least"] is not None:
            several = row["tests"] > 1
            corrected = f", {_possible(row['least_holm'])} with Holm over {row['tests']} pairs"
            median = " (the median pair)" if several else ""
            yield (
                f"between two {row['compared']}s{median}, a true difference of "
                f"{_possible(row['least'])}{corrected if several else ''} would be shown with "
                "80 % power"
            )


def _possible(least: float | None) -> str:
    """Write a difference that a test needs; a metric is in [0, 1], so none above 1 can be."""
    if least is None:
        return "undefined"
    return f"{least:.3f}" if least <= 1 else "more than 1 (none is possible)"


def _format(probed: Mapping[str, Any]) -> str:
    """Say what size, quality and codec of the files, and the faces' size, reach."""
    (row,) = (probe for probe in probed["rows"] if probe["metric"] == probed["metric"])
    if row["value"] is None:
        return f"format alone, no pixel: undefined ({row['note']})"
    span = "" if row["low"] is None else f", {row['low']:.3f} to {row['high']:.3f}"
    leak = ": it tells the labels" if probed["above"] else ""
    return f"format alone, no pixel: {row['value']:.3f}{span}{leak}"


def _numbers(row: Mapping[str, Any], rank: Mapping[str, Any] | None) -> list[str]:
    if row["mean"] is None:
        return ["undefined", "", "", str(row["note"])]
    interval = "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
    flag = "collapsed" if row["collapsed"] else "beats" if row["beats_baseline"] else ""
    ends = dict.fromkeys((rank["best"], rank["worst"])) if rank else ()
    among = "-".join(map(str, ends))
    return [f"{row['mean']:.3f}", interval, among, f"{flag} {row['baseline']:.3f}".strip()]
