"""What our frames and crops change beside the field's: the figures of docs/faces.md, measured."""

import re
import runpy

import numpy as np
import pytest
from helpers import ROOT

from lssat.data.faces.crop import crop, square
from lssat.data.media.frame_choice import frame_indices

DOCS = (ROOT / "docs/faces.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def measure() -> dict:
    return runpy.run_path(str(ROOT / "benchmarks/conventions.py"))


def picture(height: int = 60, width: int = 90) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_fault_e5_frames_are_at_most_one_after_the_fields(measure: dict) -> None:
    # By hand: 10 frames, 4 wanted: 0, 3, 6, 9 in both; 11: 0, 3.33, 6.67, 10.
    assert frame_indices(10, 4).tolist() == measure["floored"](10, 4).tolist() == [0, 3, 6, 9]
    assert frame_indices(11, 4).tolist() == [0, 3, 7, 10]
    assert measure["floored"](11, 4).tolist() == [0, 3, 6, 10]
    found = measure["indices"](range(280, 1001), 32)
    assert found["frames apart, at most"] == 1
    share = re.search(r"(\d+) % of 32 frames of videos of 280 to 1,000", DOCS)
    assert share is not None
    assert round(100 * found["other frame"]) == int(share[1])
    assert found["shift, mean"] == pytest.approx(found["other frame"])  # always the next one


def test_fault_e5_crops_inside_of_the_frame_are_the_fields(measure: dict) -> None:
    frame = picture()
    for box in ([30, 20, 50, 40], [20, 10, 60, 44]):
        given = square(np.array(box, float), 1.3)
        assert measure["beyond"](np.array(box, float), 60, 90, 1.3) == 0
        np.testing.assert_array_equal(
            crop(frame, *given, 32), measure["clipped"](frame, *given, 32)
        )


@pytest.mark.parametrize(
    ("given", "theirs"),
    [
        ((-6, 10, 30), (0, 10, 30)),  # moved in from the left
        ((20, -5, 30), (20, 0, 30)),
        ((70, 10, 30), (70, 10, 20)),  # shrunk at the right
        ((20, 50, 30), (20, 50, 10)),
        ((-6, 50, 30), (0, 50, 10)),
    ],
)
def test_fault_e5_at_the_edge_ours_is_repeated_and_the_fields_is_clipped(
    measure: dict, given: tuple[int, int, int], theirs: tuple[int, int, int]
) -> None:
    """FaceForensics++'s rule by hand, and ours as padding by the edge."""
    frame = picture()
    left, top, side = given
    padded = np.pad(frame, ((30, 30), (30, 30), (0, 0)), mode="edge")
    whole = padded[top + 30 : top + 30 + side, left + 30 : left + 30 + side]
    np.testing.assert_array_equal(crop(frame, *given, side), whole)
    np.testing.assert_array_equal(measure["clipped"](frame, *given, 16), crop(frame, *theirs, 16))


def test_fault_e5_the_share_beyond_the_edge(measure: dict) -> None:
    box = np.array([0.0, 20.0, 20.0, 40.0])  # enlarged by 1.5: from -5 to 25
    assert measure["beyond"](box, 60, 90, 1.5) == pytest.approx(5 / 30)
    found = measure["places"](picture(120, 200), 0.4, 1.3, 60)
    assert 0 < found["crops at the edge"] < 1
    assert 0 < found["of their area outside, mean"] < 0.2
    assert found["their mean difference, grey levels"] > 0


def test_fault_e5_the_docs_declare_both() -> None:
    assert "rounded down (DeepfakeBench)" in DOCS
    assert "clipped (FaceForensics++)" in DOCS
    assert "python benchmarks/conventions.py" in DOCS
