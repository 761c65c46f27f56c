"""The tasks: what is predicted, of which data set, and how it is measured."""

import json
from typing import Any, NamedTuple

from lssat.grid.labels import ATTRIBUTES, DEEPFAKE, EMOTIONS
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


# The three official tasks: only the readers of their releases look here.
_OFFICIAL = (
    Task("ffpp", "binary", "auc", "video", "Deepfake detection (FaceForensics++)", DEEPFAKE),
    Task(
        *("celeba", "multilabel", "balanced_accuracy", "image", "Face attributes (CelebA)"),
        ATTRIBUTES,
    ),
    Task("affectnet", "multiclass", "top1", "image", "Emotion recognition (AffectNet)", EMOTIONS),
)
TASKS = {task.name: task for task in _OFFICIAL}
# Data sets that are only tested on: the same two classes as FaceForensics++.
CROSS = {
    "celebdf": TASKS["ffpp"]._replace(name="celebdf", title="Celeb-DF v2"),
    "dfdc": TASKS["ffpp"]._replace(name="dfdc", title="DFDC"),
    "dfd": TASKS["ffpp"]._replace(name="dfd", title="DeepFakeDetection"),
}
