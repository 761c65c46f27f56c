"""The first screen's figure: each row's mean and interval, beside the trivial baseline.

Rows stand in the order of their means. A band marks those that may be first: no pair of them is
shown to differ, since each of them is shown to be worse than none (`metrics.json`, `ranks`: Holm's
correction over each two rows of the task).
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from markupsafe import Markup

from lssat.report.kit import svg, traces, words
from lssat.report.kit.results import Task
from lssat.report.sections import format_alone
from lssat.tables.metric_tables import Rank

MOST = 24  # rows of a task that are drawn; all stand under Results
_ROW, _GAP, _PLOT, _TOP, _FOOT = 20, 7, 126, 26, 22
_MEAN, _RANK = 42, 34  # widths of the two columns of numbers
_DOT, _CAP = 3.2, 5.5  # half a mark, and half a cap at the end of an interval
Row = Mapping[str, Any]
Place = Callable[[float], float]


class Forest(NamedTuple):
    """What the first screen shows of a task."""

    title: str
    what: str  # the measure, its unit, and on how much data
    top: str  # the row of the highest mean
    keys: list[tuple[str, str]]  # class of the sample, words
    svg: Markup
    summary: str
    text: str
    more: str  # what is folded: what the format alone tells


def forests(tasks: Sequence[Task]) -> list[Forest]:
    """Describe all tasks, with room for the longest name in each."""
    names = [_label(row) for task in tasks for row in task.best_first]
    room = min(max(map(svg.text_width, names), default=0) + 12, 330)
    return [_forest(task, room) for task in tasks]


def _name(row: Row) -> str:
    return f"{row['backbone']} {row['configuration']}"


def _forest(task: Task, room: float) -> Forest:
    metrics, rows = task.metrics, task.best_first
    drawn = [row for row in rows if row["mean"] is not None][:MOST]
    seeds, level = words.seeds(task.trained or rows), metrics["level"]
    number = f"{words.measure(metrics)}: mean over {seeds} and {words.confidence(metrics)}"
    tested = (
        f"{words.count(metrics['n'][level], level)} in {words.count(metrics['groups'], 'group')}"
    )
    texts = [*words.headline(metrics, rows), format_alone.warning(task), *_left_out(rows, drawn)]
    return Forest(
        task.title,
        words.capital(f"{number}, on {tested}"),
        f"Highest: {_mean(drawn[0])}, {_name(drawn[0])}" if drawn else "No row has a number.",
        _keys(task),
        Markup(_draw(task, drawn, room)) if drawn else Markup(""),
        "; ".join(f"{_name(row)} {_mean(row)}" for row in drawn),
        " ".join(filter(None, texts)),
        format_alone.sentence(task),
    )


def _mean(row: Row) -> str:
    return words.spanned(row["mean"], row)


def _left_out(rows: Sequence[Row], drawn: Sequence[Row]) -> list[str]:
    undefined = sum(row["mean"] is None for row in rows)
    more = len(rows) - len(drawn) - undefined
    return [
        *([f"{words.count(more, 'row')} of lower means stand under Results."] if more else []),
        *([f"{words.count(undefined, 'row')} without a number."] if undefined and drawn else []),
    ]


def _keys(task: Task) -> list[tuple[str, str]]:
    """Say what the tests over each two rows leave open: the sample's class, and the words."""
    ranks = task.metrics["ranks"]
    top, others = sum(rank["top"] for rank in ranks), len(ranks) - 1
    if others < 1:
        return []
    rest = "the other row" if others == 1 else f"each of the {others} other rows"
    first = f"may be first: none of these {top} rows is shown to be worse"
    # one at the top: each other row is worse than it, or than one that is worse than it
    keys = [("band", first if top > 1 else f"shown to be better than {rest}")]
    return keys + ([("worse", "shown to be worse than another row")] if top <= others else [])


def _draw(task: Task, drawn: Sequence[Row], room: float) -> str:
    ranks = {words.pair(rank): rank for rank in task.metrics["ranks"]}
    low, high = _span(drawn)
    width = room + _PLOT + _MEAN + _RANK
    bands, rows, y, before = [], [], _TOP, None

    def place(value: float) -> float:
        return room + (value - low) / (high - low) * _PLOT

    for row in drawn:
        rank = ranks.get(words.pair(row))
        top = bool(rank and rank["top"])
        y += _GAP if before not in (None, top) else 0
        before = top
        if top:
            bands.append(f'<rect class="band" y="{y:g}" width="{width:g}" height="{_ROW}"/>')
        rows.append(_row(row, rank, y, room, width, place))
        y += _ROW
    head = _text(width - _RANK - 4, 12, "mean", "end") + _text(width - 4, 12, "rank", "end")
    axis = f'<path class="axis" d="M{room} {y + 2}H{room + _PLOT}"/>'
    scale = svg.ticks(low, high, 4)
    axis += "".join(_text(place(value), y + 17, label, "middle") for value, label in scale)
    base = drawn[0]["baseline"]
    line = "" if base is None else _baseline(place(base), y, base, room)
    return (
        f'<svg class="forest" {svg.sized(width, y + _FOOT)} aria-hidden="true" focusable="false">'
        f"{head}{''.join(bands)}{line}{''.join(rows)}{axis}</svg>"
    )


def _span(rows: Sequence[Row]) -> tuple[float, float]:
    ends = [row[end] for row in rows for end in ("low", "mean", "high", "baseline")]
    known = [end for end in ends if end is not None]
    pad = 0.04 * (max(known) - min(known)) or 0.05
    return min(known) - pad, max(known) + pad


def _row(row: Row, rank: Rank | None, y: float, room: float, width: float, place: Place) -> str:
    middle = y + _ROW / 2
    arm = ""
    if row["low"] is not None and row["high"] is not None:
        ends = place(row["low"]), place(row["high"])
        # caps, since a mark hides an interval that is narrower than it
        caps = "".join(f"M{x:.1f} {middle - _CAP:g}v{2 * _CAP:g}" for x in ends)
        arm = f'<path class="arm" d="M{ends[0]:.1f} {middle:g}H{ends[1]:.1f}{caps}"/>'
    hint = f"{_name(row)}: {traces.hint(row)}"
    shape = "diamond-open" if row["collapsed"] else "circle"
    dot = svg.mark(shape, place(row["mean"]), middle, _DOT, hint)
    label = _text(room - 8, middle + 4, _fitted(row, room - 8), "end")
    numbers = _text(width - _RANK - 4, middle + 4, words.number(row["mean"]), "end")
    ranked = _text(width - 4, middle + 4, words.ranks(rank).replace(" to ", "–"), "end")
    kind = "top" if rank and rank["top"] else "worse"
    return f'<g class="{kind}">{arm}{dot}{label}{numbers}{ranked}</g>'


def _label(row: Row) -> str:
    return _name(row) + (" ▲" if row["collapsed"] else "")


def _fitted(row: Row, room: float) -> str:
    """Return a row's label for so many pixels: of a long name the backbone's middle is cut."""
    label, backbone = _label(row), row["backbone"]
    for kept in range(len(backbone) - 2, 1, -1):
        if svg.text_width(label) <= room:
            break
        short = f"{backbone[: kept // 2]}…{backbone[len(backbone) - (kept + 1) // 2 :]}"
        label = _label(row).replace(backbone, short, 1)
    return label


def _baseline(x: float, bottom: float, value: float, room: float) -> str:
    side = "start" if x < room + _PLOT / 2 else "end"
    line = f'<path class="base" d="M{x:.1f} {_TOP - 6}V{bottom + 2:g}"/>'
    return line + _text(x, 12, f"trivial {words.number(value)}", side)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
