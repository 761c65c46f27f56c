"""A video is read as a player shows it: its stream, upright, with square pixels, in its time."""

import io
import itertools
import math
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from helpers.sounds import sound
from PIL import Image

from lssat.data.media import Plan, Unreadable, Use, read, times
from lssat.data.media.upright import squared

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 220, 20), (20, 20, 220), (230, 230, 230)
DEFAULT, ATTACHED, THUMBNAILS = 0x1, 0x400, 0xC00


def corners(height: int = 48, width: int = 64) -> np.ndarray:
    """Four colours, so that all eight ways to lay a picture differ."""
    frame = np.empty((height, width, 3), np.uint8)
    halves = slice(None, height // 2), slice(height // 2, None)
    sides = slice(None, width // 2), slice(width // 2, None)
    for place, colour in zip(
        itertools.product(halves, sides), (RED, GREEN, BLUE, WHITE), strict=True
    ):
        frame[place] = colour
    return frame


def track(container, frames: list[np.ndarray], codec: str = "libx264", **settings):
    """Add a stream and return the packets of its frames."""
    stream = container.add_stream(codec, rate=settings.pop("rate", 25))
    stream.height, stream.width = frames[0].shape[:2]
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    if codec == "libx264":
        stream.options = {"crf": "5", "threads": "1"}
    if "matrix" in settings:
        stream.set_display_matrix(settings["matrix"])
    if "aspect" in settings:
        stream.codec_context.sample_aspect_ratio = settings["aspect"]
    if "disposition" in settings:
        stream.disposition = settings["disposition"]
    return stream, [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in frames]


def mux(path: Path, *tracks: tuple[list[np.ndarray], dict]) -> None:
    with av.open(str(path), "w") as container:
        made = [track(container, frames, **settings) for frames, settings in tracks]
        for stream, frames in made:
            for frame in frames:
                container.mux(stream.encode(frame))
            container.mux(stream.encode())


def frames_of(path: Path, asked: int = 99) -> list[np.ndarray]:
    return [
        item[1] for item in read(path, "video", Plan(frames=asked)) if not isinstance(item, Use)
    ]


FILM = [np.full((96, 128, 3), 40 + 8 * n, np.uint8) for n in range(12)]
NOISE = np.random.default_rng(0).integers(0, 256, (12, 48, 64, 3), dtype=np.uint8)
PREVIEW = list(NOISE)  # costs more bytes than the film, so that FFmpeg's bit rate misleads
COVER = [np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8)]


@pytest.mark.parametrize("end", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("first", "settings"),
    [
        (PREVIEW, {}),
        (PREVIEW, {"codec": "mjpeg"}),
        (PREVIEW[:3], {"codec": "mjpeg", "rate": 5}),
        (COVER, {"codec": "mjpeg"}),
    ],
    ids=["preview", "preview of JPEGs", "slow preview", "one large picture"],
)
def test_fault_d1_a_preview_or_cover_before_the_film_is_not_read(
    tmp_path: Path, end: str, first: list, settings: dict
) -> None:
    path = tmp_path / f"v.{end}"
    mux(path, (first, settings), (FILM, {}))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.width == first[0].shape[1]
    found = frames_of(path)
    assert [frame.shape for frame in found] == [(96, 128, 3)] * 12
    assert np.abs(found[3].astype(int) - FILM[3]).max() < 4
    assert len(times(path)) == 12


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(COVER[0]).save(buffer, "JPEG")
    return buffer.getvalue()


def box(kind: bytes, *body: bytes) -> bytes:
    content = b"".join(body)
    return struct.pack(">I4s", len(content) + 8, kind) + content


def covered(path: Path) -> None:
    """Put iTunes' cover before the tracks of an mp4 whose index stands at its end."""
    data = path.read_bytes()
    at = data.index(b"moov") - 4
    moov = data[at + 8 :]
    head = struct.unpack(">I", moov[:4])[0]  # mvhd
    hdlr = box(b"hdlr", bytes(8), b"mdirappl", bytes(9))
    covr = box(b"covr", box(b"data", struct.pack(">II", 13, 0), jpeg()))
    cover = box(b"udta", box(b"meta", bytes(4), hdlr, box(b"ilst", covr)))
    path.write_bytes(data[:at] + box(b"moov", moov[:head], cover, moov[head:]))


def test_fault_d1_an_attached_cover_is_never_the_video(tmp_path: Path) -> None:
    mux(tmp_path / "v.mp4", (FILM, {}))
    covered(tmp_path / "v.mp4")
    with av.open(str(tmp_path / "v.mp4")) as container:
        assert container.streams.video[0].disposition & ATTACHED
    assert len(frames_of(tmp_path / "v.mp4")) == 12
    with av.open(str(tmp_path / "v.mkv"), "w") as container:
        made = track(container, FILM)
        container.add_attachment("cover.jpg", "image/jpeg", jpeg())
        for frame in made[1]:
            container.mux(made[0].encode(frame))
        container.mux(made[0].encode())
    assert [frame.shape for frame in frames_of(tmp_path / "v.mkv")] == [(96, 128, 3)] * 12


def test_fault_d1_a_song_with_a_cover_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    sound(path)
    covered(path)
    with pytest.raises(Unreadable, match="no_frames: only an attached picture"):
        list(read(path, "video", Plan()))


def matrix(a: float, b: float, c: float, d: float) -> list[int]:
    return [round(v * 65536) for v in (a, b, 0, c, d, 0)] + [0, 0, 1 << 30]


def seen(upright: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """Lay a picture by the matrix itself: pixel (x, y) goes to (a x + c y, b x + d y)."""
    height, width = upright.shape[:2]
    y, x = np.mgrid[:height, :width]
    right, down = a * x + c * y, b * x + d * y
    right, down = right - right.min(), down - down.min()
    shown = np.empty((down.max() + 1, right.max() + 1, 3), np.uint8)
    shown[down, right] = upright
    return shown


EIGHT = [(s, 0, 0, t) for s in (1, -1) for t in (1, -1)]
EIGHT += [(0, s, t, 0) for s in (1, -1) for t in (1, -1)]


@pytest.mark.parametrize("end", ["mp4", "mkv"])
@pytest.mark.parametrize("laid", EIGHT, ids=str)
def test_fault_d2_each_of_the_eight_orientations_is_shown_upright(
    tmp_path: Path, laid: tuple[int, int, int, int], end: str
) -> None:
    path = tmp_path / f"v.{end}"
    mux(path, ([corners()] * 2, {"matrix": matrix(*laid)}))
    found, wanted = frames_of(path)[1], seen(corners(), *laid)
    assert found.shape == wanted.shape
    assert found.flags.c_contiguous
    assert np.abs(found.astype(int) - wanted).mean() < 12


@pytest.mark.parametrize("laid", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0)])
def test_fault_d2_a_matrix_that_shows_nothing_is_not_followed(tmp_path: Path, laid) -> None:
    mux(tmp_path / "v.mp4", ([corners()] * 2, {"matrix": matrix(*laid)}))
    assert np.abs(frames_of(tmp_path / "v.mp4")[0].astype(int) - corners()).mean() < 12


