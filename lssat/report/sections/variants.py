"""Variants of the recipe: differences from it, learning curves, the auxiliary task's gains."""

import itertools
import math
from typing import Any

from lssat.report.kit import columns, traces, words
from lssat.report.kit.cells import ROW, Column, Table
from lssat.report.kit.figures import Figure, Key, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Part, Section
from lssat.report.kit.svg import SHAPES, Axis, Trace
from lssat.report.sections import knn
from lssat.tables.metric_tables import Gain, VariantRow

BASE = "base"
LEAD = (
    "A variant is the recipe of params.yaml with some keys of train changed; “base” is the recipe "
    "unchanged. Each row is compared with the same backbone and configuration trained with base, "
    "on the same test samples, seed by seed. p-values carry Holm’s correction over all rows of a "
    "task’s table. " + words.ALONE
)
_GAINS = (
    "The gain of the auxiliary task is the score with it minus the score of the same backbone "
    "without it, both trained with the same variant. Whether a variant changes the gain is tested "
    "by the difference between its gain and that with base, seed by seed."
)
Changes = dict[str, dict[str, Any]]  # variant -> the keys of train that the recipe has otherwise
Point = tuple[float, VariantRow]  # the share of the data, and what came of it


def content(page: Page) -> list[Part]:
    """Return a part for each task that has variants."""
    recipe = page.params.get("train", {})
    changes = {
        name: {key: value for key, value in variant.items() if recipe.get(key) != value}
        for name, variant in page.params.get("variants", {}).items()
    }
    parts = [_part(task, changes) for task in page.tasks]
    return [part for part in parts if part.tables]


def _part(task: Task, changes: Changes) -> Part:
    rows, gains = task.metrics["variants"], task.metrics["gains"]
    nearest = task.metrics.get("nearest", [])
    curves = _curves(rows, changes)
    tables = [_table(task, changes)] if rows else []
    tables += [_gains(task)] if gains else []
    tables += [knn.table(task, nearest)] if nearest else []
    paragraphs = [_changed(rows)] if rows else []
    paragraphs += [_GAINS, *_changed_gains(gains)] if gains else []
    paragraphs += [knn.LEAD] if nearest else []
    paragraphs += [_heights(curves)] if curves else []
    figures = [_figure(task, curves)] if curves else []
    return Part(task.title, paragraphs, tables, figures)


def _changed(rows: list[VariantRow]) -> str:
    """Say which variants are shown to differ from the recipe unchanged."""
    tested = [row for row in rows if row["difference"]]
    different = [row for row in tested if words.differs(row["difference"] or {})]
    if not tested:
        return "No row was also run with the recipe unchanged, so there is nothing to test against."
    if not different:
        return f"None of {words.count(len(tested), 'row')} is shown to differ from {BASE}."
    rest = len(tested) - len(different)
    more = f" For the other {words.count(rest, 'row')} no difference is shown." if rest else ""
    return f"Shown to differ from {BASE}: {words.listing([_by(row) for row in different])}.{more}"


def _by(row: VariantRow) -> str:
    test = row["difference"]
    assert test is not None
    size = f"{test['difference']:+.3f}".replace("-", "−")
    return f"{words.name(row)} with {row['variant']} ({size}, {words.p_is(test['p_holm'])})"


def _changed_gains(gains: list[Gain]) -> list[str]:
    """Say for which rows a variant is shown to change what the auxiliary task gains."""
    shown = [_gain(row) for row in gains if words.differs(row)]
    rest = [row for row in gains if row["p_holm"] is not None and not words.differs(row)]
    unknown = [row for row in gains if row["p_holm"] is None]
    if rest:
        which = words.listing([f"{words.name(row)} with {row['variant']}" for row in rest])
        shown.append(f"No change of the gain is shown for {which}.")
    if unknown:
        which = words.listing([f"{words.name(row)} with {row['variant']}" for row in unknown])
        shown.append(f"How much the gain varies is not known for {which}.")
    return shown


def _gain(row: Gain) -> str:
    variant, gain, base = row["variant"], words.number(row["gain"]), words.number(row["base_gain"])
    more = "more" if (row["difference"] or 0) > 0 else "less"
    return (
        f"{words.name(row)}: the auxiliary task gains {gain} with {variant} and {base} with "
        f"{BASE}; that it gains {more} with {variant} is shown ({words.p_is(row['p_holm'] or 0)})."
    )


def _curves(rows: list[VariantRow], changes: Changes) -> dict[str, list[Point]]:
    """Return the rows of each backbone and configuration by the share of the data, rising.

    Of variants that change nothing else; where there is one share alone, there is no curve.
    """
    curves: dict[str, list[Point]] = {}
    for row in rows:
        changed = {} if row["variant"] == BASE else changes.get(row["variant"], {})
        if changed.keys() <= {"share"} and row["mean"] is not None:
            curves.setdefault(words.name(row), []).append((changed.get("share", 1.0), row))
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


def _heights(curves: dict[str, list[Point]]) -> str:
    texts = [_height(curves, name, curve) for name, curve in curves.items()]
    heights = f"Mean height of each curve: {'. '.join(texts)}."
    return f"{heights} These are means over seeds, without a test."


