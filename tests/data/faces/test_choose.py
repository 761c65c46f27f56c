"""Which face of several is kept, and which boxes are none."""

import numpy as np
import pytest

from lssat.data.faces.choose import Face, choose, given, overlap, whole

BOXES = np.array([[100, 100, 200, 200], [10, 10, 60, 60], [300, 10, 340, 50]], np.float32)
FOUND = (BOXES, np.array([0.8, 0.99, 0.9], np.float32), np.zeros((3, 5, 2), np.float32))


def before(*box: float) -> Face:
    return Face(np.array(box, float), np.empty((0, 2)), 1.0, 1)


def test_case_25_the_largest_of_several_is_kept_and_the_number_recorded() -> None:
    face = choose(FOUND, "largest", before(10, 10, 60, 60))
    assert face is not None
    assert face.box.tolist() == [100, 100, 200, 200]
    assert (face.n_faces, face.score) == (3, pytest.approx(0.8))


def test_follow_keeps_to_the_face_of_the_frame_before() -> None:
    assert choose(FOUND, "follow", before(12, 8, 62, 58)).box.tolist() == [10, 10, 60, 60]
    assert choose(FOUND, "follow", before(290, 5, 345, 60)).box.tolist() == [300, 10, 340, 50]


def test_follow_begins_with_the_largest_and_returns_to_it() -> None:
    assert choose(FOUND, "follow", None).box[0] == 100
    assert choose(FOUND, "follow", before(500, 500, 600, 600)).box[0] == 100


def test_no_face_is_none() -> None:
    nothing = (np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2)))
    assert choose(nothing, "largest", None) is None


def test_overlap_is_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 5, 15, 15], [20, 20, 30, 30]], float)
    found = overlap(boxes, np.array([0.0, 0.0, 10.0, 10.0]))
    assert found == pytest.approx([1.0, 25 / 175, 0.0])


def test_given_boxes() -> None:
    frame = np.zeros((100, 200, 3), np.uint8)
    assert given([10, 20, 30, 40], frame).box.tolist() == [10, 20, 40, 60]
    assert given([-5, -5, 30, 40], frame) is not None  # partly outside
    for box in ([10, 20, -5, 40], [10, 20, 30, 0], [200, 0, 9, 9], [-30, 0, 30, 9]):
        assert given(box, frame) is None
    assert given([0, 0, 401, 50], frame) is None  # twice as large as the frame


def test_a_whole_image() -> None:
    face = whole(np.zeros((30, 20, 3), np.uint8))
    assert face.box.tolist() == [0, 0, 20, 30]
    assert np.isnan(face.score)
