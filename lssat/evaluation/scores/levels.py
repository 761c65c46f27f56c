"""The test rows of a task's predictions as arrays, at each level: image, or frame and video."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import metrics
from lssat.tables import DataError


class Level(NamedTuple):
    """The test samples as frames, videos or images, and the scores of each run."""

    name: str
    kind: str
    ids: list[str]
    labels: np.ndarray  # (N,), or (N, A) for multilabel
    groups: list[str]
    subsets: np.ndarray  # (N,)
    scores: dict[str, np.ndarray]  # run -> probabilities (N,), (N, A) or (N, K)


def levels(predictions: pa.Table, task: str, kind: str) -> list[list[Level]]:
    """Return the levels of the test rows, for each kind of row that runs were scored on.

    Returns:
        [[image]], or of a task on videos [[frame, video]] for encoders of images, [[clip, video]]
        for encoders of clips, or both: a clip may be missing where frames are there, so the two
        are never mixed. The last of each list is the headline's.
    """
    test = predictions.filter(pc.equal(predictions["split"], "test"))
    names = test["level"].unique().to_pylist()
    if not names:
        raise _wrong(task, "no rows of the test split")
    if "image" in names and len(names) > 1:
        raise _wrong(task, f"levels {', '.join(names)} mixed")
    return [_levels(test.filter(pc.equal(test["level"], name)), task, kind) for name in names]


def _levels(test: pa.Table, task: str, kind: str) -> list[Level]:
    order = [(key, "ascending") for key in ("id", "frame", "clip")]
    parts = {
        run: test.filter(pc.equal(test["run"], run)).sort_by(order)
        for run in test["run"].unique().to_pylist()
    }
    first = _same_samples(parts, task)
    labels = matrix(first["labels"], task)
    level = Level(
        first["level"][0].as_py(),
        kind,
        first["id"].to_pylist(),
        labels if kind == "multilabel" else labels[:, 0],
        first["group"].to_pylist(),
        np.array(first["subset"].to_pylist()),
        {run: _scores(kind, matrix(part["logits"], task)) for run, part in parts.items()},
    )
    return [level] if level.name == "image" else [level, _videos(level, task)]


def _same_samples(parts: dict[str, pa.Table], task: str) -> pa.Table:
    """Return the first run's rows after checking that all have the same samples and labels."""
    (name, first), *others = parts.items()
    columns = ["id", "frame", "clip", "labels", "group", "subset"]
    for run, part in others:
        if not part.select(columns).equals(first.select(columns)):
            rows = f"{part.num_rows} and {first.num_rows} test rows"
            raise _wrong(task, f"{run} and {name} differ in their samples or labels ({rows})")
    frames = first.num_rows - first.group_by(["id", "frame", "clip"]).aggregate([]).num_rows
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
        "video",
        frames.kind,
        ids,
        labels.astype(int),
        [frames.groups[at] for at in order],
        frames.subsets[order],
        scores,
    )