def _height(curves: dict[str, list[Point]], name: str, curve: list[Point]) -> str:
    """Say a curve's area, and where it has what the others have with all data."""
    points = [(share, row["mean"] or 0.0) for share, row in curve]
    first, lower = curve[0][1], words.lower_is_better(curve[0][1]["metric"])
    text = f"{name} {words.number(area(points))}"
    for other, its in curves.items():
        share, full = its[-1]
        if other == name or share < 1 or full["backbone"] != first["backbone"]:
            continue
        at = reached(points, full["mean"] or 0.0, lower)
        score = f"the score that {full['configuration']} has with all data"
        about = "" if at is None else f" at about {100 * at:.0f} % of the data"
        text += f"; it {'reaches' if about else 'does not reach'} {score}{about}"
    return text


def _figure(task: Task, curves: dict[str, list[Point]]) -> Figure:
    where, rows = words.measure(task.metrics), task.metrics["variants"]
    firsts = [curve[0][1] for curve in curves.values()]
    backbones = list(dict.fromkeys(row["backbone"] for row in firsts))
    every = [*task.configurations, *(row["configuration"] for row in firsts)]
    colours = list(dict.fromkeys(every))  # a colour for each configuration, as in other figures
    keys = [
        Key(words.name(row), colours.index(row["configuration"]),
            shape=SHAPES[backbones.index(row["backbone"]) % len(SHAPES)])
        for row in firsts
    ]  # fmt: skip
    middle, aside = (len(curves) - 1) / 2, min(1.04, 1.15 ** (1 / len(curves)))
    drawn = [
        _curve(curve, key, aside ** (number - middle))  # marks side by side
        for number, (curve, key) in enumerate(zip(curves.values(), keys, strict=True))
    ]
    shares = sorted({share for curve in curves.values() for share, _ in curve})
    floor = rows[0]["baseline"]
    if floor is not None:
        drawn.append(Trace([shares[0], 1.0], [floor, floor], line="dot", width=1))
    values = [
        f"{name} at {100 * share:g} %: {words.number(row['mean'])}"
        for name, curve in curves.items()
        for share, row in curve
    ]
    ticks = [(share, f"{100 * share:g} %") for share in shares]
    x = Axis("share of the training groups", shares[0] * 0.9, 1.1, log=True, ticks=ticks)
    plot = Plot(f"shares-{task.name}", where, drawn, x, Axis(where), 420, 290)
    n = f"n = {words.number(rows[0]['n'])} ({words.count(rows[0]['groups'], 'group')})"
    caption = (
        f"Means over seeds with intervals, {n}; "
        "the dotted line is the trivial baseline, a hollow mark a collapsed row."
    )
    title = f"Learning curves: {where} against the share of the data"
    return Figure(title, f"{'; '.join(values)}.", keys, [plot], caption=caption)


def _curve(curve: list[Point], key: Key, shift: float) -> Trace:
    return traces.means(
        [row for _, row in curve],
        [share * shift for share, _ in curve],
        key.colour,
        key.label,
        name=key.label,
        line="solid",
        shape=key.shape,
        size=9,
        hints=[f"{key.label}, {100 * share:g} %: {traces.hint(row)}" for share, row in curve],
    )


def _table(task: Task, changes: Changes) -> Table:
    rows = task.metrics["variants"]
    shown = [
        *ROW,
        Column("Variant", "key", value="variant"),
        columns.score(task),
        *columns.of_test(f"from {BASE}", key="difference"),
        columns.RUNS,
        columns.n(task),
        columns.COLLAPSED,
        Column("Changes", hint="keys of train that the recipe has otherwise",
               value=lambda row: _spelt(changes.get(row["variant"], {}))),
    ]  # fmt: skip
    notes = [f"{words.name(row)}, {row['variant']}: {row['note']}" for row in rows if row["note"]]
    caption = f"{task.title}: {words.measure(task.metrics)} by variant"
    return Table.of(f"variants-{task.name}", caption, shown, rows, notes=notes)


def _spelt(changes: dict[str, Any]) -> str:
    """Spell changed keys as params.yaml does."""
    texts = {key: "null" if value is None else str(value) for key, value in changes.items()}
    texts |= {key: str(v).lower() for key, v in changes.items() if isinstance(v, bool)}
    return ", ".join(f"{key}: {text}" for key, text in texts.items())


def _gains(task: Task) -> Table:
    rows = task.metrics["gains"]
    shown = [
        *ROW,
        Column("Variant", "key", value="variant"),
        Column("Gain", "num", "with the variant, over supervised training with it", "gain"),
        Column(f"Gain, {BASE}", "num", "with the recipe unchanged", "base_gain"),
        *columns.of_test("of both gains", holm=" over this table"),
    ]
    notes = sorted({row["note"] for row in rows if row["note"]})
    caption = f"{task.title}: what the auxiliary task gains"
    return Table.of(f"gains-{task.name}", caption, shown, rows, notes=notes)


SECTION = Section(
    "variants",
    "Variants",
    "Variants of the recipe",
    content,
    LEAD,
    "benchmark.variants of params.yaml",
)
