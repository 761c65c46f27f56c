"""Accuracy against cost: a figure with a cost to choose, the table of all, and what follows."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from lssat.report.kit import columns, traces, words
from lssat.report.kit.cells import ROW, Cell, Column, Table, anchor, num
from lssat.report.kit.figures import Figure, Key, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.section import Part, Section, by_task
from lssat.report.kit.svg import Axis, Trace
from lssat.report.sections.costs import COSTS, Cost, Priced, front, priced
from lssat.tables.analysis_tables import Speed

LEAD = (
    "What each row takes beside what it scores. The line is the Pareto front: rows that no other "
    "one equals or beats in both. It joins means alone; where intervals overlap, the order of the "
    "scores stays open, and Comparisons says which differences are shown. Time, memory and energy "
    "are those of the machine that trained, whatever else it was doing. Speed and latency were "
    "measured once for each backbone, alone on the machine. Operations and parameters are the "
    "same everywhere. A multiplication and an addition are two operations, "
    "where papers often count the pair as one. The 17.6 G of a ViT-B/16 are 2 x 17.6 = 35.1 GFLOP "
    "so counted, and 32.7 here, since the last block makes the class token alone. Configurations "
    "that train in two phases see each image in both: hold whole runs against each other."
)
_FRONT = "Pareto front"
_SHAPES = (
    *(("circle", "●"), ("square", "■"), ("triangle-up", "▲"), ("diamond", "◆")),
    *(("triangle-down", "▼"), ("star", "★"), ("cross", "✚"), ("hexagon", "⬢")),
)


def section(task: Task) -> Part:
    """Describe the costs of a task's rows: a figure with sentences, if one is known; a table."""
    rows = priced(task)
    known = [cost for cost in COSTS if any(_drawn(entry, cost) for entry in rows)]
    folded = [("Table of all costs", _table(task, rows))]
    if not known:
        return Part(task.title, ["No run recorded what it cost."], folded=folded)
    lines = [_found(task, rows, known[0]), _shapes(task)]
    return Part(task.title, lines, figures=[_figure(task, rows, known)], folded=folded)


def _drawn(entry: Priced, cost: Cost) -> bool:
    return entry.row["mean"] is not None and entry.mean(cost.name) is not None


def _shape(task: Task, backbone: str) -> tuple[str, str]:
    return _SHAPES[task.backbones.index(backbone) % len(_SHAPES)]


def _shapes(task: Task) -> str:
    text = [f"{_shape(task, name)[1]} {name}" for name in task.backbones]
    return f"Shapes: {', '.join(text)}; a hollow one is a collapsed row, which no front counts."


def _figure(task: Task, rows: list[Priced], known: list[Cost]) -> Figure:
    plots = [_plot(task, rows, cost) for cost in known]
    keys = [Key(n, colour, shape="circle") for colour, n in enumerate(task.configurations)]
    text = "; ".join(f"{cost.label}: {_names(front(rows, cost))}" for cost in known)
    where = words.measure(task.metrics)
    title = f"{words.capital(where)} against cost"
    summary = f"On the Pareto front, cheapest first, by {text}."
    caption = f"Means over seeds, {words.tested(task.metrics)}."
    return Figure(title, summary, [*keys, Key(_FRONT, -1, line="dot")], plots, "Cost", caption)


def _names(rows: list[Priced]) -> str:
    return words.listing([words.name(entry.row) for entry in rows]) or "none"


def _plot(task: Task, rows: list[Priced], cost: Cost) -> Plot:
    shown = [entry for entry in rows if _drawn(entry, cost)]
    line = front(rows, cost)
    values = [_scaled(entry, cost) for entry in shown]
    wide = min(values) > 0 and max(values) > 5 * min(values)
    x = Axis(f"{cost.label}, {cost.hint}", log=wide)
    y = Axis(words.measure(task.metrics))
    dearest = min(values) if cost.more_is_cheaper else max(values)
    traces = [_line(line, cost, dearest), *[_point(task, entry, cost) for entry in shown]]
    return Plot(f"pareto-{cost.name}-{task.name}", cost.heading, traces, x, y, 420, 300)


def _scaled(entry: Priced, cost: Cost) -> float:
    """Return a mean that is there, in the unit of the label."""
    value = entry.mean(cost.name)
    assert value is not None
    return value * cost.scale


def _line(rows: list[Priced], cost: Cost, dearest: float) -> Trace:
    """Draw the front as a staircase: the best mean that each cost buys, up to the dearest row's."""
    ends = [dearest] if rows else []
    means = [entry.row["mean"] for entry in rows]
    x = [*[_scaled(entry, cost) for entry in rows], *ends]
    return Trace(x, [*means, *means[-1:]], key=_FRONT, line="dot", width=1.4, steps=True)


def _point(task: Task, entry: Priced, cost: Cost) -> Trace:
    row, value = entry.row, _scaled(entry, cost)
    costs = f"{cost.label} {words.number(value, cost.digits)}"
    return traces.means(
        [row],
        [value],
        task.configurations.index(row["configuration"]),
        row["configuration"],
        shape=_shape(task, row["backbone"])[0],
        size=10,
        hints=[
            f"{words.name(row)}, {costs}: {traces.hint(row)}, "
            f"{words.count(len(row['seeds']), 'seed')}"
        ],
    )


