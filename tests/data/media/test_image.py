"""Images are upright 8-bit RGB or a reason; nothing is half decoded in silence."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from helpers.trees import picture
from PIL import Image, ImageOps

from lssat.data.media import Unreadable, read_image


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


LYING = Image.fromarray(np.ascontiguousarray(np.rot90(picture(3, 60, 40))))
ORIENTATION = (0x0112, 3, 1, b"\x06\0")
DAMAGED = {
    "a float that is no number": (0x011A, 11, 1, b"\0\0\xc0\x7f"),
    "a resolution as text": (0x011A, 2, 4, b"abc\0"),
    "a resolution by zero": (0x011A, 5, 1, struct.pack("<L", 38)),
    "a maker beyond the end": (0x010F, 2, 20, struct.pack("<L", 5000)),
    "a comment without end": (0x010E, 2, 2**32 - 1, struct.pack("<L", 8)),
    "an unknown type": (0x0110, 99, 1, b"abcd"),
    "a directory that leads nowhere": (0x8769, 4, 1, struct.pack("<L", 2**31)),
    "a directory that is text": (0x8825, 2, 4, b"gps\0"),
}


def exif(*entries: tuple[int, int, int, bytes], count: int | None = None) -> bytes:
    """A block of little-endian EXIF, its entries in the order that is given."""
    body = struct.pack("<H", len(entries) if count is None else count)
    body += b"".join(struct.pack("<HHL4s", *entry) for entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<L", 8) + body + bytes(12)


def shown(tmp_path: Path, format: str = "PNG", **metadata) -> np.ndarray:
    quality = {"PNG": {}, "WEBP": {"lossless": True}, "JPEG": {"quality": 95}}[format]
    return read_image(saved(tmp_path, LYING, format, **quality, **metadata))


@pytest.mark.parametrize("entry", DAMAGED.values(), ids=DAMAGED.keys())
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_fault_d3_a_damaged_entry_beside_the_orientation_costs_nothing(
    tmp_path: Path, format: str, entry: tuple
) -> None:
    for order in ((entry, ORIENTATION), (ORIENTATION, entry)):
        found = shown(tmp_path, format, exif=exif(*order))
        assert found.shape == (60, 40, 3)
        assert np.abs(found.astype(int) - picture(3, 60, 40)).mean() < 6


def test_fault_d3_a_block_that_is_cut_or_announces_too_much(tmp_path: Path) -> None:
    whole = exif(ORIENTATION, DAMAGED["a resolution as text"])
    assert shown(tmp_path, exif=exif(ORIENTATION, count=65535)).shape == (60, 40, 3)
    shapes = [shown(tmp_path, exif=whole[:end]).shape for end in range(7, len(whole))]
    assert shapes == sorted(shapes)  # lying (40 rows) up to where the orientation stands, then not
    assert {*shapes} == {(40, 60, 3), (60, 40, 3)}


@pytest.mark.parametrize("value", [0, 9, 1, 255, 65535])
def test_fault_d3_an_orientation_that_is_none_turns_nothing(tmp_path: Path, value: int) -> None:
    entry = (0x0112, 3, 1, struct.pack("<H", value))
    assert np.array_equal(shown(tmp_path, exif=exif(entry)), np.asarray(LYING))


def test_fault_d3_an_orientation_of_another_type(tmp_path: Path) -> None:
    byte, long, many = (1, 1, b"\x06\0\0\0"), (4, 1, b"\x06\0\0\0"), (3, 900, b"\x06\0")
    for each in (byte, long, many):
        assert shown(tmp_path, exif=exif((0x0112, *each))).shape == (60, 40, 3)
    for each in ((2, 2, b"6\0"), (11, 1, b"\0\0\xc0\x7f"), (5, 1, b"\x08\0\0\0")):
        assert shown(tmp_path, exif=exif((0x0112, *each))).shape == (40, 60, 3)  # text, fractions


@pytest.mark.parametrize("number", range(1, 9))
def test_fault_d3_all_eight_orientations_are_those_of_pillow(tmp_path: Path, number: int) -> None:
    entry = (0x0112, 3, 1, struct.pack("<H", number))
    path = saved(tmp_path, LYING, "PNG", exif=exif(entry, DAMAGED["a resolution as text"]))
    clean = saved(tmp_path, LYING, "PNG", exif=exif(entry))
    with Image.open(clean) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(read_image(path), wanted)


def test_fault_d3_xmp_turns_where_exif_says_nothing_and_damaged_xmp_does_not(
    tmp_path: Path,
) -> None:
    assert shown(tmp_path, "JPEG", xmp=b'<x tiff:Orientation="6"/>').shape == (60, 40, 3)
    for damaged in (b'<x tiff:Orientation="', b"\xff\xfe\0<", b'tiff:Orientation="x"', b""):
        assert shown(tmp_path, "JPEG", xmp=damaged).shape == (40, 60, 3)
        both = shown(tmp_path, "JPEG", xmp=damaged, exif=exif(ORIENTATION))
        assert both.shape == (60, 40, 3)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L4s", len(body), kind) + body + struct.pack(">L", zlib.crc32(kind + body))


def test_fault_d3_other_damaged_metadata_costs_no_png_and_no_jpeg(tmp_path: Path) -> None:
    """A colour profile, a comment or a density that cannot be read; the pixels can."""
    data = saved(tmp_path, LYING, "PNG", exif=exif(ORIENTATION)).read_bytes()
    for damaged in (b"iCCP\0", b"zTXt\0", b"cHRM\0", b"pHYs\0", b"gAMA\0", b"sRGB"):
        text = damaged.replace(b"\0", b"x\0\0broken")
        path = tmp_path / "image.jpg"
        path.write_bytes(data[:33] + chunk(damaged[:4], text[4:]) + data[33:])
        assert np.array_equal(read_image(path), picture(3, 60, 40)), damaged
    data = saved(tmp_path, LYING, "JPEG", exif=exif(ORIENTATION)).read_bytes()
    for number, body in ((0, b"JFIF\0\1"), (13, b"Photoshop 3.0\x008BIM\4"), (14, b"Adobe\0")):
        segment = struct.pack(">BBH", 0xFF, 0xE0 + number, len(body) + 2) + body
        path.write_bytes(data[:2] + segment + data[2:])
        assert read_image(path).shape == (60, 40, 3), body


def test_fault_d14_a_density_is_for_printing_and_stretches_no_image(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(picture(1)), "PNG", dpi=(144, 72))
    assert np.array_equal(read_image(path), picture(1))
    assert read_image(
        saved(tmp_path, Image.fromarray(picture(1)), "JPEG", dpi=(144, 72))
    ).shape == (*picture(1).shape,)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"save_all": True}])
def test_a_webp_that_was_cut_is_truncated(tmp_path: Path, options: dict) -> None:
    """The library only says that it could not create a decoder."""
    image = Image.fromarray(picture(1, 40, 40))
    more = {"append_images": [image.rotate(180)]} if "save_all" in options else {}
    image.save(tmp_path / "a.webp", **options, **more)
    data = (tmp_path / "a.webp").read_bytes()
    for size in (len(data) // 2, len(data) - 9):
        (tmp_path / "a.webp").write_bytes(data[:size])
        with pytest.raises(Unreadable) as caught:
            read_image(tmp_path / "a.webp")
        said = f"it ends {len(data) - size:,} bytes too early"
        assert (caught.value.reason, caught.value.detail) == ("truncated", said)
