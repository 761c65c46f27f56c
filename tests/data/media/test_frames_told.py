"""What a video's decoder tells beside its pixels: times, damaged frames, how many there are."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from helpers import trees

from lssat.data import media
from lssat.data.media import Plan, Unreadable, Use, container

ALL = Plan(frames=None, every=1)


def pictures(count: int = 20) -> list[np.ndarray]:
    """No two alike, so that each needs some bytes."""
    return [np.roll(trees.picture(n % 7, 64, 80), 3 * n, axis=1) for n in range(count)]


def encoded(path: Path, frames: list[np.ndarray], movflags: str = "", **options: str) -> Path:
    """Write H.264 with B-frames."""
    with av.open(str(path), "w", options={"movflags": movflags} if movflags else {}) as out:
        stream = out.add_stream("libx264", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"threads": "1", "crf": "10", **options}
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    return path


def read(path: Path, plan: Plan = ALL) -> tuple[int, int]:
    """Return how many frames the last Use counts, and how many came after it."""
    items = list(media.read(path, "video", plan))
    last = max(at for at, item in enumerate(items) if isinstance(item, Use))
    return items[last].n_frames, len(items) - last - 1


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("flags", ["faststart", "frag_keyframe+empty_moov"])
def test_times_of_a_cut_video_are_numbers_that_rise(
    tmp_path: Path, flags: str, share: float
) -> None:
    """Those of the frames that come last were nan, which no JSON can hold."""
    data = encoded(tmp_path / "a.mp4", pictures(), flags, g="5").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: int(share * len(data))])
    times = media.times(cut)
    assert len(times) == read(cut)[0] > 1
    steps = np.diff(np.array(times, dtype=float))
    np.testing.assert_array_less(0.039, steps)
    np.testing.assert_allclose(steps * 25, np.round(steps * 25), atol=1e-3)


def test_times_that_go_back_are_not_known(tmp_path: Path) -> None:
    """AVI tells the times of decoding, and B-frames are decoded before they are shown."""
    frames = pictures()
    reordered = encoded(tmp_path / "b.avi", frames)
    assert media.times(reordered) == [None] * 20
    in_order = encoded(tmp_path / "p.avi", frames, bf="0")
    np.testing.assert_allclose(np.array(media.times(in_order), float), np.arange(20) / 25)
    told = encoded(tmp_path / "b.mkv", frames)
    np.testing.assert_allclose(np.array(media.times(told), float), np.arange(20) / 25)


@pytest.mark.parametrize("end", ["mkv", "avi"])
def test_a_video_that_is_damaged_within_is_no_video(tmp_path: Path, end: str) -> None:
    """The decoder guesses at what is lost, and builds the following frames on its guess."""
    data = encoded(tmp_path / f"a.{end}", pictures()).read_bytes()
    third = len(data) // 3
    (tmp_path / f"a.{end}").write_bytes(data[:third] + bytes(third) + data[2 * third :])
    for plan in (ALL, Plan(frames=1)):  # whichever frames are asked for
        with pytest.raises(Unreadable, match=r"frame \d is damaged") as caught:
            read(tmp_path / f"a.{end}", plan)
        assert caught.value.reason == "unreadable"


@pytest.mark.parametrize("codec", ["keyint=6:open-gop=1:bframes=3", "keyint=10:bframes=0"])
@pytest.mark.parametrize("end", ["mkv", "mp4"])
def test_a_video_that_begins_within_a_group_of_pictures_gives_its_whole_frames(
    tmp_path: Path, end: str, codec: str
) -> None:
    """As one that was cut without being encoded anew."""
    source = encoded(tmp_path / "whole.mkv", pictures(), **{"x264-params": f"{codec}:scenecut=0"})
    cut = tmp_path / f"cut.{end}"
    with av.open(str(source)) as whole, av.open(str(cut), "w") as out:
        stream = out.add_stream_from_template(whole.streams.video[0])
        for number, packet in enumerate(whole.demux(video=0)):
            if packet.dts is not None and number:
                packet.stream = stream
                out.mux(packet)
    with av.open(str(cut)) as again:
        expected = sum(1 for _ in again.decode(video=0))
    assert 0 < expected < 19
    assert read(cut) == (expected, expected)


@pytest.mark.parametrize("announced", [0, 5, 2**32 - 1])
def test_a_damaged_number_of_frames_is_not_believed(tmp_path: Path, announced: int) -> None:
    """Four thousand million indices took all memory, and the file was a decoder_crash."""
    file = tmp_path / "a.avi"
    with av.open(str(file), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 80, 64, "yuv420p"
        for frame in pictures():
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    data = bytearray(file.read_bytes())
    for head, place in ((b"avih", 24), (b"strh", 40)):  # total frames; length
        struct.pack_into("<I", data, data.index(head) + place, announced)
    file.write_bytes(data)
    assert container.announced(file) == (0 if announced > len(data) else announced)
    for plan in (ALL, Plan(frames=32)):
        assert read(file, plan) == (20, 20)


@pytest.mark.parametrize(("height", "width"), [(2, 64), (15, 300), (1, 1)])
def test_a_video_without_room_for_a_face_is_too_small(
    tmp_path: Path, height: int, width: int
) -> None:
    """As an image is."""
    for name, side in (("small.mkv", height), ("least.mkv", 16)):
        with av.open(str(tmp_path / name), "w") as out:
            stream = out.add_stream("ffv1", rate=25)
            stream.height, stream.width, stream.pix_fmt = side, max(width, side), "yuv444p"
            frame = np.full((side, stream.width, 3), 90, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            out.mux(stream.encode())
    with pytest.raises(Unreadable, match="the least side is 16 px") as caught:
        read(tmp_path / "small.mkv")
    assert caught.value.reason == "too_small"
    assert read(tmp_path / "least.mkv") == (1, 1)


def test_system_files_and_folders_are_no_frames(tmp_path: Path) -> None:
    """Such as macOS leaves on disks that are not its own."""
    for number in range(3):
        trees.jpeg(tmp_path / f"{number}.jpg", trees.picture(number))
    whole = [frame for _, frame in list(media.read(tmp_path, "frames", ALL))[1:]]
    (tmp_path / "._0.jpg").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X")
    (tmp_path / ".1.png").write_bytes(b"")
    (tmp_path / "9.png").mkdir()
    assert [path.name for path in media.frames_in(tmp_path)] == ["0.jpg", "1.jpg", "2.jpg"]
    again = [frame for _, frame in list(media.read(tmp_path, "frames", ALL))[1:]]
    np.testing.assert_array_equal(whole, again)