def _found(task: Task, rows: list[Priced], cost: Cost) -> str:
    """Say in a sentence what the dearest row of the front buys, as far as a test shows it."""
    line = front(rows, cost)
    of_all = f"{len(line)} of {words.count(len(rows), 'row')}"
    if len(line) < 2:
        both = f": {words.name(line[0].row)} is both cheapest and best on test" if line else ""
        return f"By {_short(cost)}, the front holds {of_all}{both}."
    cheap, best = line[0], line[-1]
    ratio = _scaled(best, cost) / _scaled(cheap, cost)
    gap = words.number(best.row["mean"] - cheap.row["mean"])
    return (
        f"By {_short(cost)}, the front holds {of_all}. Its best on test, {words.name(best.row)}, "
        f"takes {words.number(ratio, 2)} times what its cheapest takes, {words.name(cheap.row)}, "
        f"and scores {gap} more; {_shown(task, best.row, cheap.row)}."
    )


def _short(cost: Cost) -> str:
    return cost.label.split(" (")[0]


def _shown(task: Task, a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """Say whether the paired test shows two rows to differ."""
    for pair in task.metrics["comparisons"]:
        if {words.pair(pair["a"]), words.pair(pair["b"])} == {words.pair(a), words.pair(b)}:
            verb = "is" if words.differs(pair) else "is not"
            p = pair["p_holm"]
            by = "" if p is None else f" ({words.p_is(p)} with Holm’s correction)"
            return f"that difference {verb} shown{by}"
    return _ranked(task, a, b)


def _ranked(task: Task, a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """Say what their ranks tell of two rows that differ in more than one thing."""
    ranks = {words.pair(rank): rank for rank in task.metrics["ranks"]}
    one, two = ranks.get(words.pair(a)), ranks.get(words.pair(b))
    if one is None or two is None:
        return "no test compares these two"
    apart = one["worst"] < two["best"] or two["worst"] < one["best"]
    what = "is shown by" if apart else "is not shown by"
    return f"that difference {what} their ranks, {words.ranks(one)} and {words.ranks(two)}"


def _table(task: Task, rows: list[Priced]) -> Table:
    fronts = [front(rows, cost) for cost in COSTS]

    def of_row(column: Column) -> Column:
        return replace(column, value=lambda entry: column.cell(entry.row))

    def on(entry: Priced) -> int:
        return sum(any(entry is other for other in line) for line in fronts)

    def link(entry: Priced) -> Cell:
        return Cell(entry.row["configuration"], link="#" + anchor(entry.row["runs"][0]))

    hint = f"of {len(COSTS)} costs, on how many the row is on the front"
    shown = [
        of_row(ROW[0]),
        Column("Configuration", "key", "its link leads to the first of its runs", link),
        of_row(columns.score(task)),
        *[
            Column(cost.heading, "num", f"{cost.hint}; mean over seeds", partial(_cost, cost))
            for cost in COSTS
        ],
        Column("Fronts", "num", hint, on),
        of_row(columns.SEEDS),
        of_row(columns.n(task)),
        Column("Device", value=lambda entry: words.listing(entry.devices)),
        of_row(columns.COLLAPSED),
    ]
    top = words.best([entry.row for entry in rows])
    best = next((place for place, entry in enumerate(rows) if entry.row is top), None)
    caption = f"{task.title}: costs and {words.measure(task.metrics)}"
    notes = _notes(task, rows)
    return Table.of(f"costs-{task.name}", caption, shown, rows, best=best, notes=notes)


def _cost(cost: Cost, entry: Priced) -> Cell:
    """Make the cell of a cost: the mean over seeds, below it from least to most where they vary."""
    if cost.name not in entry.seeds:
        return Cell(words.DASH)
    values = sorted(entry.seeds[cost.name])
    least, most = (words.number(v * cost.scale, cost.digits) for v in (values[0], values[-1]))
    small = f"{least} to {most}" if least != most else ""
    return num(float(_scaled(entry, cost)), cost.digits, small)


def _speed(speeds: Speed) -> str:
    """Say on what speed was measured, and how."""
    batches = sorted({entry["batches"][-1]["batch"] for entry in speeds["backbones"]})
    clips = sorted({entry["frames"] for entry in speeds["backbones"] if entry["frames"]})
    long = f"; clips of {words.listing(clips)} frames" if clips else ""
    threads = words.count(speeds["threads"], "thread")
    return (
        f"Speed: {speeds['processor']} ({speeds['device']}), {threads}, 32-bit floats, drawn "
        f"weights, no other job beside it; images/s in batches of {words.listing(batches)}, "
        f"latency of one{long}.{_disturbed(speeds)}"
    )


def _disturbed(speeds: Speed) -> str:
    """Say of which backbones half the passes took half as long again as the quickest, or more."""
    slow = [
        entry["backbone"]
        for entry in speeds["backbones"]
        if any(batch["latency_ms"] > 1.5 * batch["least_ms"] for batch in entry["batches"])
    ]
    if not slow:
        return ""
    return (
        f" Timings of {words.listing(slow)} vary by more than half: something else ran on the "
        "machine. Time again when it is idle (snakemake --cores 8 --force results/speed.json)."
    )


def _notes(task: Task, rows: list[Priced]) -> list[str]:
    notes = []
    lines = [record.get("costs", {}).get("energy_note") for record in task.records.values()]
    reasons = {reason for reason in lines if reason}
    if any("energy_kwh" not in entry.seeds for entry in rows) and reasons:
        notes.append(f"Energy: {'; '.join(sorted(reasons))}.")
    if task.speed:
        notes.append(_speed(task.speed))
    devices = list(dict.fromkeys(name for entry in rows for name in entry.devices))
    if len(devices) > 1:
        notes.append(
            f"Runs were trained on {words.listing(devices)}: compare time, memory and energy only "
            "within one of them."
        )
    return notes


SECTION = Section("costs", "Costs", "Accuracy against cost", by_task(section), LEAD)
