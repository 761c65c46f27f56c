"""Variants of the recipe: differences from it, learning curves, the auxiliary task's gains."""

import itertools
import math
from typing import Any

from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table, anchor, flagged, num, shown
from lssat.report.kit.figures import Figure, Key, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Part, Section
from lssat.report.kit.svg import SHAPES, Axis, Trace
from lssat.report.sections import neighbours

BASE = "base"
_LEAD = (
    "A variant is the recipe of params.yaml with some keys of train changed; “base” is the recipe "
    "unchanged. Each row is compared with the same backbone and configuration trained with base, "
    "on the same test samples, seed by seed. p-values carry Holm’s correction over all rows of a "
    "task’s table."
)
_GAINS = (
    "The gain of the auxiliary task is the score with it minus the score of the same backbone "
    "without it, both trained with one variant. Whether a variant changes the gain is tested by "
    "the difference between its gain and that with base, seed by seed."
)


def content(page: Page) -> list[Part]:
    """Return a part for each task that has variants."""
    recipe = page.params.get("train", {})
    known = {
        name: {key: value for key, value in changes.items() if recipe.get(key) != value}
        for name, changes in page.params.get("variants", {}).items()
    }
    shown = ("variants", "nearest")
    return [_part(task, known) for task in page.tasks if any(map(task.metrics.get, shown))]


def _part(task: Task, known: dict[str, Any]) -> Part:
    rows, near = task.metrics.get("variants", []), task.metrics.get("nearest", [])
    gains = task.metrics.get("gains", [])
    tables = [_table(task, rows, known)] if rows else []
    tables += [_gains(task, gains)] if gains else []
    tables += [neighbours.table(task, near)] if near else []
    paragraphs = [_LEAD, *_shown(rows)] if rows else []
    paragraphs += [_GAINS, *map(_gain, gains)] if gains else []
    paragraphs += [neighbours.LEAD] if near else []
    curves = _curves(rows, known)
    paragraphs += [line for curve in curves.items() for line in _reached(curves, *curve)]
    figures = [_figure(task, curves)] if curves else []
    return Part(task.title, paragraphs, tables, figures)


def _name(row: dict) -> str:
    return f"{row['backbone']} · {row['configuration']}"


def _shown(rows: list[dict]) -> list[str]:
    """Say which variants are shown to differ from the recipe as it is."""
    tested = [row for row in rows if row["difference"]]
    different = [row for row in tested if words.differs(row["difference"])]
    if not tested:
        return ["No row was run with the recipe as it is too, so there is nothing to test against."]
    if not different:
        return [f"None of {words.count(len(tested), 'row')} is shown to differ from {BASE}."]
    changed = words.listing([_difference(row) for row in different])
    rest = len(tested) - len(different)
    more = f" For the other {words.count(rest, 'row')} no difference is shown." if rest else ""
    return [f"Shown to differ from {BASE}: {changed}.{more}"]


def _difference(row: dict) -> str:
    test = row["difference"]
    size = f"{test['difference']:+.3f}".replace("-", "−")
    return f"{_name(row)} with {row['variant']} ({size}, p {_is(test['p_holm'])})"


def _is(p: float) -> str:
    return words.p(p) if p < 0.001 else f"= {words.p(p)}"


def _gain(row: dict) -> str:
    """Answer for one row whether the auxiliary task gains more with a variant."""
    variant, gain, base = row["variant"], words.number(row["gain"]), words.number(row["base_gain"])
    gains = f"{_name(row)}: the auxiliary task gains {gain} with {variant} and {base} with {BASE}"
    if row["p_holm"] is None:
        return f"{gains}; how much that varies is not known."
    if not words.differs(row):
        return f"{gains}; no difference between the two is shown (p {_is(row['p_holm'])})."
    more = "more" if row["difference"] > 0 else "less"
    return f"{gains}; that it gains {more} with {variant} is shown (p {_is(row['p_holm'])})."


