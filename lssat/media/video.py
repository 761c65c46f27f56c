"""Videos: frames one at a time, in order, upright RGB uint8 HWC, or a reason.

Containers are told by content and from a short list: a text playlist named `.mp4` is refused,
and the files that it names stay closed. A folder of a video's images reads like a video.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from lssat.media.heads import is_video
from lssat.media.image import read_image
from lssat.media.plan import Plan, Use, use
from lssat.media.reason import Unreadable, denied, read_bytes

CONTAINERS = "mov,matroska,avi"  # FFmpeg's demuxers; mov reads mp4, matroska reads webm
MAX_PIXELS = 4096 * 3072  # of a frame; 2 GiB suffice for its detection
IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}  # in a folder of frames

Item = Use | tuple[int, np.ndarray]


def read(path: str | Path, media: str, plan: Plan) -> Iterator[Item]:
    """Read the frames that a plan asks for.

    The first item is a `Use`, then come (index, frame) in ascending order, frames as uint8
    (H, W, 3). Should the video then end sooner or later than its file announced, another `Use`
    follows, with its frames: it makes void what came before.

    Args:
        media: "image" (one frame), "video", or "frames" (a folder of images, ordered by the
            numbers in their names).

    Raises:
        Unreadable: missing, unreadable, truncated, format, too_large, too_small, no_frames,
            short_video (fewer frames than the plan's `frames`).
        DataError: the file may not be read (permission).
    """
    if media == "video":
        yield from _video(path, plan)
        return
    files = [Path(path)] if media == "image" else frames_in(Path(path))
    chosen = _enough(len(files), plan if media == "frames" else Plan(), f"{len(files)} images")
    yield chosen
    yield from read_again(path, media, chosen.wanted)


def read_again(path: str | Path, media: str, wanted: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Read the frames of given indices, ascending, none of which lies beyond the end."""
    if media == "video":
        found = ((n, array) for n, array in _decode(path, set(wanted)) if array is not None)
        yield from islice(found, len(wanted))  # and not to the end
        return
    files = [Path(path)] if media == "image" else frames_in(Path(path))
    for index in wanted:
        try:
            yield index, read_image(files[index])
        except Unreadable as error:
            where = "" if media == "image" else f"{files[index].name}: "
            raise Unreadable(error.reason, where + error.detail) from None


def times(path: str | Path) -> list[float | None]:
    """Return the second at which each frame of a video is shown, from its first frame on.

    They stand in the container, so nothing is decoded; None where it gives none.

    Raises:
        Unreadable, DataError: as for `read`.
    """
    with _open(path) as container:
        stream = container.streams.video[0]
        packets = [p for p in container.demux(stream) if p.size and not p.is_corrupt]
    shown = [packet.dts if packet.pts is None else packet.pts for packet in packets]
    if not shown or None in shown:
        return [None] * len(shown)
    first, *_ = ordered = sorted(shown)
    return [float((each - first) * stream.time_base) for each in ordered]


def _video(path: str | Path, plan: Plan) -> Iterator[Item]:
    announced = _announced(path) or _count(path)
    while True:
        if not announced:
            raise Unreadable("no_frames", "no frame could be decoded")
        decoded, chosen = 0, use(max(announced, plan.frames or 1), plan)
        yield chosen
        for number, array in _decode(path, set(chosen.wanted)):
            decoded = number + 1
            if array is not None:
                yield number, array
        if decoded == chosen.n_frames:
            return
        if decoded:
            _enough(decoded, plan, f"{decoded} frames decoded, {announced} were announced")
        announced = decoded


def _enough(n_frames: int, plan: Plan, found: str) -> Use:
    if not n_frames:
        raise Unreadable("no_frames", "no image in the folder")
    if plan.frames is not None and n_frames < plan.frames:
        raise Unreadable("short_video", f"{found}, {plan.frames} are asked for")
    return use(n_frames, plan)


def frames_in(folder: Path) -> list[Path]:
    """Return the images of a video's folder, in their order.

    Raises:
        Unreadable: missing.
        DataError: the folder may not be read (permission).
    """
    try:
        files = [path for path in folder.iterdir() if path.suffix.lower() in IMAGES]
    except (FileNotFoundError, NotADirectoryError):
        raise Unreadable("missing", "no such folder of frames") from None
    except PermissionError:
        raise denied(folder) from None
    return sorted(files, key=lambda path: (_numbers(path.stem), path.name))


def _numbers(name: str) -> list[tuple[int, str]]:
    """Order 2 before 10, whether names are padded with zeros or not."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _announced(path: str | Path) -> int:
    with _open(path) as container:
        return container.streams.video[0].frames


def _count(path: str | Path) -> int:
    return sum(1 for _ in _decode(path, set()))


def _open(path: str | Path):
    import av

    head = read_bytes(path, 16)
    try:
        container = av.open(str(path), options={"format_whitelist": CONTAINERS})
    except MemoryError:
        raise
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
    if is_video(head):
        return "no_frames", f"damaged: {problem}"
    return "format", f"not mp4, mov, mkv, webm or avi (first bytes {head!r})"


def _decode(path: str | Path, wanted: set[int]) -> Iterator[tuple[int, np.ndarray | None]]:
    """Decode from the beginning to the end; convert the frames that are wanted."""
    for number, frame in enumerate(_frames(path)):
        yield number, _upright(frame) if number in wanted else None


def _frames(path: str | Path) -> Iterator:
    import av

    with _open(path) as container:
        stream = container.streams.video[0]
        _check_size(stream.codec_context)
        stream.codec_context.thread_count = 1  # one thread a process, processes per core
        try:
            for packet in container.demux(stream):
                if packet.is_corrupt:  # the file ends within it; what came before is whole
                    yield from stream.decode(None)
                    return
                yield from packet.decode()
        except MemoryError:
            raise
        except av.error.FFmpegError as error:
            raise Unreadable("unreadable", f"decoder: {error}") from None


def _upright(frame) -> np.ndarray:
    """Convert to RGB and turn as the container says; phones store portraits lying down."""
    _check_size(frame)
    array = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(array, round(frame.rotation / 90)))


def _check_size(seen) -> None:
    if seen.width * seen.height > MAX_PIXELS:
        size = f"{seen.width} x {seen.height}"
        raise Unreadable("too_large", f"{size} px, frames have at most {MAX_PIXELS:,} pixels")
