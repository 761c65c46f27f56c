"""The scores of files as lines for the terminal and as values for JSON."""

from typing import Any

import numpy as np

from lssat.data import media
from lssat.tables import printable
from lssat.use.predict.score import Rejected, Sample, Scored
from lssat.use.predict.trained_run import Opened

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 60  # characters of a curve


def head(opened: Opened, why: str, notes: list[str]) -> str:
    """Say which run, what a score is, and how far it can be trusted."""
    task = opened.task
    what = {
        "binary": f"score: probability of {task.classes[-1]}",
        "multiclass": f"scores: probabilities of {len(task.classes)} classes",
        "multilabel": f"scores: probabilities of {len(task.classes)} attributes",
    }[task.kind]
    unit = "clips" if opened.model.clips else "frames"
    lines = [f"run    {opened.run}{f' ({why})' if why else ''}"]
    lines += [f"       {task.title}; {what}; of a video the mean over its {unit}"]
    lines += [f"       {opened.calibration}", *(f"note   {note}" for note in notes)]
    return "\n".join(map(printable.line, lines))


def line(opened: Opened, scored: Scored | Rejected) -> str:
    """Return the result of a file as text, for a video with a curve below it."""
    path = scored.file.path
    if isinstance(scored, Rejected):
        return printable.line(f"{path}: rejected, {scored.reason}: {scored.detail}")
    video = scored.file.media != "image"
    lines = [f"{path}: {_says(opened, scored.scores)}  ({_seen(opened, scored)})"]
    if opened.task.kind == "multilabel" and np.isfinite(scored.scores).all():
        lines += _attributes(opened, scored.scores)
    elif video and len(scored.samples) + len(scored.missed) > 1:
        lines.append(f"    {_curve(opened, scored)}")
    return "\n".join(map(printable.line, lines))


def _says(opened: Opened, scores: np.ndarray) -> str:
    classes = opened.task.classes
    if not np.isfinite(scores).all():
        return "undefined, a score is not finite"
    if opened.task.kind == "binary":
        return f"{classes[-1]} {scores[0]:.3f}"
    if opened.task.kind == "multiclass":
        order = np.argsort(-scores, kind="stable")
        return ", ".join(f"{classes[at]} {scores[at]:.3f}" for at in order)
    return f"{int((scores >= 0.5).sum())} of {len(scores)} attributes"


def _attributes(opened: Opened, scores: np.ndarray) -> list[str]:
    """List all attributes in three columns, the most probable first."""
    order = np.argsort(-scores, kind="stable")
    cells = [f"{opened.task.classes[at]:<20} {scores[at]:.3f}" for at in order]
    deep = -(-len(cells) // 3)
    return [f"    {'   '.join(cells[row::deep])}" for row in range(deep)]


def _seen(opened: Opened, scored: Scored) -> str:
    if scored.file.media == "image":
        (sample,) = scored.samples
        return _face(sample)
    if opened.model.clips:
        lost = f", {len(scored.lost)} lost" if scored.lost else ""
        clips = len(scored.samples)
        return f"{clips} clip{'' if clips == 1 else 's'}{lost}"
    frames = len(scored.samples) + len(scored.missed)
    faces = f"{len(scored.samples)} of {frames} frames have a face"
    if scored.requested is None:
        return faces
    few = ", a mean of few" if scored.n_frames < media.LEAST else ""
    return f"{faces}; the video has no more, {scored.requested} are asked for{few}"


def _face(sample: Sample) -> str:
    left, top, right, _ = sample.box
    where = f"crop {right - left:g} px at {left:g}, {top:g}"
    if sample.detector is None:
        return f"{where}; no detector"
    others = f", the largest of {sample.n_faces} faces" if sample.n_faces > 1 else ""
    return f"{where}; detector {sample.detector:.3f}{others}"


def _curve(opened: Opened, scored: Scored) -> str:
    """Draw the score over time: of the positive class, or of the one that the video is given."""
    which = 0 if opened.task.kind == "binary" else int(scored.scores.argmax())
    points = [(s.frame, s.time, float(s.scores[which])) for s in scored.samples]
    points += [(frame, time, np.nan) for frame, time in scored.missed]
    points.sort(key=lambda point: point[0])
    shown = [points[int(at)] for at in np.linspace(0, len(points) - 1, min(len(points), _WIDTH))]
    bars = "".join("·" if np.isnan(p) else _BLOCKS[min(int(p * 8), 7)] for _, _, p in shown)
    (first, start, _), (last, end, _) = points[0], points[-1]
    span = f"frames {first} to {last}"
    return (
        bars + f"  {span}" + (f", {start:.2f} to {end:.2f} s" if None not in (start, end) else "")
    )


def values(opened: Opened, scored: Scored) -> dict[str, Any]:
    """Return all that is known of a scored file, as JSON holds it."""
    entry: dict[str, Any] = dict(
        path=str(scored.file.path),
        media=scored.file.media,
        n_frames=scored.n_frames,
        predicted=_predicted(opened, scored.scores),
        scores=_named(opened, scored.scores),
        uncalibrated=_named(opened, scored.raw),
        frames=[_sample(opened, part) for part in scored.samples],
    )
    missed = [dict(frame=frame, time=time, reason="no_face") for frame, time in scored.missed]
    lost = [dict(reason=row["reason"], detail=row["detail"]) for row in scored.lost]
    return entry | dict(frames_without_face=missed, rejects=lost)


def _sample(opened: Opened, sample: Sample) -> dict[str, Any]:
    known = sample._asdict() | {"scores": _named(opened, sample.scores)}
    return known | {"logits": _numbers(sample.logits)}


def _numbers(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _named(opened: Opened, scores: np.ndarray) -> dict[str, float | None]:
    """Name the probabilities; of a binary task the positive class's alone."""
    return dict(zip(opened.task.classes[-len(scores) :], _numbers(scores), strict=True))


def _predicted(opened: Opened, scores: np.ndarray) -> str | list[str] | None:
    """Return the class, or the attributes; None where a score is not finite."""
    classes = opened.task.classes
    if not np.isfinite(scores).all():
        return None
    if opened.task.kind == "binary":
        return classes[int(scores[0] >= 0.5)]
    if opened.task.kind == "multiclass":
        return classes[int(scores.argmax())]
    return [name for name, score in zip(classes, scores, strict=True) if score >= 0.5]


def document(
    opened: Opened, why: str, notes: list[str], scored: list[Scored | Rejected]
) -> dict[str, Any]:
    """Return everything as one JSON document."""
    rejected = [rejected_file for rejected_file in scored if isinstance(rejected_file, Rejected)]
    about: dict[str, Any] = dict(run=opened.run, chosen=why or None, task=opened.task.name)
    about |= dict(title=opened.task.title, kind=opened.task.kind)
    about |= dict(classes=list(opened.task.classes), notes=notes)
    about |= dict(temperature=opened.temperature, calibration=opened.calibration)
    files = [values(opened, file) for file in scored if isinstance(file, Scored)]
    lost = [dict(path=str(e.file.path), reason=e.reason, detail=e.detail) for e in rejected]
    return about | dict(files=files, rejects=lost)
