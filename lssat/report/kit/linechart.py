"""Curves by epoch as a file of SVG, which brings its own style and needs no page around it."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from lssat.report.kit import svg as kit
from lssat.report.kit.svg import Axis, Trace

# Okabe and Ito's colours, told apart by colour-blind readers as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
_WIDE, _HIGH = 460, 240  # pixels of a plot
_TOP, _LINE = 26, 15  # of its title, and of a line of its legend
_STYLE = (
    "text{font-family:sans-serif;font-size:11px;fill:#222}.axis,.line{fill:none}.axis{stroke:#ddd}"
)
_STYLE += ".line{stroke:currentColor}rect{fill:currentColor}"
_STYLE += "".join(f".{kit.tint(n)}{{color:{colour}}}" for n, colour in enumerate(COLOURS))


class Panel(NamedTuple):
    """One plot: a title, and lines by name, a value an epoch; None is a gap.

    Lines of one group, the part of their names before `#`, share a colour and a place in the
    legend.
    """

    title: str
    lines: Mapping[str, Sequence[float | None]]

    @property
    def groups(self) -> list[str]:
        """What the legend names."""
        return list(dict.fromkeys(name.partition("#")[0] for name in self.lines))


def svg(panels: Sequence[Panel], across: int = 3) -> str:
    """Draw panels in rows of at most `across`."""
    shown = [panel for panel in panels if any(any(map(_is_known, v)) for v in panel.lines.values())]
    legends = [_legend(panel) for panel in shown]
    below = _TOP + _LINE * max((lines for _, lines in legends), default=0)
    columns = min(across, max(1, len(shown)))
    size = columns * _WIDE, max(1, -(-len(shown) // columns)) * (below + _HIGH)
    parts = [
        f'<g transform="translate({n % columns * _WIDE},{n // columns * (below + _HIGH)})">'
        f'<text x="8" y="16" font-weight="bold">{escape(panel.title)}</text>{legend}'
        f'<g transform="translate(0,{below})">{_plot(panel)}</g></g>'
        for n, (panel, (legend, _)) in enumerate(zip(shown, legends, strict=True))
    ]
    ground = f'<style>{_STYLE}</style><path d="M0 0H{size[0]}V{size[1]}H0Z" fill="#fff"/>'
    head = f'xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}"'
    return f"<svg {head}>{ground}{''.join(parts)}</svg>"


def _is_known(value: float | None) -> bool:
    return value is not None and abs(value) < 1e30


def _legend(panel: Panel) -> tuple[str, int]:
    """Return the entries of all groups, and how many lines they take."""
    x, line, entries = 8.0, 0, []
    for number, group in enumerate(panel.groups):
        width = 26 + kit.text_width(group)
        if x > 8 and x + width > _WIDE:
            x, line = 8.0, line + 1
        mark = f'<rect x="{x:.0f}" y="{_TOP + _LINE * line}" width="9" height="9"/>'
        text = f'<text x="{x + 13:.0f}" y="{_TOP + 9 + _LINE * line}">{escape(group)}</text>'
        entries.append(f'<g class="{kit.tint(number)}">{mark}{text}</g>')
        x += width
    return "".join(entries), line + 1


def _plot(panel: Panel) -> str:
    traces = []
    for name, line in panel.lines.items():
        values = [value if _is_known(value) else None for value in line]
        colour = panel.groups.index(name.partition("#")[0])
        traces.append(Trace(range(len(values)), values, colour, name=name, line="solid"))
    last = max(1, *(len(line) - 1 for line in panel.lines.values()))
    return kit.drawing(
        traces, Axis("epoch", 0, last, step=max(1, round(last / 5))), Axis(), _WIDE, _HIGH
    )
