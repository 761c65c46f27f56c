"""The tables of results: the headline of a task, and all of its metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lssat import grid, metrics
from lssat.report.kit import words
from lssat.report.kit.cells import (
    ROW,
    Bar,
    Cell,
    Column,
    Table,
    anchor,
    flagged,
    measured,
    num,
    shown,
)
from lssat.report.kit.results import Task
from lssat.report.sections import format_alone


def headline(task: Task) -> Table:
    """Make the headline table: a row per backbone x configuration, all that qualifies a number."""
    rows, scored = task.best_first, task.metrics
    probed = format_alone.head(task)
    scale = _scale([*rows, *([{**probed, "mean": probed["value"]}] if probed else [])])
    top = words.best(rows)
    columns = [
        *ROW,
        Column("Mean", "num", f"{words.where(scored)}, mean over seeds"),
        Column(words.confidence(scored), "num", "of other test sets and trainings"),
        Column("Interval, baseline", "mark", f"from {scale[0]:.2f} to {scale[1]:.2f}"),
        Column("Rank", "num", "that the tests leave possible; all hold together in 95 %"),
        Column("Flag"),  # not before the mean, which a phone would then not show
        *[
            Column(words.heading(metric), "num", "mean over seeds")
            for metric in metrics.BESIDE[scored["kind"]]
        ],
        *[Column(f"Seed {seed}", "num", "each links to its run") for seed in task.all_seeds],
        Column("Baseline", "num", "the best score without looking at the input"),
        Column("Beats it", hint="shown to, with a correction for the number of rows"),
        Column("n", "num", f"{scored['level']}s"),
        Column("Coverage", "num", "share of the samples listed in the test split that is scored"),
    ]
    cells = [_headline_row(task, row, scale) for row in rows]
    notes = [f"{r['backbone']}, {r['configuration']}: {r['note']}" for r in rows if r["note"]]
    caption = f"{words.where(scored)}, {scored['level']} level, {scored['split']} split"
    best = next((k for k, row in enumerate(rows) if row is top), None)
    foot, feet = _foot(task, rows[0]), [_files(task, scale)] if probed else []
    notes = _merge(notes) + [text for text in [format_alone.sentence(task)] if text]
    return Table(
        f"headline-{task.name}", caption, columns, cells, best, foot=foot, feet=feet, notes=notes
    )


def _headline_row(task: Task, row: Mapping[str, Any], scale: tuple[float, float]) -> list[Cell]:
    seeds = zip(row["seeds"], row["values"], row["runs"], strict=True)
    linked = row["configuration"] != grid.EXTERNAL  # of those the page has no run
    values = {seed: _linked(value, run if linked else "") for seed, value, run in seeds}
    return [
        Cell(row["backbone"]),
        Cell(row["configuration"]),
        num(row["mean"]),
        Cell(words.interval(row), row["low"]),
        Cell("", row["mean"], bar=_bar(row, scale)),
        _rank(task, row),
        flagged(row["collapsed"]),
        *[measured(beside(task, row, metric)) for metric in metrics.BESIDE[task.metrics["kind"]]],
        *[values.get(seed, Cell(words.DASH)) for seed in task.all_seeds],
        num(row["baseline"]),
        beats(row),
        num(row["n"]),
        _share(task),
    ]


def _rank(task: Task, row: Mapping[str, Any]) -> Cell:
    """Make the cell of the ranks that a row may have; undefined rows have none."""
    ranks = [rank for rank in task.metrics["ranks"] if words.pair(rank) == words.pair(row)]
    return Cell(words.ranks(ranks[0] if ranks else None), ranks[0]["best"] if ranks else None)


def beats(row: Mapping[str, Any]) -> Cell:
    """Make the cell that says whether a row is shown to beat the trivial baseline."""
    if row["mean"] is None:
        return Cell(words.DASH)
    return shown(row["beats_baseline"])


def beside(task: Task, row: Mapping[str, Any], metric: str) -> Mapping[str, Any] | None:
    """Return the row of another metric of the same backbone, configuration and level."""
    key = ("backbone", "configuration", "level")
    table: Sequence[Mapping[str, Any]] = task.metrics["table"]
    for other in table:
        if other["metric"] == metric and all(other[name] == row[name] for name in key):
            return other
    return None


def _foot(task: Task, row: Mapping[str, Any]) -> list[Cell]:
    """Make the last row of the headline table: the trivial baselines of its metrics."""
    others = [beside(task, row, metric) for metric in metrics.BESIDE[task.metrics["kind"]]]
    values = [num(other["baseline"] if other else None) for other in others]
    first = [Cell("trivial baseline"), Cell(""), num(row["baseline"]), *[Cell("")] * 4]
    return [*first, *values, *[Cell("")] * (len(task.all_seeds) + 4)]


def _files(task: Task, scale: tuple[float, float]) -> list[Cell]:
    """Make the last row but one: what the format of the files alone reaches."""
    row = format_alone.head(task)
    assert row is not None
    by_metric = {score["metric"]: score for score in task.format["rows"]}
    beside = [by_metric.get(name) for name in metrics.BESIDE[task.metrics["kind"]]]
    mean = {**row, "mean": row["value"]}
    return [
        Cell(format_alone.LABEL),
        Cell(""),
        num(row["value"]),
        Cell(words.interval(row), row["low"]),
        Cell("", row["value"], bar=_bar(mean, scale)),
        Cell(words.DASH),
        Cell(""),
        *[
            num(score["value"], small=words.interval(score)) if score else Cell("")
            for score in beside
        ],
        *[Cell("")] * len(task.all_seeds),
        num(row["baseline"]),
        shown(task.format["above"], flag="bad"),
        num(task.format["n"]),
        Cell(""),
    ]


def _linked(value: float | None, run: str) -> Cell:
    return Cell(words.number(value), value, link="#" + anchor(run) if run else "")


def _scale(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    keys = ("low", "mean", "high", "baseline")
    values = [row[key] for row in rows for key in keys if row[key] is not None] or [
        0,
        1,
    ]
    low, high = min(values), max(values)
    pad = 0.04 * (high - low) or 0.05
    return low - pad, high + pad


def _bar(row: Mapping[str, Any], scale: tuple[float, float]) -> Bar | None:
    if row["mean"] is None or row["low"] is None or row["high"] is None:
        return None

    def place(value: float | None) -> float | None:
        if value is None:
            return None
        return round(100 * (value - scale[0]) / (scale[1] - scale[0]), 2)

    return Bar(*[place(row[key]) for key in ("low", "mean", "high", "baseline")])  # type: ignore[arg-type]


def _merge(notes: list[str]) -> list[str]:
    """Say a note that every row shares once."""
    texts = list(dict.fromkeys(note.split(": ", 1)[1] for note in notes))
    return [texts[0]] if len(texts) == 1 and len(notes) > 1 else notes


def measures(task: Task) -> Table:
    """Make the table of all metrics: a row per backbone x configuration, a column per metric."""
    table = task.metrics["table"]
    names = list(dict.fromkeys((row["level"], row["metric"]) for row in table))
    by_name = {(r["backbone"], r["configuration"], r["level"], r["metric"]): r for r in table}
    columns = [*ROW, Column("Flag")]
    columns += [_metric_column(level, name) for level, name in names]
    columns.append(Column("Coverage", "num", "of listed samples; below, of frames asked for"))
    covered = _covered(task)
    cells = [
        [*named(task, row), *[measured(by_name.get((*row, *name))) for name in names], covered]
        for row in row_pairs(table)
    ]
    foot = [*_baselines(names, table), Cell("")]
    caption = f"all metrics of {task.title}, mean over seeds and interval"
    return Table(f"measures-{task.name}", caption, columns, cells, foot=foot, notes=noted(table))


def _covered(task: Task) -> Cell:
    """Make the cell of the test split's coverage; that of frames stands below."""
    cell = _share(task)
    frames = task.splits.get("frame_coverage", {}).get("test")
    small = f"frames {words.percent(frames)}" if frames is not None else ""
    return replace(cell, small="; ".join(filter(None, (cell.small, small))))


