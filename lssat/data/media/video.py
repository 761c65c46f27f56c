"""Videos: frames one at a time, in order, upright RGB uint8 HWC, or a reason.

Containers are recognised by content and from a short list: a text playlist named `.mp4` is refused,
and the files that it names stay closed. A folder of a video's images reads like a video.
"""

import os
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lssat.data.media import container, upright
from lssat.data.media.frame_choice import Plan, Use, use
from lssat.data.media.image import MIN_SIDE, read_image
from lssat.data.media.system_files import hidden
from lssat.data.media.unreadable import Unreadable, check_memory
from lssat.tables.errors import denied

MAX_PIXELS = 4096 * 3072  # of a frame; 2 GiB suffice for its detection
# Bytes a pixel while a frame is turned into an array, and frames that a codec holds beside it, at
# most: others that they refer to, and those that wait for their turn. Measured: docs/faces.md.
_SHOWN, _HELD, _INTRA, _OTHERS = 9, {"h264": 24, "hevc": 24, "vvc": 24}, 4, 12
IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}  # in a folder of frames

Item = Use | tuple[int, np.ndarray]


def read(path: str | Path, media: str, plan: Plan, memory: int | None = None) -> Iterator[Item]:
    """Read the frames that a plan asks for.

    The first item is a `Use`, then come (index, frame) in ascending order, frames as uint8
    (H, W, 3). Should the video then end sooner or later than its file announced, another `Use`
    follows, with its frames: it makes void what came before.

    Args:
        media: "image" (one frame), "video", or "frames" (a folder of images, ordered by the
            numbers in their names).
        memory: MiB that decoding may take; what needs more is too_large. None: no limit.

    Raises:
        Unreadable: missing, unreadable (also where a frame is damaged within), truncated, format,
            too_large, too_small, no_frames, short_video (cut off, and fewer frames are left than
            the plan's `frames`).
        DataError: the file may not be read (permission).
    """
    if media == "video":
        yield from _video(path, plan, memory)
        return
    files = images_of(path, media)
    chosen = use(len(files), plan if media == "frames" else Plan())
    yield chosen
    yield from read_again(path, media, chosen.wanted, memory)


def read_again(
    path: str | Path, media: str, wanted: list[int], memory: int | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Read the frames of given indices, ascending, none of which lies beyond the end."""
    if media == "video":
        decoded = _decode(path, set(wanted), memory)
        frames = ((n, array) for n, array in decoded if array is not None)
        yield from islice(frames, len(wanted))  # and not to the end
        return
    files = images_of(path, media)
    for index in wanted:
        try:
            yield index, read_image(files[index], memory)
        except Unreadable as error:
            where = "" if media == "image" else f"{files[index].name}: "
            raise Unreadable(error.reason, where + error.detail) from None


def times(path: str | Path, memory: int | None = None) -> list[float | None]:
    """Return the second at which each frame of a video is shown, from its first frame on.

    None for a frame to which its container gives no time; for all where the first has none, or
    where times go back: AVI tells when frames are decoded, which is not when they are shown.

    Raises:
        Unreadable, DataError: as for `read`.
    """
    times = [frame.time for frame, _ in _frames(path, memory)]
    first = times[0] if times else None
    known = [time for time in times if time is not None]
    if first is None or any(later < time for time, later in pairwise(known)):
        return [None] * len(times)
    return [None if time is None else time - first for time in times]


def _video(path: str | Path, plan: Plan, memory: int | None) -> Iterator[Item]:
    n_frames = announced = container.announced(path) or sum(1 for _ in _frames(path, memory))
    while True:
        if not n_frames:
            raise Unreadable("no_frames", "no frame could be decoded")
        decoded, chosen = 0, use(n_frames, plan)
        yield chosen
        for number, array in _decode(path, set(chosen.wanted), memory):
            decoded = number + 1
            if array is not None:
                yield number, array
        if decoded == n_frames:
            return
        if 0 < decoded < min(announced, plan.frames or 1):  # damaged, and too little is left
            announcement = f"{decoded} frames decoded, {announced} were announced"
            raise Unreadable("short_video", f"cut: {announcement}, {plan.frames} are asked for")
        n_frames = decoded


def images_of(path: str | Path, media: str) -> list[Path]:
    """Return the images of a sample: itself, or those of its folder.

    Raises:
        Unreadable: missing, no_frames.
        DataError: the folder may not be read (permission).
    """
    files = [Path(path)] if media == "image" else frames_in(Path(path))
    if not files:
        raise Unreadable("no_frames", "no image in the folder")
    return files


def frames_in(folder: Path) -> list[Path]:
    """Return the images of a video's folder, in their order.

    Raises:
        Unreadable: missing, format (a file).
        DataError: the folder may not be read (permission).
    """
    try:
        with os.scandir(folder) as entries:
            files = [folder / entry.name for entry in entries if _is_frame(entry)]
    except FileNotFoundError:
        raise Unreadable("missing", "no such folder of frames") from None
    except NotADirectoryError:
        raise Unreadable("format", "a file, not a folder of frames") from None
    except PermissionError:
        raise denied(folder) from None
    return sorted(files, key=lambda path: (_numbers(path.stem), path.name))


def _is_frame(entry: os.DirEntry) -> bool:
    suffix = os.path.splitext(entry.name)[1].lower()
    return suffix in IMAGES and not hidden(entry.name) and not entry.is_dir()


def _numbers(name: str) -> list[tuple[int, str]]:
    """Order 2 before 10, whether names are padded with zeros or not."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _decode(
    path: str | Path, wanted: set[int], memory: int | None
) -> Iterator[tuple[int, np.ndarray | None]]:
    """Decode from the beginning to the end; convert the frames that are wanted."""
    for number, (frame, aspect) in enumerate(_frames(path, memory)):
        yield number, upright.pictured(frame, aspect) if number in wanted else None