def _curves(rows: list[dict], known: dict[str, Any]) -> dict[str, list[tuple[float, dict]]]:
    """Return the rows of each backbone and configuration by the share of the data, rising.

    Of variants that change nothing else; where there is one share alone, there is no curve.
    """
    curves: dict[str, list[tuple[float, dict]]] = {}
    for row in rows:
        changes = {} if row["variant"] == BASE else known.get(row["variant"], {})
        if changes.keys() <= {"share"} and row["mean"] is not None:
            curves.setdefault(_name(row), []).append((changes.get("share", 1.0), row))
    rising = {name: sorted(curve, key=lambda point: point[0]) for name, curve in curves.items()}
    return {name: curve for name, curve in rising.items() if len(curve) > 1}


def area(curve: list[tuple[float, float]]) -> float:
    """Return the mean height of a curve over the logarithm of the share, by trapezoids."""
    logs = [(math.log(share), value) for share, value in curve]
    steps = itertools.pairwise(logs)
    total = sum((b - a) * (x + y) / 2 for (a, x), (b, y) in steps)
    return total / (logs[-1][0] - logs[0][0])


def reached(curve: list[tuple[float, float]], wanted: float, lower: bool = False) -> float | None:
    """Return the least share at which a curve has a value, between points by its logarithm.

    Args:
        curve: shares, rising, and values.
        lower: less is better.

    Returns:
        None where no share has it.
    """
    sign = -1 if lower else 1
    before: tuple[float, float] | None = None
    for share, value in curve:
        if sign * value >= sign * wanted:
            if before is None or value == before[1]:
                return share
            part = (wanted - before[1]) / (value - before[1])
            return math.exp(math.log(before[0]) + part * (math.log(share) - math.log(before[0])))
        before = share, value
    return None


def _reached(
    curves: dict[str, list[tuple[float, dict]]], name: str, curve: list[tuple[float, dict]]
) -> list[str]:
    """Say a curve's area, and where it has what the others have with all data."""
    points = [(share, row["mean"]) for share, row in curve]
    first, lower = curve[0][1], words.lower_is_better(curve[0][1]["metric"])
    text = f"{name}: the mean height of the curve is {words.number(area(points))}"
    for other, its in curves.items():
        share, full = its[-1]
        if other == name or share < 1 or full["backbone"] != first["backbone"]:
            continue
        at = reached(points, full["mean"], lower)
        score = f"the score that {full['configuration']} has with all data"
        about = "" if at is None else f" at about {100 * at:.0f} % of the data"
        text += f"; it {'reaches' if about else 'does not reach'} {score}{about}"
    return [f"{text}. These are means over seeds, without a test."]


def _figure(task: Task, curves: dict[str, list[tuple[float, dict]]]) -> Figure:
    where = words.where(task.metrics)
    traces, keys = [], []
    middle = (len(curves) - 1) / 2
    backbones, own = (
        list(dict.fromkeys(curve[0][1][key] for curve in curves.values()))
        for key in ("backbone", "configuration")
    )
    slugs = list(dict.fromkeys([*task.configurations, *own]))
    for number, (name, curve) in enumerate(curves.items()):
        row = curve[0][1]  # a colour for each configuration, as in other figures
        shape = SHAPES[backbones.index(row["backbone"]) % len(SHAPES)]
        colour = slugs.index(row["configuration"])
        traces.append(
            Trace(
                [share * 1.006 ** (number - middle) for share, _ in curve],  # marks side by side
                [row["mean"] for _, row in curve],
                colour,
                name,
                name,
                "solid",
                shape=[shape + ("-open" if row["collapsed"] else "") for _, row in curve],
                size=9,
                spans=[
                    None if row["low"] is None or row["high"] is None else (row["low"], row["high"])
                    for _, row in curve
                ],
                hints=[
                    f"{name}, {100 * share:g} %: {words.number(row['mean'])} {words.interval(row)}"
                    f", n = {words.number(row['n'])}"
                    for share, row in curve
                ],
            )
        )
        keys.append(Key(name, colour, shape=shape))
    shares = sorted({share for curve in curves.values() for share, _ in curve})
    floor = task.metrics["variants"][0]["baseline"]
    if floor is not None:
        traces.append(Trace([shares[0], 1.0], [floor, floor], line="dot", width=1))
    values = [
        f"{name} at {100 * share:g} %: {words.number(row['mean'])}"
        for name, curve in curves.items()
        for share, row in curve
    ]
    axis = Axis(
        "share of the training groups", shares[0] * 0.9, 1.1, log=True,
        ticks=[(share, f"{100 * share:g} %") for share in shares],
    )  # fmt: skip
    plot = Plot(f"shares-{task.name}", where, traces, axis, Axis(where), 420, 290)
    n = words.number(task.metrics["variants"][0]["n"])
    groups = task.metrics["variants"][0]["groups"]
    caption = (
        f"Means over seeds with intervals, n = {n} ({words.count(groups, 'group')}); "
        "the dotted line is the trivial baseline, a hollow mark a collapsed row."
    )
    title = f"Learning curves: {where} against the share of the data"
    return Figure(title, f"{'; '.join(values)}.", keys, [plot], caption=caption)


