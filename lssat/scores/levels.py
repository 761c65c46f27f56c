"""The test rows of a task's predictions as arrays, at each level: image, or frame and video."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import metrics
from lssat.tables import DataError


class Level(NamedTuple):
    """The test samples seen as frames, videos or images, and what each run says of them."""

    name: str
    kind: str
    ids: list[str]
    labels: np.ndarray  # (N,), or (N, A) for multilabel
    groups: list[str]
    subsets: np.ndarray  # (N,)
    scores: dict[str, np.ndarray]  # run -> probabilities (N,), (N, A) or (N, K)


def levels(predictions: pa.Table, task: str, kind: str) -> Iterator[Level]:
    """Yield the levels of the test rows: image, or frame and then video."""
    test = predictions.filter(pc.equal(predictions["split"], "test"))
    names = test["level"].unique().to_pylist()
    if len(names) != 1:
        found = f"levels {', '.join(names)} mixed" if names else "no rows of the test split"
        raise _wrong(task, found)
    parts = {
        run: test.filter(pc.equal(test["run"], run)).sort_by(
            [("id", "ascending"), ("frame", "ascending")]
        )
        for run in test["run"].unique().to_pylist()
    }
    first = _same_samples(parts, task)
    labels = matrix(first["labels"], task)
    level = Level(
        names[0],
        kind,
        first["id"].to_pylist(),
        labels if kind == "multilabel" else labels[:, 0],
        first["group"].to_pylist(),
        np.array(first["subset"].to_pylist()),
        {run: _scores(kind, matrix(part["logits"], task)) for run, part in parts.items()},
    )
    yield level
    if level.name == "frame":
        yield _videos(level, task)


def _same_samples(parts: dict[str, pa.Table], task: str) -> pa.Table:
    """Return the first run's rows after holding all others to the same samples and labels."""
    (name, first), *others = parts.items()
    columns = ["id", "frame", "labels", "group", "subset"]
    for run, part in others:
        if not part.select(columns).equals(first.select(columns)):
            rows = f"{part.num_rows} and {first.num_rows} test rows"
            raise _wrong(task, f"{run} and {name} differ in their samples or labels ({rows})")
    frames = first.num_rows - first.group_by(["id", "frame"]).aggregate([]).num_rows
    if frames:
        raise _wrong(task, f"{frames} test rows repeat an id and frame of {name}")
    return first


def _wrong(task: str, problem: str) -> DataError:
    return DataError(f"predictions of {task}", problem, "Run its evaluation again")


def matrix(column: pa.ChunkedArray, task: str) -> np.ndarray:
    """Return a column of lists of one length L as an array (N, L)."""
    lengths = sorted(pc.list_value_length(column).unique().to_pylist())
    if len(lengths) != 1 or not lengths[0]:
        raise _wrong(task, f"labels or logits of lengths {lengths} where one length is needed")
    return pc.list_flatten(column).to_numpy(zero_copy_only=False).reshape(-1, lengths[0])


def _scores(kind: str, logits: np.ndarray) -> np.ndarray:
    scores = metrics.probabilities(kind, logits)
    return scores[:, 0] if kind == "binary" else scores


def _videos(frames: Level, task: str) -> Level:
    """Average the frames of each video; its label, group and subset are its frames'."""
    ids, labels = metrics.video_scores(frames.ids, frames.labels)
    if not np.isin(labels, (0, 1)).all():
        raise _wrong(task, "frames of one video have different labels")
    first = np.unique(frames.ids, return_index=True)[1]
    order = np.sort(first)  # as video_scores: in the order of first appearance
    scores = {
        run: metrics.video_scores(frames.ids, values)[1] for run, values in frames.scores.items()
    }
    return Level(
        *("video", frames.kind, ids, labels.astype(int)),
        *([frames.groups[at] for at in order], frames.subsets[order], scores),
    )
