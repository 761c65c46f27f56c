"""The test rows of a task's predictions as arrays, at each level: image, or frame and video."""

from collections.abc import Callable, Iterator, Mapping
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
    scores: Mapping[str, np.ndarray]  # run -> probabilities (N,), (N, A) or (N, K)

    def part(self, mask: np.ndarray) -> "Level":
        """Return the labels, groups and scores of some samples, by a mask (N,); ids stay all."""
        return self._replace(
            labels=self.labels[mask],
            scores=Scores(self.scores, lambda scores: scores[mask]),
            groups=[group for group, chosen in zip(self.groups, mask, strict=True) if chosen],
        )


class Scores(Mapping[str, np.ndarray]):
    """Probabilities of runs, computed when they are asked for, but for the last.

    Those of 90 runs on CelebA's 40 attributes are 0.6 GB; their logits are in the table anyway.
    """

    def __init__(
        self, given: Mapping[str, np.ndarray], compute: Callable[[np.ndarray], np.ndarray]
    ):
        self.given, self._compute = given, compute
        self._last: tuple[str, np.ndarray] | None = None

    def __getitem__(self, run: str) -> np.ndarray:
        if self._last is None or self._last[0] != run:
            self._last = run, self._compute(self.given[run])
        return self._last[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self.given)

    def __len__(self) -> int:
        return len(self.given)


def levels(predictions: pa.Table, task: str, kind: str) -> list[list[Level]]:
    """Return the levels of the test rows, for each kind of row that runs were scored on.

    Returns:
        [[image]], or of a task on videos [[frame, video]] for encoders of images, [[clip, video]]
        for encoders of clips, or both: a clip may be missing where frames are there, so the two
        are never mixed. The last of each list is the headline's. Scores of whole videos, which
        another program made, stand beside those of frames at the level of videos alone.
    """
    parts = {run: rows_of(predictions, rows) for run, rows in places(predictions, "test").items()}
    by_level: dict[str, dict[str, pa.Table]] = {}
    for run, part in parts.items():
        for name in part["level"].unique().to_pylist():
            by_level.setdefault(name, {})[run] = part
    if not by_level:
        raise _wrong(task, "no rows of the test split")
    if "image" in by_level and len(by_level) > 1:
        raise _wrong(task, f"levels {', '.join(by_level)} mixed")
    videos = by_level.pop("video", {})
    if videos and "frame" not in by_level:
        raise _wrong(task, "scores of videos and no run on frames beside them")
    row_levels = {name: _levels(name, own, task, kind) for name, own in by_level.items()}
    for run, part in videos.items():
        _beside(row_levels["frame"][-1], run, part, task)
    return list(row_levels.values())


def _beside(level: Level, run: str, part: pa.Table, task: str) -> None:
    """Add a run that was scored on whole videos to the level of videos."""
    part = _sorted(part)
    labels = matrix(part["labels"], task)[:, 0]
    if part["id"].to_pylist() != level.ids or not np.array_equal(labels, level.labels):
        raise _wrong(task, f"{run} and the others differ in their videos or labels")
    assert isinstance(level.scores, dict)  # of videos
    level.scores[run] = _scores(level.kind, matrix(part["logits"], task))


def places(predictions: pa.Table, split: str) -> dict[str, np.ndarray]:
    """Return run -> numbers of its rows of a split, in the order of the table."""
    runs = predictions["run"].unique()
    number = pc.index_in(predictions["run"], runs).to_numpy()
    chosen = np.flatnonzero(pc.equal(predictions["split"], split).to_numpy())
    order = chosen[np.argsort(number[chosen], kind="stable")]
    bounds = np.cumsum(np.bincount(number[chosen], minlength=len(runs)))[:-1]
    parts = zip(runs.to_pylist(), np.split(order, bounds), strict=True)
    return {run: rows for run, rows in parts if len(rows)}


def rows_of(predictions: pa.Table, rows: np.ndarray) -> pa.Table:
    """Return rows by their numbers, ascending; without a copy where they follow each other.

    A task's predictions may be millions of rows, written run by run.
    """
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return predictions.slice(rows[0], len(rows))
    return predictions.take(rows)


def _levels(name: str, parts: dict[str, pa.Table], task: str, kind: str) -> list[Level]:
    first, logits = "", {}
    for run, whole in parts.items():
        own = pc.equal(whole["level"], name)
        part = _sorted(whole if pc.all(own).as_py() else whole.filter(own))
        if not first:
            first, samples = run, _samples(part, run, task)
        if not part.select(samples.column_names).equals(samples):
            rows = f"{part.num_rows} and {samples.num_rows} test rows"
            raise _wrong(task, f"{run} and {first} differ in their samples or labels ({rows})")
        logits[run] = matrix(part["logits"], task)
    labels = matrix(samples["labels"], task)
    level = Level(
        name,
        kind,
        samples["id"].to_pylist(),
        labels if kind == "multilabel" else labels[:, 0],
        samples["group"].to_pylist(),
        np.array(samples["subset"].to_pylist()),
        Scores(logits, lambda own: _scores(kind, own)),
    )
    return [level] if level.name == "image" else [level, _videos(level, task)]


def _sorted(part: pa.Table) -> pa.Table:
    """Return rows by id and frame; without a copy where they stand so, as in a split's table."""
    keys = [(key, "ascending") for key in ("id", "frame", "clip")]
    order = pc.sort_indices(part, sort_keys=keys).to_numpy()
    return part if (np.diff(order.astype(int)) == 1).all() else part.take(order)


def _samples(part: pa.Table, run: str, task: str) -> pa.Table:
    """Return what all runs of a task must have in common, and check that no sample stands twice."""
    repeated = part.num_rows - part.group_by(["id", "frame", "clip"]).aggregate([]).num_rows
    if repeated:
        raise _wrong(task, f"{repeated} test rows repeat an id and frame of {run}")
    return part.select(["id", "frame", "clip", "labels", "group", "subset"])


def _wrong(task: str, problem: str) -> DataError:
    return DataError(f"predictions of {task}", problem, "Run its evaluation again")


def matrix(column: pa.ChunkedArray, task: str) -> np.ndarray:
    """Return a column of lists of one length L as an array (N, L)."""
    lengths = sorted(pc.list_value_length(column).unique().to_pylist())
    if len(lengths) != 1 or not lengths[0]:
        raise _wrong(task, f"labels or logits of lengths {lengths} where one length is needed")
    flat = pc.list_flatten(column)
    # `combine_chunks` copies even one; that one is not copied, and reads the table's own memory.
    flat = flat.chunk(0) if flat.num_chunks == 1 else flat.combine_chunks()
    return flat.to_numpy(zero_copy_only=False).reshape(-1, lengths[0])


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
    groups, subsets = [frames.groups[at] for at in order], frames.subsets[order]
    return Level("video", frames.kind, ids, labels.astype(int), groups, subsets, scores)