def _share(task: Task) -> Cell:
    share = task.metrics["coverage"]
    return covered(share, task.metrics.get("coverage_present", share))


def covered(share: float | None, present: float | None) -> Cell:
    """Make the cell of the share of listed samples; where it differs, that of those there."""
    small = f"of those there {words.percent(present)}" if present != share else ""
    return Cell(words.percent(share), share, small)


def _metric_column(level: str, name: str) -> Column:
    label = f"{level} {words.metric(name)}"
    lower = name in metrics.LOWER_IS_BETTER
    return Column(f"{label} (low is good)" if lower else label, "num")


def row_pairs(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the backbones x configurations of rows, in their order."""
    return list(dict.fromkeys((row["backbone"], row["configuration"]) for row in rows))


def named(task: Task, pair: tuple[str, str]) -> list[Cell]:
    """Make the first cells of a row; a collapsed row says so in every table."""
    return [Cell(pair[0]), Cell(pair[1]), flagged(pair in task.collapsed)]


def noted(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say each note once, with the metrics it is about; why a row collapsed stands elsewhere."""
    about: dict[str, dict[str, None]] = {}
    for row in rows:
        for note in (row["note"] or "").split("; "):
            if note and not note.startswith("collapsed:"):
                about.setdefault(note, {})[f"{row['level']} {words.metric(row['metric'])}"] = None
    return [f"{words.listing(list(names))}: {note}" for note, names in about.items()]


def _baselines(names: list[tuple[str, str]], table: Sequence[Mapping[str, Any]]) -> list[Cell]:
    values = {(row["level"], row["metric"]): row["baseline"] for row in table}
    return [
        Cell("trivial baseline"),
        Cell(""),
        Cell(""),
        *[num(values[name]) for name in names],
    ]
