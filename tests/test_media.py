"""Every decoder's result is upright 8-bit RGB or a reason; nothing is half decoded in silence."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trees import picture, video

from lssat import media
from lssat.media import Unreadable, frame_indices, read_frames, read_image


def saved(tmp_path: Path, image: Image.Image, format: str, **options) -> Path:
    path = tmp_path / "image.jpg"  # the suffix lies on purpose: content decides
    image.save(path, format, **options)
    return path


def reason(path: Path, read=read_image) -> str:
    with pytest.raises(Unreadable) as caught:
        read(path)
    return caught.value.reason


@pytest.mark.parametrize("format", ["PNG", "BMP", "WEBP"])
def test_lossless_formats_give_the_pixels(tmp_path: Path, format: str) -> None:
    options = {"lossless": True} if format == "WEBP" else {}
    path = saved(tmp_path, Image.fromarray(picture(1)), format, **options)
    found = read_image(path)
    assert found.dtype == np.uint8
    assert np.array_equal(found, picture(1))


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the upright image is the stored one turned right
    path = saved(tmp_path, Image.fromarray(picture(2)), "PNG", exif=exif)
    assert np.array_equal(read_image(path), np.rot90(picture(2), -1))


def test_grey_palette_alpha_and_16_bit_become_rgb(tmp_path: Path) -> None:
    grey = picture(3)[..., 0]
    threefold = np.repeat(grey[..., None], 3, axis=2)
    assert np.array_equal(read_image(saved(tmp_path, Image.fromarray(grey), "PNG")), threefold)
    deep = Image.fromarray(grey.astype(np.uint16) * 256 + 77)
    assert np.array_equal(read_image(saved(tmp_path, deep, "PNG")), threefold)
    clear = Image.fromarray(np.dstack([picture(3), np.zeros_like(grey)]))
    assert np.array_equal(read_image(saved(tmp_path, clear, "PNG")), picture(3))
    few = Image.fromarray(picture(3)).quantize(16)
    wanted = np.asarray(few.convert("RGB"))
    path = saved(tmp_path, few, "PNG", transparency=bytes(range(16)))
    assert np.array_equal(read_image(path), wanted)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    red = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    assert np.abs(read_image(saved(tmp_path, red, "JPEG")).astype(int) - [255, 0, 0]).max() <= 3


def test_what_cannot_be_used_has_a_reason(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture(4)).save(buffer, "JPEG")
    whole, path = buffer.getvalue(), tmp_path / "image.jpg"
    assert reason(tmp_path / "none.jpg") == "missing"
    for content, wanted in [
        (whole[: len(whole) // 2], "truncated"),
        (b"", "unreadable"),
        (whole[:5], "unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format"),
    ]:
        path.write_bytes(content)
        assert reason(path) == wanted
    assert reason(saved(tmp_path, Image.fromarray(picture(4)), "TIFF")) == "format"
    assert reason(saved(tmp_path, Image.new("RGB", (1, 1)), "PNG")) == "too_small"
    assert reason(saved(tmp_path, Image.new("1", (10000, 10000)), "PNG")) == "too_large"


def test_frame_indices_are_even_and_hold_both_ends() -> None:
    assert frame_indices(10, 4).tolist() == [0, 3, 6, 9]
    assert frame_indices(50, 5).tolist() == [0, 12, 24, 37, 49]  # 12.25, 24.5, 36.75
    assert frame_indices(7, 1).tolist() == [0]
    assert frame_indices(3, 3).tolist() == [0, 1, 2]
    assert frame_indices(400, 32)[[0, 1, 30, 31]].tolist() == [0, 13, 386, 399]


def grey_frames(count: int) -> list[np.ndarray]:
    noise = np.random.default_rng(0).integers(0, 256, (count, 16, 64, 3), dtype=np.uint8)
    frames = [np.full((64, 64, 3), 4 * i, np.uint8) for i in range(count)]
    for frame, top in zip(frames, noise, strict=True):
        frame[:16] = top  # something that costs bytes
    return frames


def test_frames_are_those_of_their_indices(tmp_path: Path) -> None:
    video(tmp_path / "v.mp4", grey_frames(50))
    indices, frames, n_frames = read_frames(tmp_path / "v.mp4", 5)
    assert (indices.tolist(), n_frames) == ([0, 12, 24, 37, 49], 50)
    means = [frame[32:].mean() for frame in frames]
    assert np.abs(means - 4.0 * indices).max() < 2.5
    assert frames[0].shape == (64, 64, 3)
    assert frames[0].dtype == np.uint8


def test_a_cut_video_is_spread_over_what_it_gives(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    video(path, grey_frames(50), movflags="faststart")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    indices, frames, n_frames = read_frames(path, 4)
    assert 10 < n_frames < 40
    assert indices.tolist() == frame_indices(n_frames, 4).tolist()
    assert abs(frames[-1][32:].mean() - 4 * indices[-1]) < 4
    with pytest.raises(Unreadable, match=f"short_video: {n_frames} frames decoded, 45 are asked"):
        read_frames(path, 45)


def test_videos_that_cannot_be_used_have_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    video(path, grey_frames(9))
    whole = path.read_bytes()
    (tmp_path / "playlist.mp4").write_text("ffconcat version 1.0\nfile v.mp4\n")

    def read(path: Path):
        return read_frames(path, 2)

    assert reason(tmp_path / "playlist.mp4", read) == "format"
    assert reason(tmp_path / "none.mp4", read) == "missing"
    path.write_bytes(whole[: len(whole) // 2])  # the index stands at the end
    assert reason(path, read) == "no_frames"
    path.write_bytes(b"")
    assert reason(path, read) == "unreadable"


def test_reasons_are_a_closed_list() -> None:
    with pytest.raises(ValueError, match="unknown reason 'odd'"):
        Unreadable("odd", "")
    assert media.MIN_SIDE == 16
