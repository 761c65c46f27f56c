"""Images: bytes in, upright RGB uint8 HWC out, or a reason.

Formats are recognised by content, never by suffix, and from a short list. Pixels are square:
a density (JFIF, pHYs) is a matter of printing, and no viewer stretches an image by it.
"""

import contextlib
import io
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from lssat.data.media.signatures import BYTES, fault
from lssat.data.media.unreadable import Unreadable, check_memory, read_bytes
from lssat.data.media.without_metadata import bare

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
MIN_SIDE = 16  # pixels; below this there is no face to see
MOST_PIXELS = 2**30 // 12  # Pillow's own limit, 89 million, however much memory there is

# Bytes that decoding takes for each pixel, the array that is returned included; measured
# (docs/faces.md), rounded up. A progressive JPEG holds its coefficients, WebP several canvases.
_BYTES = {"WEBP": 20, "progressive JPEG": 13, "other": 8}
_SHORT = 3  # EXIF's type of the orientation
_BAND = 2**20  # pixels that are converted at once


_UPRIGHT = {  # EXIF's orientation: how the array is turned
    2: lambda array: array[:, ::-1],
    3: lambda array: array[::-1, ::-1],
    4: lambda array: array[::-1],
    5: lambda array: array.swapaxes(0, 1),
    6: lambda array: array.swapaxes(0, 1)[:, ::-1],
    7: lambda array: array.swapaxes(0, 1)[::-1, ::-1],
    8: lambda array: array.swapaxes(0, 1)[::-1],
}


def read_image(path: str | Path, memory: int | None = None) -> np.ndarray:
    """Decode a whole JPEG, PNG, BMP or WebP image, turned upright by its EXIF orientation.

    Grey, palette and CMYK become RGB; 16-bit samples keep their high byte; alpha is dropped.
    What else stands in the metadata, damaged or not, is of no consequence.

    Args:
        memory: MiB that decoding may take; an image that needs more is too_large. None: all.

    Returns:
        uint8 array (H, W, 3), RGB.

    Raises:
        Unreadable: missing, unreadable, truncated, format, too_large or too_small.
        DataError: the file may not be read (permission).
    """
    data = read_bytes(path, most=None if memory is None else memory * 2**20 // 3)
    try:
        return _read(data, memory)
    except Unreadable as error:
        without = bare(data) if error.reason in ("unreadable", "truncated") else data
        if without == data:
            raise
        return _read(without, memory)


def _read(data: bytes, memory: int | None) -> np.ndarray:
    if size := _webp_size(data):
        _check_memory("WEBP", size, len(data), memory)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of metadata
        # Pillow warns at 89 million pixels; a bomb must not get as far as its decoding.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_size(image, len(data), memory)
                image.load()  # in full: `verify` passes a file that is cut off
                array, orientation = _rgb(image), _orientation(image)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise Unreadable("too_large", str(error)) from None
        except UnidentifiedImageError:
            raise Unreadable(*_unknown(data)) from None
        except (
            OSError,
            SyntaxError,
            ValueError,
            EOFError,
        ) as error:  # what Pillow's plugins raise
            if short := _short_of(data):
                raise Unreadable("truncated", f"it ends {short:,} bytes too early") from None
            reason = "truncated" if "truncated" in str(error).lower() else "unreadable"
            raise Unreadable(reason, str(error)) from None
    return np.ascontiguousarray(_UPRIGHT.get(orientation, np.asarray)(array))


def _unknown(data: bytes) -> tuple[str, str]:
    if other := fault(data[:BYTES], "image"):
        return other.reason, other.detail
    return "unreadable", f"damaged header (first bytes {data[:16]!r})"


def bytes_of(kind: str) -> int:
    """Return how many bytes a pixel takes while an image of a format is decoded."""
    return _BYTES.get(kind, _BYTES["other"])


def _check_size(image: Image.Image, length: int, memory: int | None) -> None:
    """Refuse an image before it is decoded."""
    if min(image.size) < MIN_SIDE:
        size = f"{image.width} x {image.height} px"
        raise Unreadable("too_small", f"{size}, the least side is {MIN_SIDE} px")
    kind = "progressive JPEG" if image.info.get("progressive") else str(image.format)
    _check_memory(kind, image.size, length, memory)


def _check_memory(kind: str, size: tuple[int, int], length: int, memory: int | None) -> None:
    needed = size[0] * size[1] * bytes_of(kind) + 2 * length
    check_memory(f"{kind} of {size[0]} x {size[1]} px", needed, memory)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Read a WebP's size from its header: to open one with Pillow takes half of its memory."""
    with contextlib.suppress(struct.error):
        kind = data[12:16] if _is_webp(data) else b""
        if kind == b"VP8X":
            wide, high, highest = struct.unpack_from("<HxHB", data, 24)  # 24 bits each
            return (wide + (data[26] << 16) + 1, high + (highest << 16) + 1)
        if kind == b"VP8L":
            (bits,) = struct.unpack_from("<L", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if kind == b"VP8 ":
            wide, high = struct.unpack_from("<HH", data, 26)
            return wide & 0x3FFF, high & 0x3FFF
    return None


def _short_of(data: bytes) -> int:
    """Return how many bytes a WebP lacks of those that its header announces; libwebp is silent."""
    return max(0, int.from_bytes(data[4:8], "little") + 8 - len(data)) if _is_webp(data) else 0


def _is_webp(data: bytes) -> bool:
    return data[:4] + data[8:12] == b"RIFFWEBP"


def _rgb(image: Image.Image) -> np.ndarray:
    """Convert band by band, since the whole image stands in memory already."""
    array = np.empty((image.height, image.width, 3), np.uint8)
    deep = max(1, _BAND // image.width)
    for top in range(0, image.height, deep):
        band = image.crop((0, top, image.width, min(top + deep, image.height)))
        array[top : top + deep] = _band(band)
    return array


def _band(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it at 255
        image = Image.fromarray((np.asarray(image).astype(np.int32) >> 8).astype(np.uint8))
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.asarray(image.convert("RGB"))


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation, 1 to 8, or XMP's where EXIF gives none; 1 of a damaged one."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # whatever else the block holds, it costs no picture
        orientation = None
    if orientation is None:
        orientation = _entry(image.info.get("exif") or b"")
    if isinstance(orientation, bytes) and len(orientation) == 1:  # of type BYTE
        orientation = orientation[0]
    return orientation if isinstance(orientation, int) and orientation in _UPRIGHT else 1


def _entry(exif: bytes) -> int | None:
    """Look for the orientation alone: Pillow gives up at an entry whose value lies elsewhere."""
    data = exif.removeprefix(b"Exif\0\0")
    order = ">" if data.startswith(b"MM") else "<"
    with contextlib.suppress(struct.error):  # the block ends before
        (start,) = struct.unpack_from(f"{order}L", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", data, at)
            if (tag, kind) == (ExifTags.Base.Orientation, _SHORT):
                return struct.unpack_from(f"{order}H", data, at + 8)[0]
    return None
