"""The comparison of two runs for the terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

from lssat.tables.printable import line

_SHOWN = 5  # disagreements
_ROWS = 12  # of subsets and classes


def show(comparison: dict[str, Any]) -> None:
    """Print what `numbers.compare` returns."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(f"{line(comparison['title'])}, test {comparison['level']}s", soft_wrap=True)
    for letter in "ab":
        about = comparison[letter]
        disagreement = f"{letter.upper()}  {about['run']}  ({line(about['folder'])})"
        console.print(disagreement, soft_wrap=True)
    console.print("\n".join(verdict(comparison)), soft_wrap=True)
    _table(console, "metric", "metrics", comparison)
    _table(console, "subset" if comparison["kind"] == "binary" else "class", "subsets", comparison)
    _agreement(console, comparison)
    console.print("Largest disagreements")
    for row in comparison["disagreements"][:_SHOWN]:
        where = f" ({row['subset']})" if row["subset"] else ""
        scores = f"A {_number(row['a'])}, B {_number(row['b'])}"
        answer = f"truth: {row['truth']}; right: {row['right']}"
        disagreement = f"{row['id']}{where}: {row['about']} {scores}; {answer}"
        console.print(f"  {line(disagreement)}", soft_wrap=True)
    _differences(console, comparison["differences"])


def verdict(comparison: dict[str, Any]) -> list[str]:
    """Say in sentences what the tests show, and on which samples."""
    samples, test = comparison["samples"], comparison["test"]
    left = [f"{samples[f'only_{x}']:,} only of {x.upper()}" for x in "ab" if samples[f"only_{x}"]]
    outside = f"; left out: {', '.join(left)}" if left else ""
    lines = [f"{samples['common']:,} common test rows{outside}."]
    for letter, name in zip("ab", arms(comparison), strict=True):
        if why := comparison[letter]["collapsed"]:
            lines.append(f"{name}: it {why}.")
    if test is None:
        return [*lines, "A score is not finite, so nothing is tested."]
    share = f"{100 * comparison['confidence']:g} %"
    metric = f"{comparison['level']} {comparison['metric'].replace('_', ' ')}"
    interval = f"{share} interval [{_number(test['low'])}, {_number(test['high'])}]"
    known = interval if test["low"] is not None else "no interval"
    lines.append(
        f"{metric}: A - B = {_number(test['difference'])}, {known} "
        f"over {test['groups']:,} groups; " + _tests(test)
    )
    if test["note"]:
        lines.append(f"Note: {test['note']}.")
    lines.append(
        "These two trained models differ (p < 0.05)." if test["shown"]
        else "A difference is not shown; that is not to show that there is none."
    )  # fmt: skip
    lines.append("This speaks of other samples, not of other trainings of the two.")
    return lines


def arms(comparison: dict[str, Any]) -> list[str]:
    """Return the names of both runs' columns; a collapsed run is marked."""
    return [f"{x.upper()}, collapsed" if comparison[x]["collapsed"] else x.upper() for x in "ab"]


def _tests(test: dict[str, Any]) -> str:
    names = {"p": "", "p_delong": "DeLong ", "p_mcnemar": "McNemar "}
    p_values = [f"{name}p {_p(test[key])}" for key, name in names.items() if test[key] is not None]
    return ", ".join(p_values) or "no test is defined"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _table(console: Console, what: str, key: str, comparison: dict[str, Any]) -> None:
    rows = comparison[key]
    if key == "subsets":  # the widest gaps first
        rows = sorted(rows, key=lambda row: -abs(row["difference"] or 0))
    if not rows:
        return
    table = Table()
    table.add_column(what)
    for name in (*arms(comparison), "A - B", *(["interval", "n"] if key == "subsets" else [])):
        table.add_column(name, justify="right")
    for row in rows[: _ROWS if key == "subsets" else None]:
        name = f"{line(row['name'])}, {row['metric']}" if "name" in row else _of(row)
        cells = [_number(row[x]) for x in ("a", "b", "difference")]
        if key == "subsets":
            known = row["low"] is not None
            cells.append(f"{row['low']:.3f} to {row['high']:.3f}" if known else "")
            cells.append(f"{row['n']:,}")
        table.add_row(name, *cells)
    console.print(table)
    if key == "subsets" and len(rows) > 1:
        console.print("Each interval is of its row alone, without a correction for their number.")
    if key == "subsets" and len(rows) > _ROWS:
        console.print(f"and {len(rows) - _ROWS} more, in --json and --out")


def _of(row: dict[str, Any]) -> str:
    return f"{row['level']} {row['metric'].replace('_', ' ')}"


def _agreement(console: Console, comparison: dict[str, Any]) -> None:
    first = comparison["agreement"][0]
    what = "decisions" if comparison["kind"] == "multilabel" else f"{comparison['level']}s"
    parts = [
        f"{first[key]:,} {text}"
        for key, text in (
            ("both", "both right"), ("only_a", "only A right"),
            ("only_b", "only B right"), ("neither", "both wrong"),
        )
    ]  # fmt: skip
    console.print(f"Of {first['n']:,} {what}: {', '.join(parts)}")


def _differences(console: Console, rows: list[dict[str, str]]) -> None:
    if not rows:
        console.print("Their records name no difference in recipe, versions, revision or data.")
        return
    console.print("Their records differ in")
    for row in rows:
        difference = f"{row['key']}: {_short(row['a'])} | {_short(row['b'])}"
        console.print(f"  {line(difference)}", soft_wrap=True)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
