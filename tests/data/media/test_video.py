"""Videos give the frames of their indices, upright RGB, or a reason; never fewer in silence."""

import io
import os
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from helpers.sounds import sound
from helpers.trees import picture, video
from PIL import Image

from lssat.data import media
from lssat.data.media import Plan, Unreadable, Use, frame_indices, read, read_again


def reason(path: Path, plan: Plan = Plan(frames=2), kind: str = "video") -> str:  # noqa: B008
    with pytest.raises(Unreadable) as caught:
        list(read(path, kind, plan))
    return caught.value.reason


def last_pass(path: Path, plan: Plan, kind: str = "video") -> tuple[Use, dict[int, np.ndarray]]:
    """What is left after each `Use` has made void what came before it."""
    chosen, frames = Use(0, [], []), {}
    for item in read(path, kind, plan):
        if isinstance(item, Use):
            chosen, frames = item, {}
        else:
            frames[item[0]] = item[1]
    assert list(frames) == chosen.wanted
    return chosen, frames


def grey_frames(count: int) -> list[np.ndarray]:
    """Frame i has the grey 4 i, below a strip of noise that costs bytes."""
    noise = np.random.default_rng(0).integers(0, 256, (count, 16, 64, 3), dtype=np.uint8)
    frames = [np.full((64, 64, 3), 4 * i, np.uint8) for i in range(count)]
    for frame, top in zip(frames, noise, strict=True):
        frame[:16] = top
    return frames


def greys(frames: dict[int, np.ndarray]) -> np.ndarray:
    return np.array([frame[32:].mean() / 4 for frame in frames.values()])


def turned(path: Path, degrees: int) -> None:
    """Set the matrix of an mp4's track: to be shown turned right by so many degrees."""
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    data = bytearray(path.read_bytes())
    track = data.index(b"tkhd") + 4 + 40  # version 0: the matrix comes after 40 bytes
    ones = [value << 16 for value in (cos, sin, 0, -sin, cos, 0, 0, 0)]
    data[track : track + 32] = struct.pack(">8i", *ones[:6], 0, 0)
    path.write_bytes(data)


def test_frames_are_those_of_their_indices(tmp_path: Path) -> None:
    video(tmp_path / "v.mp4", grey_frames(50))
    chosen, frames = last_pass(tmp_path / "v.mp4", Plan(frames=5))
    assert (chosen.frames, chosen.n_frames) == ([0, 12, 24, 37, 49], 50)
    assert np.abs(greys(frames) - chosen.frames).max() < 0.7
    assert frames[0].shape == (64, 64, 3)
    assert frames[0].dtype == np.uint8


def test_every_nth_frame_and_clips(tmp_path: Path) -> None:
    video(tmp_path / "v.mp4", grey_frames(20))
    plan = Plan(None, every=9, clips=2, clip_frames=3, clip_stride=2)
    chosen, frames = last_pass(tmp_path / "v.mp4", plan)
    assert chosen == Use(20, [0, 9, 18], [[0, 2, 4], [15, 17, 19]])
    assert list(frames) == [0, 2, 4, 9, 15, 17, 18, 19]
    assert np.abs(greys(frames) - list(frames)).max() < 0.7


def test_frames_are_found_again(tmp_path: Path) -> None:
    video(tmp_path / "v.mp4", grey_frames(20))
    _, frames = last_pass(tmp_path / "v.mp4", Plan(frames=5))
    again = dict(read_again(tmp_path / "v.mp4", "video", [5, 14]))
    assert list(again) == [5, 14]
    assert all(np.array_equal(frames[index], again[index]) for index in again)


