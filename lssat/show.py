"""The headline table for the terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from lssat.tables import read_json


def headline(metrics: dict) -> list[dict]:
    """Return the rows of a task's headline metric and level, the best first.

    Rows that only a sweep of lambda_cls asked for are left to the report.
    """
    rows = [
        row
        for row in metrics["table"]
        if row["metric"] == metrics["metric"] and row["level"] == metrics["level"]
        if not row["swept"]
    ]
    return sorted(rows, key=lambda row: -1 if row["mean"] is None else row["mean"], reverse=True)


def show(results: Path) -> None:
    """Print, for each task, every backbone and configuration with interval and baseline."""
    console = Console(markup=False, emoji=False)
    for file in sorted(results.glob("tasks/*/metrics.json")):
        metrics = read_json(file)
        counts = ", ".join(f"{n} {level}s" for level, n in metrics["n"].items())
        where = f"test {metrics['level']} {metrics['metric']} of {counts}"
        table = Table(
            title=f"{metrics['title']}\n{where}; coverage {_share(metrics)}",
            title_justify="left",
        )
        table.add_column("backbone")
        table.add_column("configuration", no_wrap=True)
        percent = f"{100 * metrics['confidence']:g} %"
        for name in ("mean", f"{percent} interval", "baseline", ""):
            table.add_column(name, justify="right", no_wrap=True)
        for row in headline(metrics):
            table.add_row(row["backbone"], row["configuration"], *_numbers(row))
        console.print(table)
    console.print(f"report: {(results / 'report.html').resolve()}", soft_wrap=True)
    console.print("runs:   `mlflow ui` in this folder, then http://127.0.0.1:5000")


def _share(metrics: dict) -> str:
    share = metrics["coverage"]
    return "100 %" if share == 1 else f"{min(100 * share, 99.9):.1f} %"


def _numbers(row: dict) -> list[str]:
    if row["mean"] is None:
        return ["undefined", "", "", str(row["note"])]
    interval = "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
    flag = "collapsed" if row["collapsed"] else "beats it" if row["beats_baseline"] else ""
    return [f"{row['mean']:.3f}", interval, f"{row['baseline']:.3f}", flag]
