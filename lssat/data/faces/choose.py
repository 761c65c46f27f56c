"""Which of the faces of a frame is kept."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Face(NamedTuple):
    """A face in a frame."""

    box: np.ndarray  # x0, y0, x1, y1, pixels, float
    landmarks: np.ndarray  # (5, 2): eyes, nose, corners of the mouth; (0, 2) if not detected
    score: float  # the detector's; nan where none ran
    n_faces: int  # in the frame


def given(box: Sequence[float], frame: np.ndarray) -> Face | None:
    """Return the face of a box that a release gives: x, y, width, height.

    Returns:
        None if the box is empty, lies outside the frame, or is more than twice as large.
    """
    if misfit(box, frame):
        return None
    x, y, width, height = box
    return Face(np.array([x, y, x + width, y + height]), np.empty((0, 2)), np.nan, 1)


def misfit(box: Sequence[float], frame: np.ndarray) -> str:
    """Say why a box (x, y, width, height, pixels of the frame) shows nothing; "" if it is fine."""
    x, y, width, height = box
    rows, columns = frame.shape[:2]
    described = f"the box x {x:g}, y {y:g}, {width:g} x {height:g}"
    if min(width, height) <= 0:
        return f"{described} is empty"
    if max(width, height) > 2 * max(rows, columns):
        return f"{described} is twice as large as the image of {columns} x {rows} pixels"
    if x + width <= 0 or y + height <= 0 or x >= columns or y >= rows:
        return f"{described} lies outside of the image of {columns} x {rows} pixels"
    return ""


def whole(frame: np.ndarray) -> Face:
    """Return the face that fills an image which a release has aligned or cropped."""
    height, width = frame.shape[:2]
    return Face(np.array([0, 0, width, height]), np.empty((0, 2)), np.nan, 1)


def choose(detections: Sequence[np.ndarray], rule: str, before: Face | None) -> Face | None:
    """Choose one of the faces that were detected in a frame.

    Args:
        detections: boxes (F, 4), scores (F,) and landmarks (F, 5, 2), the largest first.
        rule: "largest", or "follow": the one that overlaps `before` most (intersection over
            union); the largest where there is none before or none overlaps it.
        before: the face chosen in the frame before, if any.

    Returns:
        None if the frame has no face.
    """
    boxes, scores, landmarks = detections
    if not len(boxes):
        return None
    best = 0
    if rule == "follow" and before is not None:
        best = int(np.argmax(overlap(boxes, before.box)))  # the first, if none overlaps
    return Face(boxes[best].astype(float), landmarks[best], float(scores[best]), len(boxes))


def overlap(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the intersection over union of each of (F, 4) boxes with a box, (F,), 0 to 1."""
    upper, lower = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    common = (lower - upper).clip(0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return common / (areas + (box[2:] - box[:2]).prod() - common)
