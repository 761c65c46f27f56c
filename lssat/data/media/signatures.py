"""What can be read, by a file's first bytes: the one rule, for doctor, manifest and faces.

Suffixes do not matter: a JPEG without one is read, a TIFF named `.jpg` is not.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from lssat.data.media.unreadable import Unreadable, read_bytes
from lssat.tables import s3_addresses

T = TypeVar("T")
BYTES = 256  # enough to recognise a kind of file

# Threads that read, and the files that one reads before it takes the next ones: of a disk, which
# may be one of a network, and of object storage.
_ON_DISK, _AWAY = (8, 2000), (64, 50)
# The boxes with which FFmpeg's demuxer of mov and mp4 lets a file begin.
_BOXES = (
    b"ftyp moov mdat free skip wide pnot udta uuid junk pict prfl styp sidx moof emsg meta ediw"
).split()
_AVI = (b"RIFFAVI ", b"RIFFAVIX", b"RIFFAVI\x19", b"RIFFAMV ", b"ON2 ON2f")
_BMP = (12, 40, 52, 56, 64, 108, 124)  # bytes of the known headers of a bitmap
_PAGE = (b"<!doctype html", b"<html", b"<head", b"<script", b"<?xml")
_OTHERS = {
    "an archive": (b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf"),
    "a TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "a GIF": (b"GIF8",),
    "a PDF": (b"%PDF",),
    "a thumbnail cache of Windows": (b"\xd0\xcf\x11\xe0",),
    "a playlist": (b"#EXTM3U", b"ffconcat"),
}
_HEIF = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
_WANTED = {
    "image": "an image that is read (JPEG, PNG, BMP, WebP)",
    "video": "a video that is read (mp4, mov, mkv, webm, avi)",
    "": "an image or a video that is read (JPEG, PNG, BMP, WebP; mp4, mov, mkv, webm, avi)",
}


class Fault(NamedTuple):
    """Why a file cannot be read: one of `tables.REASONS`, and words that follow the file's name."""

    reason: str
    problem: str
    head: bytes

    @property
    def detail(self) -> str:
        """The words with the first bytes, for a table of rejects."""
        return f"{self.problem} (first bytes {self.head[:16]!r})" if self.head else self.problem


def is_image(head: bytes) -> bool:
    """Say whether a file begins as a JPEG, PNG, BMP or WebP does."""
    if head.startswith(b"BM"):
        return int.from_bytes(head[14:18], "little") in _BMP
    if head.startswith(b"RIFF"):
        return head[8:12] == b"WEBP"
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))


def is_video(head: bytes) -> bool:
    """Say whether a file begins as mp4, mov, matroska, webm or avi does."""
    if head[4:8] in _BOXES or head.startswith(b"\x1aE\xdf\xa3"):
        return True
    return head[:4] + head[8:12] in _AVI


def impostor(head: bytes) -> str:
    """Say what a failed download left in place of a file, or ""."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "is empty (zero bytes)"
    if text.startswith(_PAGE):
        return "is a web page"
    if head.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the file that it stands for"
    if b"/annex/objects/" in head:
        return "is a pointer of git-annex, not the file that it stands for"
    return ""


def fault(head: bytes, media: str) -> Fault | None:
    """Say why a file with these first bytes cannot be read, or None.

    Args:
        head: the first `BYTES` of the file, or all of a smaller one.
        media: `image` or `video`; "": either will do.
    """
    reads = {"image": is_image, "video": is_video}
    if any(reads[medium](head) for medium in ([media] if media else reads)):
        return None
    if problem := impostor(head):
        return Fault("format" if head else "unreadable", problem, head)
    other = _other(head)
    problem = f"is not {_WANTED[media]}" + (f" but {other}" if other else "")
    return Fault("format", problem, head)


def _other(head: bytes) -> str:
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
        return "a HEIF or AVIF"
    if is_image(head):
        return "an image"
    if is_video(head):
        return "a video"
    return next((name for name, marks in _OTHERS.items() if head.startswith(marks)), "")


def faults(root: Path, media: dict[str, str]) -> Iterator[tuple[str, Fault]]:
    """Read the first bytes of files, with threads, and yield those that cannot be read.

    Args:
        media: `image`, `video` or "" of each path, relative to the root; members of archives
            (`<archive>!/<member>`) are paths as well.

    Raises:
        DataError: a file may not be read (permission).
    """

    def look(path: str) -> tuple[str, Fault] | None:
        try:
            problem = fault(read_bytes(os.path.join(root, path), BYTES), media[path])
        except Unreadable as error:
            problem = Fault(error.reason, error.detail, b"")
        return (path, problem) if problem else None

    yield from in_threads(root, list(media), look)


def in_threads(root: Path, paths: list[str], look: Callable[[str], T | None]) -> Iterator[T]:
    """Look at each of the files below a root; yield what is not None, in the order of the files."""
    count, size = _AWAY if s3_addresses.address(root) else _ON_DISK
    parts = [paths[start : start + size] for start in range(0, len(paths), size)]
    with ThreadPoolExecutor(count) as threads:
        for results in threads.map(lambda part: [r for r in map(look, part) if r], parts):
            yield from results
