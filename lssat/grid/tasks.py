"""The tasks: what is predicted, of which data set, and how it is measured."""

import json
from typing import Any, NamedTuple

from lssat.tables import DataError


class Task(NamedTuple):
    """What a task is: it travels in the header of the tables from the manifest to the splits."""

    name: str  # of its data set, so that data, runs and results share one name
    kind: str  # binary | multilabel | multiclass
    metric: str  # the headline metric; also the default for choosing the epoch
    level: str  # of the headline: image, or video, whose score is the mean over its frames
    title: str
    classes: tuple[str, ...]  # names of the classes (binary: the positive one last) or attributes

    @property
    def outputs(self) -> int:
        """Number of logits: one for `binary`, otherwise one a class or attribute."""
        return 1 if self.kind == "binary" else len(self.classes)

    def answers(self, tested: "Task") -> list[int]:
        """Return which outputs of this task's runs answer for another data set's classes.

        Binary tasks each have one output, of the positive class; others have one for each class
        or attribute, which are matched by name. Those that the other lacks are not asked.

        Returns:
            `tested.outputs` indices of outputs, in the order of `tested.classes`.

        Raises:
            ValueError: it is another kind of task, or has classes that this one has not.
        """
        if tested.kind != self.kind:
            raise ValueError(f"is {tested.kind}, and {self.name} is {self.kind}")
        if self.kind == "binary":
            return [0]
        at = {name: place for place, name in enumerate(self.classes)}
        if strange := [name for name in tested.classes if name not in at]:
            what = "attributes" if self.kind == "multilabel" else "classes"
            named, known = ", ".join(strange), ", ".join(self.classes)
            raise ValueError(f"has {what} that {self.name} has not: {named}; it has {known}")
        return [at[name] for name in tested.classes]

    def header(self) -> dict[str, str]:
        """Return what `read_task` reads back, for the header of a table."""
        return {"task": json.dumps(self._asdict())}


def read_task(header: dict[str, str], file: Any) -> Task:
    """Read a task from the header (`tables.metadata`) of a manifest or split.

    Raises:
        DataError: the table `file` says of no task: an older version wrote it.
    """
    try:
        task = Task(**json.loads(header["task"]))
    except (KeyError, TypeError, ValueError):
        raise DataError(file, "does not say what its task is", "Run its step again") from None
    return task._replace(classes=tuple(task.classes))
