"""The only decoder of images and videos: bytes in, upright RGB uint8 HWC out, or a reason.

Formats are told by content, never by suffix, and from a short list: a text playlist named
`.mp4` or a TIFF named `.jpg` is refused, and the files that such a playlist names stay closed.
"""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lssat import archive
from lssat.tables import REASONS, DataError

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
CONTAINERS = "mov,matroska,avi"  # FFmpeg's demuxers; mov reads mp4, matroska reads webm
MIN_SIDE = 16  # pixels; below this there is no face to see

_IMAGE_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF")
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


class Unreadable(Exception):  # noqa: N818
    """A medium that cannot be used; `reason` is one of `tables.REASONS`, `detail` free text."""

    def __init__(self, reason: str, detail: str):
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}: the closed list is {REASONS}")
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def read_image(path: str | Path) -> np.ndarray:
    """Decode a whole JPEG, PNG, BMP or WebP image, turned upright by its EXIF orientation.

    Grey, palette and CMYK become RGB; 16-bit samples keep their high byte; alpha is dropped.

    Returns:
        uint8 array (H, W, 3), RGB.

    Raises:
        Unreadable: missing, unreadable, truncated, format, too_large or too_small.
        DataError: the file may not be read (permission).
    """
    data = _bytes(path)
    with warnings.catch_warnings():
        # Pillow warns at 89 million pixels; a bomb must not get as far as its decoding.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                image.load()  # in full: `verify` passes a file that is cut off
                return _rgb(ImageOps.exif_transpose(image))
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
            reason = "truncated" if "truncated" in str(error).lower() else "unreadable"
            raise Unreadable(reason, str(error)) from None


def _bytes(path: str | Path, count: int = -1) -> bytes:
    try:
        if archive.is_member(path):
            return archive.read(path)
        with open(path, "rb") as file:
            return file.read(count)
    except FileNotFoundError:
        raise Unreadable("missing", "no such file") from None
    except archive.TooLargeError as error:
        raise Unreadable("too_large", str(error)) from None
    except PermissionError:
        path = archive.file_of(path)
        owner = Path(path).stat().st_uid
        fix = "Ask the owner for permission to read it"
        raise DataError(path, f"cannot be read (owner: uid {owner})", fix) from None
    except OSError as error:
        raise Unreadable("unreadable", str(error)) from None


def _unknown(data: bytes) -> tuple[str, str]:
    if not data:
        return "unreadable", "zero bytes"
    if data.startswith(_IMAGE_HEADS):
        return "unreadable", f"damaged header (first bytes {data[:16]!r})"
    return "format", f"not {', '.join(FORMATS)} (first bytes {data[:16]!r})"


def _rgb(image: Image.Image) -> np.ndarray:
    if min(image.size) < MIN_SIDE:
        size = f"{image.width} x {image.height}"
        raise Unreadable("too_small", f"{size} px, the least side is {MIN_SIDE} px")
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it at 255
        image = Image.fromarray((np.asarray(image).astype(np.int32) >> 8).astype(np.uint8))
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def frame_indices(n_frames: int, count: int) -> np.ndarray:
    """Return `count` frame indices spread evenly over a video, the first and the last included.

    Returns:
        int array (count,), ascending; each k-th is k (n_frames - 1) / (count - 1), rounded half
        to even. One frame asked for: the first.
    """
    return np.linspace(0, n_frames - 1, count).round().astype(int)


def read_frames(path: str | Path, count: int) -> tuple[np.ndarray, list[np.ndarray], int]:
    """Decode a video from its beginning to its end and keep `count` frames, spread evenly.

    Only the kept frames are held. A file cut short announces more frames than it gives: the
    frames are then spread over what it gives, at the price of a second pass.

    Returns:
        Frame indices (see `frame_indices`), the frames as uint8 arrays (H, W, 3), RGB, and the
        number of frames that the video decodes to.

    Raises:
        Unreadable: missing, unreadable, format, no_frames, short_video (fewer than `count`).
        DataError: the file may not be read (permission).
    """
    head = _bytes(path, 16)
    announced = _announced(path, head)
    while True:
        indices = frame_indices(max(announced, count), count)
        wanted, frames, decoded = set(indices.tolist()), {}, 0
        for number, frame in enumerate(_decode(path, head)):
            decoded = number + 1
            if number in wanted:
                frames[number] = frame.to_ndarray(format="rgb24")
        if not decoded:
            raise Unreadable("no_frames", "no frame could be decoded")
        if decoded < count:
            asked = f"{count} are asked for, {announced} were announced"
            raise Unreadable("short_video", f"{decoded} frames decoded, {asked}")
        if decoded == max(announced, count):
            return indices, [frames[index] for index in indices.tolist()], decoded
        announced = decoded


def _announced(path: str | Path, head: bytes) -> int:
    with _open(path, head) as container:
        return container.streams.video[0].frames


def _open(path: str | Path, head: bytes):
    import av

    try:
        container = av.open(str(path), options={"format_whitelist": CONTAINERS})
    except av.error.FFmpegError as error:
        raise Unreadable(*_not_a_video(head, str(error))) from None
    if not container.streams.video:
        container.close()
        raise Unreadable("no_frames", "no video stream")
    return container


def _not_a_video(head: bytes, problem: str) -> tuple[str, str]:
    """Tell a damaged video (its index is missing) from something that is none."""
    if not head:
        return "unreadable", "zero bytes"
    if head[4:8] in _MOV_BOXES or head.startswith((b"\x1aE\xdf\xa3", b"RIFF")):
        return "no_frames", f"damaged: {problem}"
    return "format", f"not mp4, mov, mkv, webm or avi (first bytes {head!r})"


def _decode(path: str | Path, head: bytes) -> Iterator:
    import av

    with _open(path, head) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # one thread a process, processes per core
        try:
            for packet in container.demux(stream):
                if packet.is_corrupt:  # the file ends within it; what came before is whole
                    yield from stream.decode(None)
                    return
                yield from packet.decode()
        except av.error.FFmpegError as error:
            raise Unreadable("unreadable", f"decoder: {error}") from None