def test_fault_d2_sizes_in_a_matrix_are_not_followed_and_a_tilt_is(tmp_path: Path) -> None:
    """As ffmpeg does: a scaled flip is a flip; by 30 degrees the picture turns in its frame."""
    mux(tmp_path / "v.mp4", ([corners()] * 2, {"matrix": matrix(2, 0, 0, -2)}))
    wanted = seen(corners(), 1, 0, 0, -1)
    assert np.abs(frames_of(tmp_path / "v.mp4")[0].astype(int) - wanted).mean() < 12
    cos, sin = math.cos(math.radians(30)), math.sin(math.radians(30))
    mux(tmp_path / "t.mp4", ([corners(64, 64)] * 2, {"matrix": matrix(cos, sin, -sin, cos)}))
    (frame, _) = frames_of(tmp_path / "t.mp4")
    assert frame.shape == (64, 64, 3)
    assert frame[0, 0].max() < 40  # the corner that the picture has left
    for place, colour in {(20, 32): RED, (32, 44): GREEN, (44, 32): WHITE, (32, 20): BLUE}.items():
        assert np.abs(frame[place].astype(int) - colour).max() < 40  # clockwise


@pytest.mark.parametrize("end", ["mp4", "mkv", "avi"])
@pytest.mark.parametrize("aspect", [Fraction(2), Fraction(1, 2), Fraction(64, 45), Fraction(1)])
def test_fault_d14_pixels_become_square(tmp_path: Path, end: str, aspect: Fraction) -> None:
    codec = "mpeg4" if end == "avi" else "libx264"
    mux(tmp_path / f"v.{end}", ([corners(48, 90)] * 2, {"aspect": aspect, "codec": codec}))
    wide, high = round(90 * max(aspect, 1)), round(48 / min(aspect, 1))
    for frame in frames_of(tmp_path / f"v.{end}"):
        assert frame.shape == (high, wide, 3)
        for place, colour in zip(
            itertools.product((high // 4, 3 * high // 4), (wide // 4, 3 * wide // 4)),
            (RED, GREEN, BLUE, WHITE),
            strict=True,
        ):
            assert np.abs(frame[place].astype(int) - colour).max() < 30


def test_fault_d14_pixels_are_squared_before_a_video_is_turned(tmp_path: Path) -> None:
    turned = {"aspect": Fraction(2), "matrix": matrix(0, 1, -1, 0)}
    mux(tmp_path / "v.mp4", ([corners()] * 2, turned))
    assert frames_of(tmp_path / "v.mp4")[0].shape == (128, 48, 3)


def test_fault_d14_an_aspect_that_no_pixel_has_is_damage() -> None:
    assert squared(100, 50, Fraction(8)) == (800, 50)
    assert squared(100, 50, Fraction(1, 8)) == (100, 400)
    for damaged in (None, Fraction(0), Fraction(9), Fraction(1, 9), Fraction(-2), Fraction(65535)):
        assert squared(100, 50, damaged) == (100, 50)


@pytest.mark.parametrize("end", ["mp4", "mkv", "avi"])
def test_fault_c15_times_are_seconds_from_the_first_frame(tmp_path: Path, end: str) -> None:
    codec = "mpeg4" if end == "avi" else "libx264"
    mux(tmp_path / f"v.{end}", (FILM, {"codec": codec}))
    for _ in range(3):  # the values of a closed container differed from call to call
        assert times(tmp_path / f"v.{end}") == pytest.approx([n / 25 for n in range(12)], abs=2e-3)


def test_fault_c15_where_the_container_gives_no_time_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Frame:
        def __init__(self, time: float | None):
            self.time = time

    shown = [0.5, None, 0.7]
    monkeypatch.setattr(
        "lssat.data.media.video._frames", lambda *_: [(Frame(t), None) for t in shown]
    )
    assert times(tmp_path) == [0.0, None, pytest.approx(0.2)]
    shown[0] = None
    assert times(tmp_path) == [None, None, None]
