"""Curves by epoch as SVG: small, the same bytes for the same numbers, shown without a script."""

import html
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# Okabe and Ito's colours, told apart by colour-blind readers as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
_WIDE, _PLOT = 460, 190  # pixels of a panel, and of the plot's height in it
_LEFT, _RIGHT, _TOP, _BELOW = 46, 12, 26, 30  # of its margins, without the legend
_LINE, _LETTER = 15, 6.2  # pixels of the legend's


class Panel(NamedTuple):
    """One plot: a title, and lines by name, a value an epoch; None is a gap.

    Lines of one group, the part of their names before `#`, share a colour and a place in the
    legend.
    """

    title: str
    lines: Mapping[str, Sequence[float | None]]


def svg(panels: Sequence[Panel], across: int = 3) -> str:
    """Draw panels in rows of at most `across`."""
    shown = [panel for panel in panels if any(map(_known, panel.lines.values()))]
    columns = min(across, max(1, len(shown)))
    rows = -(-len(shown) // columns)
    below = _TOP + max((_legend(panel)[1] for panel in shown), default=0)
    high = below + _PLOT + _BELOW
    size = f'width="{columns * _WIDE}" height="{max(1, rows) * high}"'
    parts = [
        f'<g transform="translate({n % columns * _WIDE},{n // columns * high})">'
        f"{_panel(panel, below)}</g>"
        for n, panel in enumerate(shown)
    ]
    style = 'font-family="sans-serif" font-size="11" fill="#222"'
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{ground}{"".join(parts)}</svg>'


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None and abs(value) < 1e30]


def _legend(panel: Panel) -> tuple[dict[str, tuple[float, int, str]], int]:
    """Return left, top and colour of each group's entry, and the height of all."""
    x, y, entries = float(_LEFT), 0, {}
    groups = dict.fromkeys(name.partition("#")[0] for name in panel.lines)
    for group, colour in zip(groups, itertools.cycle(COLOURS), strict=False):
        width = 26 + _LETTER * len(group)
        if x > _LEFT and x + width > _WIDE:
            x, y = float(_LEFT), y + _LINE
        entries[group] = (x, y, colour)
        x += width
    return entries, y + _LINE


def _panel(panel: Panel, top: int) -> str:
    values = [value for line in panel.lines.values() for value in _known(line)]
    low, high = min(values), max(values)
    span = high - low or 1.0
    last = max(len(line) for line in panel.lines.values()) - 1 or 1
    groups, _ = _legend(panel)
    right, floor = _WIDE - _RIGHT, top + _PLOT

    def place(epoch: int, value: float) -> str:
        x = _LEFT + (right - _LEFT) * epoch / last
        return f"{x:.1f},{floor - _PLOT * (value - low) / span:.1f}"

    parts = [f'<text x="{_LEFT}" y="16" font-weight="bold">{html.escape(panel.title)}</text>']
    for step in range(5):
        value = low + span * step / 4
        y = floor - _PLOT * step / 4
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    parts.append(f'<text x="{_LEFT}" y="{floor + 15}">epoch 0</text>')
    parts.append(f'<text x="{right}" y="{floor + 15}" text-anchor="end">{last}</text>')
    for name, line in panel.lines.items():
        points = [place(n, v) for n, v in enumerate(line) if v is not None and abs(v) < 1e30]
        drawn = f'stroke="{groups[name.partition("#")[0]][2]}" fill="none" stroke-width="1.5"'
        parts.append(f'<polyline points="{" ".join(points)}" {drawn}/>')
    for group, (x, y, colour) in groups.items():
        parts.append(f'<rect x="{x:.0f}" y="{y + 26}" width="9" height="9" fill="{colour}"/>')
        parts.append(f'<text x="{x + 13:.0f}" y="{y + 35}">{html.escape(group)}</text>')
    return "".join(parts)
