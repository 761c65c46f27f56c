"""Draw a plot as SVG: lines, marks, arms of intervals and heat maps, with axes; no script.

Colours are classes (`c0` to `c7`, `soft`) that the style sheet fills for each theme, and every
mark carries its values as a title, which a browser shows under the pointer.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

WIDTH, HEIGHT = 400, 270
_TEXT, _LEAST = 11, 9  # pixels of a text at its natural size, and on a small screen
# Pixels of a label's characters in DejaVu Sans, the widest font that a page falls back to.
_WIDE = {**dict.fromkeys("MWmw%—", 10.8), **dict.fromkeys("/.,:;|!il-' ", 4.0)}
_TOP, _RIGHT, _BOTTOM = 12, 14, 44
_SHAPES = {  # of radius 1
    "square": "M-.9-.9H.9V.9H-.9Z",
    "diamond": "M0-1.25L1.25 0L0 1.25L-1.25 0Z",
    "triangle-up": "M0-1.15L1.1 .85H-1.1Z",
    "triangle-down": "M0 1.15L1.1-.85H-1.1Z",
    "star": "M0-1.4L.4-.45L1.35-.4L.6 .2L.85 1.15L0 .6L-.85 1.15L-.6 .2L-1.35-.4L-.4-.45Z",
    "cross": "M-.4-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
    "x": "M-1-.6L-.6-1L0-.4L.6-1L1-.6L.4 0L1 .6L.6 1L0 .4L-.6 1L-1 .6L-.4 0Z",
    "hexagon": "M-1.1 0L-.55-.95H.55L1.1 0L.55 .95H-.55Z",
}
DASHES = {"solid": "", "dot": "2 3", "dash": "6 4"}
SHAPES = ("circle", *_SHAPES)


@dataclass(frozen=True)
class Axis:
    """An axis as a section asks for it; what is left out follows from the values."""

    title: str = ""
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None  # between ticks
    ticks: Sequence[tuple[float, str]] | None = None  # value, label
    names: Sequence[str] | None = None  # categories, in the direction of the axis
    grid: bool = True


@dataclass(frozen=True)
class Trace:
    """Points of one colour: joined by a line, marked, with an interval each, or all of it."""

    x: Sequence[Any]
    y: Sequence[Any]
    colour: int = -1  # of the palette; -1: the muted one
    key: str = ""  # of the legend, which shows and hides it
    name: str = ""  # that the line tells under the pointer
    line: str = ""  # solid, dot or dash; empty: none
    width: float = 1.6
    steps: bool = False  # across first, then up
    shape: str | Sequence[str] = ""  # of the marks; empty: none
    size: float | Sequence[float] = 6
    spans: Sequence[tuple[float, float] | None] = ()  # the interval of each point
    along: str = "y"  # the axis of the intervals
    hints: Sequence[str] = ()  # that each mark tells under the pointer
    off: bool = False  # shown only when its key is pressed


@dataclass(frozen=True)
class Heat:
    """A matrix of shares, each a cell of as much ink with the share written in it."""

    x: Sequence[str]
    y: Sequence[str]
    shares: Sequence[Sequence[float | None]]
    hints: Sequence[Sequence[str]]
    colour: int = 0


class _Placed(NamedTuple):
    """An axis in pixels."""

    place: Callable[[Any], float]
    ticks: list[tuple[float, str]]
    title: str
    grid: bool


def tint(colour: int) -> str:
    """Return the class of a colour of the palette; -1 is the muted one."""
    return "soft" if colour < 0 else f"c{colour % 8}"


def ticks(low: float, high: float, about: int = 5) -> list[tuple[float, str]]:
    """Return round values between two ends, about so many, and how they are written."""
    values = _nice(low, high, False, None, about)
    return list(zip(values, _texts(values), strict=True))


def shrinks_to(width: float) -> int:
    """Return the width in pixels below which the texts of a drawing would be too small to read.

    On a narrower screen it scrolls in its box.
    """
    return math.ceil(width * _LEAST / _TEXT)


def sized(width: float, height: float) -> str:
    """Return the attributes of a drawing's size: natural, and least."""
    least = f'style="min-width:{shrinks_to(width)}px"'
    return f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" {least}'


def dashed(line: str) -> str:
    """Return the attribute of a line's dashes; nothing where it is solid."""
    return f' stroke-dasharray="{DASHES[line]}"' if DASHES[line] else ""


def mark(shape: str, x: float, y: float, radius: float, title: str = "") -> str:
    """Return one mark; `-open` at the end of a shape makes it hollow."""
    name, hollow = shape.removesuffix("-open"), shape.endswith("-open")
    kind = ' class="hollow"' if hollow else ""
    hover = f"<title>{escape(title)}</title>" if title else ""
    if name == "circle":
        return f'<circle{kind} cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}">{hover}</circle>'
    at = f"translate({_n(x)} {_n(y)}) scale({_n(radius)})"
    return f'<path{kind} transform="{at}" d="{_SHAPES[name]}">{hover}</path>'


