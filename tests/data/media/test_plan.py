"""Which frames are used: the indices are pinned, so that no step can quietly take the first 32."""

import numpy as np
import pytest

from lssat.data.media import Plan, clip_indices, frame_indices, use


def test_frame_indices_are_even_and_hold_both_ends() -> None:
    assert frame_indices(10, 4).tolist() == [0, 3, 6, 9]
    assert frame_indices(50, 5).tolist() == [0, 12, 24, 37, 49]  # 12.25, 24.5, 36.75
    assert frame_indices(7, 1).tolist() == [0]
    assert frame_indices(3, 3).tolist() == [0, 1, 2]
    assert frame_indices(400, 32)[[0, 1, 30, 31]].tolist() == [0, 13, 386, 399]


@pytest.mark.parametrize("n_frames", [32, 33, 63, 64, 100, 299, 1001])
def test_silent_error_32_frames_that_are_the_first_32(n_frames: int) -> None:
    found = frame_indices(n_frames, 32)
    assert use(n_frames, Plan(32)).frames == found.tolist()
    gaps = np.diff(found)
    assert (found[0], found[-1], len(found)) == (0, n_frames - 1, 32)
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


def test_every_nth_frame_starts_with_the_first() -> None:
    assert use(10, Plan(None, every=4)).frames == [0, 4, 8]
    assert use(9, Plan(None, every=4)).frames == [0, 4, 8]
    assert use(3, Plan(None, every=1)).frames == [0, 1, 2]


def test_clips_have_their_length_and_stride_and_span_the_video() -> None:
    plan = Plan(clips=3, clip_frames=4, clip_stride=2)
    assert clip_indices(21, plan) == [[0, 2, 4, 6], [7, 9, 11, 13], [14, 16, 18, 20]]
    assert clip_indices(7, Plan(clips=1, clip_frames=4, clip_stride=2)) == [[0, 2, 4, 6]]


def test_a_short_video_gives_fewer_different_clips_and_never_a_short_one() -> None:
    plan = Plan(clips=3, clip_frames=4, clip_stride=2)
    assert clip_indices(6, plan) == []
    assert clip_indices(8, plan) == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert clip_indices(99, Plan(clips=0)) == []


def test_frames_of_clips_are_decoded_once() -> None:
    plan = Plan(frames=2, clips=2, clip_frames=3, clip_stride=1)
    assert use(4, plan).wanted == [0, 1, 2, 3]
    assert use(4, plan).clips == [[0, 1, 2], [1, 2, 3]]
