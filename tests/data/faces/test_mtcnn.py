"""The detector gives the boxes of facenet-pytorch's own `MTCNN.detect`, to 1e-3 pixels."""

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from helpers import trees
from helpers.drawn_scenes import scene
from skimage import data
from torch.nn.functional import interpolate

from lssat.data.faces import area
from lssat.data.faces import compiled_loops as loops
from lssat.data.faces.mtcnn import Detections, Detector, scales


@pytest.fixture(scope="module")
def ours() -> Detector:
    return Detector(20.0, 0.7)


@pytest.fixture(scope="module")
def theirs() -> MTCNN:
    """The default call; `keep_all` is read by `forward` alone."""
    return MTCNN(keep_all=True)


def same(found: Detections, boxes, scores, points) -> None:
    if boxes is None:
        assert len(found.boxes) == 0
        return
    assert len(found.boxes) == len(boxes)
    assert np.abs(found.boxes - boxes).max() < 1e-3
    assert np.abs(found.landmarks - points).max() < 1e-3
    assert np.abs(found.scores - np.array(scores, float)).max() < 1e-5


SIZES = [(480, 640), (480, 854), (360, 202), (720, 1280), (1280, 720), (333, 517)]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_boxes_are_the_librarys_in_scenes(ours: Detector, theirs: MTCNN, size: tuple) -> None:
    count = 0
    for faces in (0, 1, 3) if max(size) > 1000 else (0, 1, 2, 3, 5):
        frame = scene(*size, faces)
        (found,) = ours(frame[None])
        same(found, *theirs.detect(frame, landmarks=True))
        count += len(found.boxes)
    assert count >= 3


def test_boxes_are_the_librarys_for_photographs(ours: Detector, theirs: MTCNN) -> None:
    for frame in (data.astronaut(), data.cat(), data.chelsea(), data.rocket()):
        same(ours(frame[None])[0], *theirs.detect(frame, landmarks=True))


@pytest.mark.parametrize("number", range(0, 100, 5))
def test_boxes_are_the_librarys_for_faces(ours: Detector, theirs: MTCNN, number: int) -> None:
    frame = np.pad(trees.face(number), ((40, 40), (40, 40), (0, 0)), mode="edge")
    found = ours(frame[None])[0]
    same(found, *theirs.detect(frame, landmarks=True))
    assert len(found.boxes) >= 1
    assert np.abs((found.boxes[0, :2] + found.boxes[0, 2:]) / 2 - 115).max() < 30  # in the middle


def test_the_fast_setting_keeps_the_scales_that_are_left() -> None:
    slow, fast = scales(720, 20.0, 0.709), scales(720, 20.0 / 0.709**2, 0.709)
    assert fast == pytest.approx(slow[2:])


def test_a_batch_gives_the_boxes_of_each_frame_alone(ours: Detector) -> None:
    """What a GPU does with frames of one size."""
    frames = np.stack([scene(360, 480, faces) for faces in (2, 0, 1, 4)])
    for found, frame in zip(ours(frames), frames, strict=True):
        alone = ours(frame[None])[0]
        assert len(found.boxes) == len(alone.boxes)
        for one, other in zip(found, alone, strict=True):
            assert np.abs(one - other).max(initial=0) < 1e-3


def test_frames_with_nothing_in_them(ours: Detector) -> None:
    for shape in [(100, 100, 3), (19, 300, 3), (1, 1, 3), (20, 20, 3)]:
        found = ours(np.full((2, *shape), 90, np.uint8))
        assert [len(each.boxes) for each in found] == [0, 0]
        assert found[0].landmarks.shape == (0, 5, 2)


def test_red_green_blue_is_what_it_expects(ours: Detector) -> None:
    """Blue first would give another score: the channels' order is not a matter of taste."""
    frame = data.astronaut()
    swapped = np.ascontiguousarray(frame[..., ::-1])
    assert abs(ours(frame[None])[0].scores[0] - ours(swapped[None])[0].scores[0]) > 1e-5


CELLS = [(0, 0, 0, 96, 150), (1, 10, 20, 50, 77), (1, 3, 2, 90, 149), (0, 5, 5, 10, 12)]


@pytest.mark.parametrize("size", [(24, 24), (48, 48), (57, 90), (96, 150), (2, 1), (100, 7)])
def test_area_resizing_is_torchs_bit_for_bit(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    frames = torch.from_numpy(rng.integers(0, 256, (2, 96, 150, 3), dtype=np.uint8))
    sums, boxes = area.integral(frames), np.array(CELLS)
    compiled = area.resize(sums, boxes, *size)
    gathered = area.resize_by_gathering(sums, torch.from_numpy(boxes), *size)
    for k, (n, top, left, bottom, right) in enumerate(CELLS):
        part = frames[n : n + 1, top:bottom, left:right].permute(0, 3, 1, 2).float()
        wanted = (interpolate(part, size, mode="area")[0] - 127.5) * 0.0078125
        assert torch.equal(compiled[k], wanted)
        assert torch.equal(gathered[k], wanted)


def test_integral_image_is_the_sum_from_the_upper_left() -> None:
    frames = np.random.default_rng(1).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    sums = area.integral(torch.from_numpy(frames))
    assert torch.equal(sums, area.summed(torch.from_numpy(frames)))
    assert sums[1, 3, 4].tolist() == frames[1, :3, :4].sum((0, 1)).tolist()
    assert not sums[:, 0].any()
    assert not sums[:, :, 0].any()


def test_sums_may_wrap_around() -> None:
    """A white frame of 3,000 x 3,000 adds up to more than 2^31."""
    frames = torch.full((1, 3000, 3000, 3), 255, dtype=torch.uint8)
    found = area.resize(area.integral(frames), np.array([[0, 0, 0, 3000, 3000]]), 24, 24)
    assert torch.equal(found, torch.full_like(found, (255 - 127.5) / 128))


def test_where_no_cache_can_be_written_loops_are_compiled_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import numba

    njit = numba.njit

    def without(*functions, **options):
        if options.get("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*functions, **options)

    monkeypatch.setattr(numba, "njit", without)
    frames = np.full((1, 2, 2, 3), 7, np.uint8)
    assert loops.compiled.__wrapped__(loops.integral)(frames)[0, 2, 2].tolist() == [28] * 3


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu_is_an_error_and_no_reason_to_use_the_cpu() -> None:
    with pytest.raises((RuntimeError, AssertionError), match=r"(?i)cuda|nvidia"):
        Detector(20.0, 0.7, "cuda")
