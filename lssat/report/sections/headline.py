"""The tables of results: the headline of a task, and all of its metrics."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lssat import grid, metrics
from lssat.report.kit import columns, words
from lssat.report.kit.cells import (
    ROW,
    Bar,
    Cell,
    Column,
    Table,
    anchor,
    flag_of,
    interval,
    measured,
    num,
    shown,
)
from lssat.report.kit.results import Task
from lssat.report.sections import format_alone
from lssat.tables import Row

_EMPTY = Cell("")
Scale = tuple[float, float]


def headline(task: Task) -> Table:
    """Make the headline table: a row per backbone x configuration, all that qualifies a number."""
    rows, scored = task.best_first, task.metrics
    beside = metrics.BESIDE[scored["kind"]]
    probe = format_alone.row_of(task, scored["metric"])
    probe = probe if probe and probe["mean"] is not None else None
    scale = _scale([*rows, *([probe] if probe else [])])
    ranks = {words.pair(rank): rank for rank in scored["ranks"]}
    best = words.best(rows)
    shown_columns = [
        *ROW,
        Column("Mean", "num", f"{words.measure(scored)}, mean over seeds", "mean"),
        Column(words.confidence(scored), "num", "of other test sets and trainings", interval),
        Column("Interval, baseline", "mark", f"from {scale[0]:.2f} to {scale[1]:.2f}",
               lambda row: Cell("", row["mean"], bar=_bar(row, scale))),
        Column("Rank", "num", "that the tests leave possible; all hold together in 95 %",
               lambda row: _rank(ranks.get(words.pair(row)))),
        columns.COLLAPSED,  # not before the mean, which a phone would then not show
        *[
            Column(words.heading(name), "num", "mean over seeds", _beside(task, name))
            for name in beside
        ],
        *[
            Column(f"Seed {seed}", "num", "each links to its run", _of_seed(seed))
            for seed in task.all_seeds
        ],
        columns.BASELINE,
        Column("Beats it", hint="shown to, with a correction for the number of rows",
               value=columns.beats),
        columns.n(task),
        Column("Coverage", "num", "share of the samples listed in the test split that is scored",
               lambda row: _coverage(task)),
    ]  # fmt: skip
    return Table.of(
        f"headline-{task.name}",
        f"{words.measure(scored)}, {scored['level']} level, {scored['split']} split",
        shown_columns,
        rows,
        best=next((place for place, row in enumerate(rows) if row is best), None),
        foot=_foot(task, rows[0]),
        feet=[_format(task, probe, scale)] if probe else [],
        notes=[*_notes(rows), *filter(None, [format_alone.sentence(task)])],
    )


def _of_seed(seed: int) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        if seed not in row["seeds"]:
            return Cell(words.DASH)
        place = row["seeds"].index(seed)
        value, run = row["values"][place], row["runs"][place]
        linked = row["configuration"] != grid.EXTERNAL  # of those the page has no run
        return Cell(words.number(value), value, link="#" + anchor(run) if linked else "")

    return cell


def _rank(rank: Mapping[str, Any] | None) -> Cell:
    """Make the cell of the ranks that a row may have; undefined rows have none."""
    return Cell(words.ranks(rank), rank["best"] if rank else None)


def _notes(rows: list[Row]) -> list[str]:
    """Return the notes of rows; one that all share is said once."""
    notes = [(words.name(row), row["note"]) for row in rows if row["note"]]
    if len(notes) > 1 and len({note for _, note in notes}) == 1:
        return [str(notes[0][1])]
    return [f"{name}: {note}" for name, note in notes]


def beside(task: Task, row: Mapping[str, Any], metric: str) -> Row | None:
    """Return the row of another metric of the same backbone, configuration and level."""
    for other in task.metrics["table"]:
        same = (other["metric"], other["level"]) == (metric, row["level"])
        if same and words.pair(other) == words.pair(row):
            return other
    return None


def _beside(task: Task, metric: str) -> Callable[[Row], Cell]:
    return lambda row: measured(beside(task, row, metric))


def _foot(task: Task, row: Row) -> list[Cell]:
    """Make the last row of the headline table: the trivial baselines of its metrics."""
    others = [beside(task, row, metric) for metric in metrics.BESIDE[task.metrics["kind"]]]
    values = [num(other["baseline"] if other else None) for other in others]
    first = [Cell("trivial baseline"), _EMPTY, num(row["baseline"]), *[_EMPTY] * 4]
    return [*first, *values, *[_EMPTY] * (len(task.all_seeds) + 4)]


def _format(task: Task, row: Mapping[str, Any], scale: Scale) -> list[Cell]:
    """Make the row of what the format of the files alone reaches."""
    others = [format_alone.row_of(task, name) for name in metrics.BESIDE[task.metrics["kind"]]]
    return [
        Cell(format_alone.LABEL),
        _EMPTY,
        num(row["mean"]),
        interval(row),
        Cell("", row["mean"], bar=_bar(row, scale)),
        Cell(words.DASH),
        _EMPTY,
        *[measured(other) if other else _EMPTY for other in others],
        *[_EMPTY] * len(task.all_seeds),
        num(row["baseline"]),
        shown(task.format["above"], flag="bad"),
        num(task.format["n"]),
        _EMPTY,
    ]


def _scale(rows: Sequence[Mapping[str, Any]]) -> Scale:
    keys = ("low", "mean", "high", "baseline")
    values = [row[key] for row in rows for key in keys if row[key] is not None] or [0, 1]
    pad = 0.04 * (max(values) - min(values)) or 0.05
    return min(values) - pad, max(values) + pad


def _bar(row: Mapping[str, Any], scale: Scale) -> Bar | None:
    if row["mean"] is None or row["low"] is None or row["high"] is None:
        return None

    def place(value: float) -> float:
        return round(100 * (value - scale[0]) / (scale[1] - scale[0]), 2)

    baseline = None if row["baseline"] is None else place(row["baseline"])
    return Bar(place(row["low"]), place(row["mean"]), place(row["high"]), baseline)


def measures(task: Task) -> Table:
    """Make the table of all metrics: a row per backbone x configuration, a column per metric."""
    table = task.metrics["table"]
    by_measure: dict[str, list[Row]] = {}
    for row in table:
        lower = " (low is good)" if words.lower_is_better(row["metric"]) else ""
        by_measure.setdefault(f"{words.measure(row)}{lower}", []).append(row)
    covered = _coverage(task, frames=task.splits.get("frame_coverage", {}).get("test"))
    hint = "of listed samples; below, of frames asked for"
    baselines = [num(rows[-1]["baseline"]) for rows in by_measure.values()]
    return Table.of(
        f"measures-{task.name}",
        f"all metrics of {task.title}, mean over seeds and interval",
        [*ROW, flag_of(task), *(columns.score_in(rows, name) for name, rows in by_measure.items()),
         Column("Coverage", "num", hint, lambda row: covered)],
        {words.pair(row): row for row in table}.values(),
        foot=[Cell("trivial baseline"), _EMPTY, _EMPTY, *baselines, _EMPTY],
        notes=noted(table),
    )  # fmt: skip


def _coverage(task: Task, frames: float | None = None) -> Cell:
    """Make the cell of the test split's coverage; that of frames, if there are any, below."""
    cell = covered(task.metrics["coverage"], task.metrics["coverage_present"])
    if frames is None:
        return cell
    small = f"frames {words.percent(frames)}"
    return replace(cell, small="; ".join(filter(None, (cell.small, small))))


def covered(share: float | None, present: float | None) -> Cell:
    """Make the cell of the share of listed samples; where it differs, that of those there."""
    small = f"of those there {words.percent(present)}" if present != share else ""
    return Cell(words.percent(share), share, small)


def parts(row: Mapping[str, Any]) -> list[str]:
    """Return the parts of a row's note; why it collapsed stands below the headline."""
    notes = (row["note"] or "").split("; ")
    return [note for note in notes if note and not note.startswith("collapsed:")]


def noted(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say each note once, with the metrics it is about."""
    return words.about((words.measure(row), note) for row in rows for note in parts(row))