def _frames(path: str | Path, memory: int | None) -> Iterator[tuple[Any, Fraction | None]]:
    """Give each frame as it is decoded, and the aspect of its pixels."""
    import av

    with container.opened(path) as (medium, stream):
        aspect, codec = stream.sample_aspect_ratio, stream.codec_context
        _check_size(codec, codec, aspect, memory)
        codec.thread_count = 1  # one thread a process, processes per core
        try:
            for number, frame in enumerate(_decoded(medium, stream)):
                _check_size(frame, codec, aspect, memory)
                if frame.is_corrupt:  # shown with what the decoder guessed
                    problem = f"frame {number} is damaged, and others are built on it"
                    raise Unreadable("unreadable", problem)
                yield frame, aspect
        except MemoryError:
            raise
        except av.error.FFmpegError as error:
            raise Unreadable("unreadable", f"decoder: {error}") from None


def _decoded(medium: Any, stream: Any) -> Iterator[Any]:
    for packet in medium.demux(stream):
        if packet.is_corrupt:  # the file ends within it; what came before is whole
            for frame in stream.decode(None):
                frame.time_base = stream.time_base  # which these lack: their times would be nan
                yield frame
            return
        yield from packet.decode()


def _check_size(picture: Any, codec: Any, aspect: Fraction | None, memory: int | None) -> None:
    """Refuse a frame before it is decoded, or one of another size than its file announced."""
    width, height = upright.squared(picture.width, picture.height, aspect)
    size = f"{width} x {height} px"
    if 0 < min(width, height) < MIN_SIDE:  # 0: the codec tells none yet
        raise Unreadable("too_small", f"{size}, the least side is {MIN_SIDE} px")
    if width * height > MAX_PIXELS:
        raise Unreadable("too_large", f"{size}, frames have at most {MAX_PIXELS:,} pixels")
    stored = picture.format.padded_bits_per_pixel / 8 if picture.format else 1.5
    held = _INTRA if codec.codec.intra_only else _HELD.get(codec.name, _OTHERS)
    needed = width * height * _SHOWN + picture.width * picture.height * held * stored
    check_memory(f"{codec.name} of {size}", needed, memory)
