"""What a section of the page is: an anchor, two names, and its parts."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lssat.report.kit.cells import Table
from lssat.report.kit.figures import Figure
from lssat.report.kit.results import Cross, Task


class Page(NamedTuple):
    """What a section can speak of."""

    params: dict[str, Any]
    tasks: list[Task]
    across: list[Cross]  # results on data sets that runs were only tested on
    families: list[dict]  # ranks over all tasks


class Part(NamedTuple):
    """A part of a section: a heading, paragraphs, figures, tables."""

    title: str
    said: list[str]
    tables: list[Table]
    figures: Sequence[Figure] = ()


class Section(NamedTuple):
    """A section; one with a template `sections/<anchor>.html.j2` has no use for `content`."""

    anchor: str
    name: str  # among the links at the top
    heading: str = ""  # where it is another than the name
    content: Callable[[Page], list[Part]] | None = None

    @property
    def title(self) -> str:
        """The heading."""
        return self.heading or self.name