def draw(
    traces: Sequence[Trace | Heat], x: Axis, y: Axis, width: int = WIDTH, height: int = HEIGHT
) -> str:
    """Return a plot as SVG, width x height in pixels at its natural size."""
    drawn = drawing(traces, x, y, width, height)
    return f'<svg {sized(width, height)} aria-hidden="true" focusable="false">{drawn}</svg>'


def drawing(traces: Sequence[Trace | Heat], x: Axis, y: Axis, width: int, height: int) -> str:
    """Return what is in a plot, to stand in an SVG beside others."""
    bottom = height - (_BOTTOM if x.title else _BOTTOM - 18)
    up = _axis(y, _reach(traces, "y"), bottom, _TOP)
    left = _left(y, up, width)
    across = _axis(x, _reach(traces, "x"), left, width - _RIGHT)
    frame = _frame(across, up, (left, width - _RIGHT, _TOP, bottom))
    marks = "".join(
        _heat(trace, across, up) if isinstance(trace, Heat) else _trace(trace, across, up)
        for trace in traces
    )
    return frame + marks


def _reach(traces: Sequence[Trace | Heat], axis: str) -> list[Any]:
    """Return the values that an axis must hold: of the points and of their intervals."""
    values = []
    for trace in traces:
        values += [value for value in getattr(trace, axis) if value is not None]
        if isinstance(trace, Trace) and trace.along == axis:
            values += [end for span in trace.spans if span for end in span]
    return values


def _left(axis: Axis, placed: _Placed, width: float) -> float:
    """Return the room for the labels of the vertical axis: at most half of the drawing."""
    wide = max((text_width(text) for _, text in placed.ticks), default=0.0)
    return min(wide + 10, width / 2) + (16 if axis.title else 0)


def text_width(text: str) -> float:
    """Return how wide a text is at most, in pixels at its natural size."""
    return sum(_WIDE.get(letter, 8.0 if letter.isupper() else 7.0) for letter in text)


def fitted(text: str, room: float) -> str:
    """Return a text for so many pixels: of a long one the middle is left out."""
    short, kept = text, len(text)
    while text_width(short) > room and kept > 2:
        kept -= 1
        short = f"{text[: kept // 2]}…{text[-((kept + 1) // 2) :]}"
    return short


def _axis(axis: Axis, values: list[Any], start: float, end: float) -> _Placed:
    if axis.names is not None:
        step = (end - start) / max(len(axis.names), 1)
        places = {name: start + step * (k + 0.5) for k, name in enumerate(axis.names)}
        ticks = [(at, str(name)) for name, at in places.items()]
        return _Placed(places.__getitem__, ticks, axis.title, axis.grid)
    scale: Callable[[float], float] = math.log10 if axis.log else float
    least, most = _padded(values, axis.log)
    low = scale(least if axis.low is None else axis.low)
    high = scale(most if axis.high is None else axis.high)

    def place(value: float) -> float:
        return start + (scale(value) - low) / (high - low) * (end - start)

    marked = axis.ticks
    if marked is None:
        round_ = _nice(low, high, axis.log, axis.step)
        marked = list(zip(round_, _texts(round_), strict=True))
    return _Placed(place, [(place(v), text) for v, text in marked], axis.title, axis.grid)


def _padded(values: list[float], log: bool) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if log:
        return low / 1.3, high * 1.3
    pad = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return low - pad, high + pad


