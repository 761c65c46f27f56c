"""Whether a file is an image or a video, told by its first bytes."""

from pathlib import Path

from lssat.media.image import HEADS
from lssat.media.reason import Unreadable, read_bytes
from lssat.media.video import IMAGES, looks_like_video
from lssat.tables import DataError

VIDEOS = {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi"}  # to look for in a folder


def kind(path: str | Path) -> str:
    """Return `image` or `video`; of what is neither, whichever its name says.

    Nothing is refused here: reading it says what is wrong with it.
    """
    try:
        head = read_bytes(path, 16)
    except (Unreadable, DataError):
        head = b""
    if head.startswith(b"RIFF"):
        return "image" if head[8:12] == b"WEBP" else "video"
    if looks_like_video(head):
        return "video"
    return "image" if head.startswith(HEADS) or Path(path).suffix.lower() in IMAGES else "video"
