"""Images are upright 8-bit RGB or a reason; nothing is half decoded in silence."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trees import picture

from lssat.media import Unreadable, read_image


def saved(tmp_path: Path, image: Image.Image, format: str, **options) -> Path:
    path = tmp_path / "image.jpg"  # the suffix lies on purpose: content decides
    image.save(path, format, **options)
    return path


def reason(path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        read_image(path)
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
