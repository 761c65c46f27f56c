"""What a section of the page is: an anchor, two names, and what it shows."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lssat.report.kit.cells import Table
from lssat.report.kit.figures import Figure
from lssat.report.kit.results import Cross, Task
from lssat.tables import face_privacy
from lssat.tables.metric_tables import RankFamily


class Page(NamedTuple):
    """What a section can speak of."""

    params: dict[str, Any]
    tasks: list[Task]
    across: list[Cross]  # results on data sets that runs were only tested on
    families: list[RankFamily]  # ranks over all tasks
    rejects: Sequence[dict] = ()

    def place(self, task: Task) -> str:
        """Return where the faces of a task's data set may be shown (`face_privacy.place`)."""
        return face_privacy.place(task.name, self.params)

    @property
    def of_data_sets(self) -> list[Task]:
        """One task of each data set."""
        first = {task.metrics["dataset"]: task for task in reversed(self.tasks)}
        return list(first.values())[::-1]

    @property
    def tinted(self) -> str:
        """What was done to the faces of the built-in sample, if it is on the page."""
        if not any(face_privacy.sample(task.name, self.params) for task in self.tasks):
            return ""
        return (
            "The sample’s labels are drawn over real faces: its fakes are tinted, and its "
            "attributes and emotions are marks, so that a model can learn them in minutes."
        )


class Part(NamedTuple):
    """A part of a section: a heading, paragraphs, figures, tables; some of them folded."""

    title: str
    said: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    folded: Sequence[tuple[str, Table]] = ()  # each with its line
    lead: str = ""


def by_task(show: Callable[[Task], Any]) -> Callable[[Page], list]:
    """Return the content of a section that shows the same of each task that has it."""
    return lambda page: [shown for task in page.tasks if (shown := show(task))]


class Section(NamedTuple):
    """A section, which is left out where `content` returns nothing.

    A template `sections/<anchor>.html.j2` shows `content` as it likes; without one it is a
    sequence of parts.
    """

    anchor: str
    name: str  # among the links at the top
    heading: str = ""  # where it is another than the name
    content: Callable[[Page], Any] = lambda page: []
    lead: str = ""  # above its parts
    ask: str = ""  # what fills it, where it is not there

    @property
    def title(self) -> str:
        """The heading."""
        return self.heading or self.name
