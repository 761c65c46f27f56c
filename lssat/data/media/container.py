"""Opening a video: by its content alone, at the stream that a player would show.

FFmpeg is given an open file and never its name, so that no name is taken for a protocol
(`10:30.mp4`, `concat:...`) or a pattern (`%d.mp4`).
"""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lssat.data.media.signatures import BYTES, fault
from lssat.data.media.unreadable import Unreadable, read_bytes

CONTAINERS = "mov,matroska,avi"  # FFmpeg's demuxers; mov reads mp4, matroska reads webm

# of a stream, FFmpeg's dispositions: attached_pic and timed_thumbnails; default
_ATTACHED, _DEFAULT = 0x0400 | 0x0800, 0x0001


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[tuple[Any, Any]]:
    """Open a video; yield its container and the stream that is read.

    Raises:
        Unreadable: missing, unreadable, format, no_frames (no index, or no video stream).
        DataError: the file may not be read (permission).
    """
    with _container(path) as container:
        yield container, _stream(path, container)


@contextlib.contextmanager
def _container(path: str | Path) -> Iterator[Any]:
    import av

    head = read_bytes(path, BYTES)
    with open(path, "rb", buffering=0) as file:
        file.name = "video"  # hides the real name from FFmpeg
        try:
            container = av.open(file, options={"format_whitelist": CONTAINERS})
        except MemoryError:
            raise
        except av.error.FFmpegError as error:
            raise Unreadable(*_not_a_video(head, str(error))) from None
        with container:
            yield container


def _stream(path: str | Path, container: Any) -> Any:
    """Return the video: the largest stream that moves, and FFmpeg's choice among equals.

    Covers, thumbnails and smaller previews are skipped, however they are stored. FFmpeg alone
    would take a preview that is flagged as the default, as is the first track of many files.
    """
    videos = container.streams.video
    streams = [stream for stream in videos if not stream.disposition & _ATTACHED]
    if not streams:
        problem = "only an attached picture" if videos else "no video stream"
        raise Unreadable("no_frames", problem)
    if len(streams) == 1:
        return streams[0]
    pictures, best = _packets(path), container.streams.best("video")

    def rank(stream: Any) -> tuple:
        codec = stream.codec_context
        default = bool(stream.disposition & _DEFAULT)
        moves = pictures[stream.index] > 1
        return moves, codec.width * codec.height, default, stream.index == best.index

    return max(streams, key=rank)


def _packets(path: str | Path) -> Counter:
    """Count the packets of each stream; nothing is decoded."""
    with _container(path) as container:
        packets = container.demux(video=tuple(range(len(container.streams.video))))
        return Counter(packet.stream.index for packet in packets if packet.size)


def announced(path: str | Path) -> int:
    """Return how many frames a video announces; 0: it does not say.

    Those that an mp4's edit list cuts off at either end are not counted: they are not shown. More
    frames than the file has bytes are a damaged number, and as good as none.
    """
    with opened(path) as (_, stream):
        if stream.frames > os.path.getsize(path):
            return 0
        hidden = sum(entry.is_discard for entry in stream.index_entries) if stream.frames else 0
        return max(0, stream.frames - hidden)


def _not_a_video(head: bytes, problem: str) -> tuple[str, str]:
    """Distinguish a damaged video (its index is missing) from another kind of file."""
    other = fault(head, "") or fault(head, "video")
    return (other.reason, other.detail) if other else ("no_frames", f"damaged: {problem}")
