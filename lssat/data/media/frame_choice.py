"""Which frames of a video are used: spread evenly, or every n-th, and clips for video models."""

from typing import NamedTuple

import numpy as np

LEAST = 8  # frames of a video, if more are requested; below this its score is the mean of a few


class Plan(NamedTuple):
    """The rule; the fields are those of `params.Video`, where one of the first two is a number."""

    frames: int | None = 1
    every: int | None = None
    clips: int = 0
    clip_frames: int = 16
    clip_stride: int = 2


class Use(NamedTuple):
    """The frames of one video by a plan: ascending indices."""

    n_frames: int  # of the video
    frames: list[int]
    clips: list[list[int]]  # one list of `clip_frames` indices a clip; there may be fewer clips
    # if the video is too short for as many different ones

    def few(self, plan: Plan) -> bool:
        """Say whether the video has fewer frames than requested, and fewer than `LEAST`."""
        return plan.frames is not None and self.n_frames < min(plan.frames, LEAST)

    @property
    def wanted(self) -> list[int]:
        """All indices, each once."""
        return sorted({*self.frames, *(index for clip in self.clips for index in clip)})


def frame_indices(n_frames: int, count: int) -> np.ndarray:
    """Return `count` frame indices spread evenly over a video, the first and the last included.

    Returns:
        int array (count,), ascending; each k-th is k (n_frames - 1) / (count - 1), rounded half
        to even. If one frame is requested, it is the first.
    """
    return np.linspace(0, n_frames - 1, count).round().astype(int)


def clip_indices(n_frames: int, plan: Plan) -> list[list[int]]:
    """Return the frame indices of each clip; their starts are spread evenly.

    A clip is `clip_frames` frames, each `clip_stride`-th. The first clip starts with the video,
    the last ends with it. A video too short for `clips` different ones gives fewer, or none.
    """
    span = (plan.clip_frames - 1) * plan.clip_stride + 1
    starts = max(0, n_frames - span + 1)
    chosen = frame_indices(starts, min(plan.clips, starts)).tolist()
    return [list(range(start, start + span, plan.clip_stride)) for start in chosen]


def use(n_frames: int, plan: Plan) -> Use:
    """Apply a plan to a video of `n_frames` frames; a shorter video gives all its frames."""
    if plan.every is not None:
        frames = list(range(0, n_frames, plan.every))
    else:
        frames = frame_indices(n_frames, min(plan.frames or 1, n_frames)).tolist()
    return Use(n_frames, frames, clip_indices(n_frames, plan))
