"""Whether a file is an image or a video, by its first bytes."""

from pathlib import Path

from lssat.data.media.signatures import BYTES, is_image, is_video
from lssat.data.media.unreadable import Unreadable, read_bytes
from lssat.data.media.video import IMAGES
from lssat.tables import DataError

VIDEOS = {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi"}  # to look for in a folder


def kind(path: str | Path) -> str:
    """Return `image` or `video` by content; if it is neither, by the file's name.

    Nothing is refused here: reading it says what is wrong with it.
    """
    try:
        head = read_bytes(path, BYTES)
    except (Unreadable, DataError):
        head = b""
    if is_video(head):
        return "video"
    return "image" if is_image(head) or Path(path).suffix.lower() in IMAGES else "video"
