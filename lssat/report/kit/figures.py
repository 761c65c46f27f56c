"""Figures: plots that share a legend, a caption and, where there are many, a list to choose by."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lssat.report.kit import svg
from lssat.report.kit.svg import Axis, Heat, Trace

_PHONE = 330  # pixels for a figure on a narrow phone


@dataclass(frozen=True)
class Key:
    """One entry of a legend: a button that shows and hides what has its label as key."""

    label: str
    colour: int
    value: str = ""
    shape: str = ""  # of its marks; empty: a line
    line: str = "solid"
    off: bool = False  # nothing of it is shown until it is pressed

    @property
    def sample(self) -> Markup:
        """What it looks like."""
        if self.shape:
            drawn = svg.mark(self.shape, 12, 6, 4)
        else:
            drawn = f'<path class="line" d="M0 6H24" stroke-width="2.5"{svg.dashed(self.line)}/>'
        head = f'<svg class="{svg.tint(self.colour)}" viewBox="0 0 24 12" width="24" height="12"'
        return Markup(f'{head} aria-hidden="true" focusable="false">{drawn}</svg>')


@dataclass(frozen=True)
class Plot:
    """One drawing area: an id, a title, what is drawn, and its axes."""

    id: str
    title: str
    traces: Sequence[Trace | Heat]
    x: Axis
    y: Axis
    width: int = svg.WIDTH  # pixels at its natural size
    height: int = svg.HEIGHT
    keys: Sequence[Key] = ()  # of this plot alone
    group: str = ""  # in a figure to choose from: plots of one group are shown together

    @property
    def scrolls(self) -> bool:
        """Whether it is wider than a phone, so that the keyboard must reach its box."""
        return svg.shrinks_to(self.width) > _PHONE

    @property
    def svg(self) -> Markup:
        """The drawing; every text in it is escaped there."""
        return Markup(svg.draw(self.traces, self.x, self.y, self.width, self.height))


@dataclass(frozen=True)
class Figure:
    """Plots that share a legend, with a summary in words for those who do not see them."""

    title: str
    summary: str
    keys: list[Key]
    plots: list[Plot]
    choose: str = ""  # what the reader chooses one of the plots by; empty: all are shown
    caption: str = ""  # below it: what the picture is, units and n

    @property
    def groups(self) -> list[str]:
        """What a reader chooses among."""
        return list(dict.fromkeys(plot.group or plot.title for plot in self.plots))


def diagonal(top: float = 1.0) -> Trace:
    """Return the dotted line on which both axes are alike."""
    return Trace([0, top], [0, top], line="dot", width=1)