def _nice(low: float, high: float, log: bool, step: float | None, about: int = 5) -> list[float]:
    """Return round values of an axis: about five; of a logarithmic one 1, 2, 5, 10, ..."""
    if log:
        powers = range(math.floor(low), math.ceil(high) + 1)
        values = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        inside = [v for v in values if low <= math.log10(v) <= high]
        return inside if len(inside) < 8 else [v for v in inside if f"{v:e}"[0] == "1"]
    if step is None:
        rough = (high - low) / about
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(digit * power for digit in (1, 2, 2.5, 5, 10) if digit * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _texts(ticks: list[float]) -> list[str]:
    """Write the ticks of an axis with as many decimals as the finest of them has."""
    texts = [f"{tick:.10f}".rstrip("0").rstrip(".") for tick in ticks]
    if ticks and max(map(abs, ticks)) >= 10 * (min(map(abs, ticks)) or 1):
        return [f"{float(text):,g}".replace("-", "−") for text in texts]
    digits = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [f"{tick:,.{digits}f}".replace("-", "−") for tick in ticks]


def _frame(across: _Placed, up: _Placed, box: tuple[float, float, float, float]) -> str:
    left, right, top, bottom = box
    lines, texts = [], []
    for at, text in across.ticks:
        lines += [f"M{_n(at)} {_n(top)}V{_n(bottom)}"] if across.grid else []
        texts.append(_text(at, bottom + 15, text, "middle"))
    for at, text in up.ticks:
        lines += [f"M{_n(left)} {_n(at)}H{_n(right)}"] if up.grid else []
        texts.append(_text(left - 5, at + 3.5, fitted(text, left - (21 if up.title else 5)), "end"))
    if across.title:
        texts.append(_text((left + right) / 2, bottom + 34, across.title, "middle"))
    if up.title:
        middle = (top + bottom) / 2
        turned = f' transform="rotate(-90 11 {_n(middle)})"'
        texts.append(_text(11, middle, up.title, "middle", turned))
    lines.append(f"M{_n(left)} {_n(top)}V{_n(bottom)}H{_n(right)}")
    return f'<path class="axis" d="{"".join(lines)}"/>{"".join(texts)}'


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _trace(trace: Trace, across: _Placed, up: _Placed) -> str:
    places = [
        None if x is None or y is None else (across.place(x), up.place(y))
        for x, y in zip(trace.x, trace.y, strict=True)
    ]
    parts = [_spans(trace, places, across, up)] if trace.spans else []
    if trace.line:
        dash = dashed(trace.line)
        title = f"<title>{escape(trace.name)}</title>" if trace.name else ""
        path = f'd="{_path(places, trace.steps)}" stroke-width="{trace.width}"{dash}'
        parts.append(f'<path class="line" {path}>{title}</path>')
    if trace.shape:
        parts += _marks(trace, places)
    key = f' data-key="{escape(trace.key)}"' if trace.key else ""
    return f'<g class="{tint(trace.colour)}{" off" * trace.off}"{key}>{"".join(parts)}</g>'


def _marks(trace: Trace, places: list[tuple[float, float] | None]) -> list[str]:
    n = len(places)
    sizes = [trace.size] * n if isinstance(trace.size, int | float) else trace.size
    shapes = [trace.shape] * n if isinstance(trace.shape, str) else trace.shape
    hints = trace.hints or [""] * n
    marks = zip(places, sizes, shapes, hints, strict=True)
    return [mark(shape, *at, size / 2, title) for at, size, shape, title in marks if at and size]


def _path(places: list[tuple[float, float] | None], steps: bool) -> str:
    """Join points; None breaks the line."""
    path, pen = [], "M"
    for place in places:
        if place is None:
            pen = "M"
            continue
        x, y = map(_n, place)
        path.append(f"H{x}V{y}" if steps and pen == "L" else f"{pen}{x} {y}")
        pen = "L"
    return "".join(path)


def _spans(trace: Trace, places: list, across: _Placed, up: _Placed) -> str:
    parts = []
    for at, span in zip(places, trace.spans, strict=True):
        if not at or not span:
            continue
        if trace.along == "y":
            low, high = map(up.place, span)
            parts.append(f"M{_n(at[0])} {_n(low)}V{_n(high)}")
        else:
            low, high = map(across.place, span)
            parts.append(f"M{_n(low)} {_n(at[1])}H{_n(high)}")
    return f'<path class="arm" d="{"".join(parts)}"/>'


def _heat(heat: Heat, across: _Placed, up: _Placed) -> str:
    wide, tall = _cell(across), _cell(up)
    cells = []
    for name, shares, hints in zip(heat.y, heat.shares, heat.hints, strict=True):
        for column, share, title in zip(heat.x, shares, hints, strict=True):
            if share is None:
                continue
            x, y = across.place(column), up.place(name)
            box = f'x="{_n(x - wide / 2 + 1)}" y="{_n(y - tall / 2 + 1)}"'
            size = f'width="{_n(wide - 2)}" height="{_n(tall - 2)}"'
            ink = f'fill-opacity="{0.45 * share:.3f}"'
            cells.append(f"<rect {box} {size} {ink}><title>{escape(title)}</title></rect>")
            cells.append(_text(x, y + 3.5, f"{share:.2f}", "middle"))
    return f'<g class="{tint(heat.colour)} heat">{"".join(cells)}</g>'


def _cell(axis: _Placed) -> float:
    places = [at for at, _ in axis.ticks]
    return abs(places[-1] - places[0]) / (len(places) - 1) if len(places) > 1 else 60.0


def _n(value: float) -> str:
    """Write pixels with one decimal at most."""
    return re.sub(r"\.0$", "", f"{value:.1f}")