def _table(task: Task, rows: list[dict], known: dict[str, Any]) -> Table:
    where = words.where(task.metrics)
    columns = [
        *ROW,
        Column("Variant", "key"),
        Column(where, "num", "mean over seeds and its interval"),
        Column("Difference", "num", f"from {BASE}, with its interval"),
        Column("p", "num", "Holm’s correction"),
        Column("Differs", hint="the corrected p-value is below 0.05"),
        Column("Seeds", "num", "each links to its run"),
        Column("n", "num", f"{task.metrics['level']}s"),
        Column("Flag"),
        Column("Changes", hint="keys of train that the recipe has otherwise"),
    ]
    notes = [f"{_name(row)}, {row['variant']}: {row['note']}" for row in rows if row["note"]]
    caption = f"{task.title}: {where} by variant"
    cells = [_row(row, known) for row in rows]
    return Table(f"variants-{task.name}", caption, columns, cells, notes=notes)


def _row(row: dict, known: dict[str, Any]) -> list[Cell]:
    changes = known.get(row["variant"], {})
    test = row["difference"]
    tested = [Cell(words.DASH)] * 3
    if test:
        tested = [
            num(test["difference"], small=words.interval(test)),
            Cell(words.p(test["p_holm"]), test["p_holm"]),
            shown(words.differs(test)),
        ]
    return [
        Cell(row["backbone"]),
        Cell(row["configuration"]),
        Cell(row["variant"]),
        num(row["mean"], small=words.interval(row)),
        *tested,
        Cell(str(len(row["seeds"])), len(row["seeds"]), link="#" + anchor(row["runs"][0])),
        num(row["n"]),
        flagged(row["collapsed"]),
        Cell(", ".join(f"{key}: {_spelt(value)}" for key, value in changes.items())),
    ]


def _spelt(value: Any) -> str:
    """Spell a value as params.yaml does."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _gains(task: Task, rows: list[dict]) -> Table:
    columns = [
        *ROW,
        Column("Variant", "key"),
        Column("Gain", "num", "with the variant, over supervised training with it"),
        Column(f"Gain, {BASE}", "num", "with the recipe as it is"),
        Column("Difference", "num", "of both gains, with its interval"),
        Column("p", "num", "Holm’s correction over this table"),
        Column("Differs", hint="the corrected p-value is below 0.05"),
    ]
    cells = [
        [
            Cell(row["backbone"]),
            Cell(row["configuration"]),
            Cell(row["variant"]),
            num(row["gain"]),
            num(row["base_gain"]),
            num(row["difference"], small=words.interval(row)),
            Cell(words.p(row["p_holm"]), row["p_holm"]),
            shown(words.differs(row)),
        ]
        for row in rows
    ]
    notes = sorted({row["note"] for row in rows if row["note"]})
    caption = f"{task.title}: what the auxiliary task gains"
    return Table(f"gains-{task.name}", caption, columns, cells, notes=notes)


SECTION = Section(
    "variants",
    "Variants",
    "Variants of the recipe",
    content,
    ask="benchmark.variants of params.yaml",
)
