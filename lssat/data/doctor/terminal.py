"""The doctor's output: tables for a terminal, plain columns elsewhere, JSON for programs."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lssat.data.doctor.findings import SEVERITIES, Count, Finding, Inventory

_STYLE = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_COLUMNS = ("official", "listed", "found", "missing", "extra")


def show(inventories: list[Inventory], console: Console) -> None:
    """Print counts, findings and the verdict of each tree."""
    for inventory in inventories:
        console.print(f"[bold]{inventory.dataset}[/bold] in {escape(inventory.root)}")
        if inventory.counts:
            console.print(_table(inventory.counts, console))
        for severity in SEVERITIES:
            for finding in inventory.findings:
                if finding.severity == severity:
                    _say(finding, inventory.root, console)
        _verdict(inventory, console)


def as_json(inventories: list[Inventory], problems: list[str]) -> dict[str, Any]:
    """Return everything as plain values.

    `exit_code` is 1 if anything would stop a job, or lose or damage samples, else 0.

    Args:
        problems: of the params.yaml itself (`preflight`).
    """
    errors = sum(inventory.number("error") for inventory in inventories)
    return {
        "exit_code": int(bool(problems or errors)),
        "problems": problems,
        "datasets": [inventory.as_json() for inventory in inventories],
    }


def _table(counts: list[Count], console: Console) -> Table:
    options: dict = {} if console.is_terminal else {"box": None}
    table = Table("part", "split", **options)
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in counts:
        numbers = [getattr(row, name) for name in _COLUMNS]
        cells = ["" if number is None else f"{number:,}" for number in numbers]
        style = "red" if row.missing else ""
        table.add_row(escape(row.part), row.split, *cells, style=style)
    return table


def _say(finding: Finding, root: str, console: Console) -> None:
    word = f"[{_STYLE[finding.severity]}]{finding.severity}[/]"
    where = root if finding.path == "." else finding.path
    text = escape(f"{where}: {finding.problem}. {finding.fix}.")
    console.print(f"{word}: {text}", highlight=False, soft_wrap=not console.is_terminal)
    if finding.examples:
        more = finding.count - len(finding.examples)
        rest = f" and {more:,} more" if more else ""
        names = escape(", ".join(finding.examples) + rest)
        console.print(f"    {names}", highlight=False, soft_wrap=not console.is_terminal)


def _verdict(inventory: Inventory, console: Console) -> None:
    official = any(row.official is not None for row in inventory.counts)
    verdict = {
        "wrong": "[bold red]samples would be lost or damaged[/]; mend the errors first",
        "part": "[green]consistent[/]" + (", a part of the official release" if official else ""),
        "whole": "[green]fits the official release[/]",
    }[inventory.verdict]
    there, named = inventory.named or (0, 0)
    if there < named:
        share = f"{min(100 * there / named, 99.9):.1f} %"
        verdict = (
            f"{there:,} of the {named:,} files that the lists name are there ({share}); {verdict}"
        )
    numbers = ", ".join(_count(inventory.number(severity), severity) for severity in SEVERITIES)
    console.print(f"{inventory.dataset}: {verdict} ({numbers})", highlight=False, soft_wrap=True)
    also = ", every sample decoded" if inventory.deep else ""
    looked = f"{inventory.files:,} files, first bytes of {inventory.read:,} read{also}"
    console.print(f"{looked}\n", highlight=False)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