def test_channels_are_red_green_blue(tmp_path: Path) -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0], red[..., 1] = 230, 60
    video(tmp_path / "v.mp4", [red, red])
    _, frames = last_pass(tmp_path / "v.mp4", Plan())
    assert np.abs(frames[0].mean((0, 1)) - [230, 60, 0]).max() < 4
    Image.fromarray(red).save(tmp_path / "i.png")
    assert np.array_equal(media.read_image(tmp_path / "i.png"), red)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_phones_video_is_turned_upright(tmp_path: Path, degrees: int) -> None:
    upright = picture(1, 96, 64)
    lying = np.ascontiguousarray(np.rot90(upright, degrees // 90))  # turned left by the camera
    video(tmp_path / "v.mp4", [lying] * 3)
    turned(tmp_path / "v.mp4", degrees)
    _, frames = last_pass(tmp_path / "v.mp4", Plan())
    assert frames[0].shape == upright.shape
    assert np.abs(frames[0].astype(int) - upright).mean() < 6


def test_case_22_a_cut_video_is_spread_over_what_it_gives(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    video(path, grey_frames(50), movflags="faststart")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    chosen, frames = last_pass(path, Plan(frames=4))
    n_frames = chosen.n_frames
    assert 10 < n_frames < 40
    assert chosen.frames == frame_indices(n_frames, 4).tolist()
    assert np.abs(greys(frames) - list(frames)).max() < 1
    cut = f"short_video: cut: {n_frames} frames decoded, 50 were announced, 45 are asked for"
    with pytest.raises(Unreadable, match=cut):
        list(read(path, "video", Plan(frames=45)))


@pytest.mark.parametrize(("suffix", "codec"), [("avi", "mjpeg"), ("mkv", "mjpeg"), ("mov", None)])
def test_other_containers_count_the_same_frames(tmp_path: Path, suffix: str, codec) -> None:
    """Matroska announces no number of frames: they are counted first."""
    path = tmp_path / f"v.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec or "libx264", rate=25)
        stream.height = stream.width = 64
        stream.pix_fmt = "yuvj420p" if codec else "yuv420p"
        for frame in grey_frames(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    chosen, frames = last_pass(path, Plan(frames=3))
    assert (chosen.n_frames, chosen.frames) == (12, [0, 6, 11])
    assert np.abs(greys(frames) - chosen.frames).max() < 2


def no_frames(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height = stream.width = 64
        stream.pix_fmt = "yuv420p"
        container.start_encoding()


def test_case_21_no_frames_only_sound_or_no_index(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    sound(path)
    assert reason(path) == "no_frames"
    no_frames(path)
    assert reason(path) == "no_frames"
    video(path, grey_frames(9))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])  # the index stands at the end
    assert reason(path) == "no_frames"


PLAYLISTS = {
    "ffconcat": "ffconcat version 1.0\nfile v.mp4\n",
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nv.mp4\n#EXT-X-ENDLIST\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_case_23_a_playlist_is_refused_and_its_file_not_opened(tmp_path: Path, kind: str) -> None:
    """The file that it names is a good video: nothing but the refusal keeps it closed."""
    video(tmp_path / "v.mp4", grey_frames(5))
    path = tmp_path / "playlist.mp4"
    path.write_text(PLAYLISTS[kind])
    assert reason(path) == "format"


def test_a_pipe_named_like_a_video_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert reason(tmp_path / "pipe.mp4") == "format"


def test_other_files_that_are_no_videos(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    assert reason(tmp_path / "none.mp4") == "missing"
    path.write_bytes(b"")
    assert reason(path) == "unreadable"
    path.write_text("<html><title>Quota exceeded</title></html>")
    assert reason(path) == "format"
    buffer = io.BytesIO()
    Image.fromarray(picture(1)).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())
    assert reason(path) == "format"


def test_case_19_a_huge_frame_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video(tmp_path / "v.mp4", grey_frames(2))
    monkeypatch.setattr(media.video, "MAX_PIXELS", 64 * 64 - 1)
    assert reason(tmp_path / "v.mp4") == "too_large"


def test_a_folder_of_images_reads_like_a_video(tmp_path: Path) -> None:
    for number in range(12):  # names without leading zeros: 10 comes after 9
        Image.fromarray(np.full((20, 24, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "Thumbs.db").write_text("no image")
    chosen, frames = last_pass(tmp_path, Plan(frames=4, clips=1, clip_frames=2), "frames")
    assert chosen == Use(12, [0, 4, 7, 11], [[0, 2]])
    assert [int(frame[0, 0, 0]) for frame in frames.values()] == [0, 2, 4, 7, 11]
    (tmp_path / "4.png").write_bytes(b"")
    with pytest.raises(Unreadable, match=r"unreadable: 4\.png: is empty"):
        list(read(tmp_path, "frames", Plan(frames=4)))
    (tmp_path / "empty").mkdir()
    assert reason(tmp_path / "empty", kind="frames") == "no_frames"
    assert reason(tmp_path / "none", kind="frames") == "missing"


@pytest.mark.parametrize("end", ["mp4", "avi", "mkv"])
def test_fault_d5_a_whole_video_with_fewer_frames_than_asked_gives_all(
    tmp_path: Path, end: str
) -> None:
    path = tmp_path / f"v.{end}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height = stream.width = 64
        stream.pix_fmt = "yuv420p"
        for frame in grey_frames(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    chosen, _ = last_pass(path, Plan(frames=32, clips=2, clip_frames=16, clip_stride=2))
    assert chosen == Use(20, list(range(20)), [])  # no clip: one spans 31 frames
    assert not chosen.few(Plan(frames=32))


@pytest.mark.parametrize("count", [1, 4, 31])
def test_fault_d5_a_folder_with_fewer_frames_than_asked_gives_all(
    tmp_path: Path, count: int
) -> None:
    for number in range(count):
        Image.fromarray(np.full((20, 24, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
    chosen, frames = last_pass(tmp_path, Plan(frames=32), "frames")
    assert chosen == Use(count, list(range(count)), [])
    assert [int(frame[0, 0, 0]) for frame in frames.values()] == list(range(count))
    assert chosen.few(Plan(frames=32)) == (count < media.LEAST)
    assert not chosen.few(Plan(frames=count))
    assert not chosen.few(Plan(frames=None, every=1))
