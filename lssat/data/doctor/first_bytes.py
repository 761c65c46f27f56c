"""The first bytes of files: web pages, pointers and other things in place of data.

A download that failed often leaves a file of the right name: a quota page, a pointer of Git LFS,
nothing at all. What is an image or a video is `lssat.data.media`'s to say, whatever the suffix.
"""

import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lssat.data import media
from lssat.data.doctor.findings import Inventory, by_folder
from lssat.data.media import archive, signatures
from lssat.data.media.unreadable import read_bytes
from lssat.tables import DataError, s3_addresses

_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")
_MEDIA = ("image", "video", "")
KINDS = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".bmp", ".webp"), "image"),
    **dict.fromkeys(media.VIDEOS, "video"),
    **dict.fromkeys((".txt", ".csv", ".json"), "a text list"),
    ".npy": "an array",
    ".zip": "a zip archive",
}


def problem(kind: str, head: bytes) -> str:
    """Say what a file with these first bytes is instead of data, or "".

    Args:
        kind: what it must be: `image`, `video`, either of them (""), or a value of `KINDS`.
    """
    if kind in _MEDIA:
        fault = media.fault(head, kind)
        return fault.problem if fault else ""
    if words := signatures.impostor(head):
        return words
    if not _fits(kind, head):
        return f"is not {kind}" + (" but an archive" if head.startswith(_ARCHIVES) else "")
    return ""


def _fits(kind: str, head: bytes) -> bool:
    if kind == "a text list":
        return b"\0" not in head and not head.startswith(_ARCHIVES)
    return head.startswith(b"\x93NUMPY" if kind == "an array" else b"PK")


def kind_of(path: str) -> str | None:
    """Return the kind that the suffix of a path stands for; None if unknown."""
    return KINDS.get(os.path.splitext(path)[1].lower())


class Wrong(NamedTuple):
    """A file that is not data."""

    path: str
    problem: str
    head: bytes


def look(root: Path, kinds: dict[str, str], inventory: Inventory) -> list[Wrong]:
    """Read the first bytes of files; return those that are not what they must be.

    Args:
        kinds: what each path must be, see `problem`; relative to the root.
    """
    inventory.read += len(kinds)
    return [*signatures.in_threads(root, [*kinds], lambda path: _wrong(root, path, kinds[path]))]


def tell(wrong: list[Wrong], is_error: Callable[[str], bool], inventory: Inventory) -> None:
    """Record the files that are not data, by problem and folder, as errors or warnings."""
    groups: dict[tuple, list[Wrong]] = defaultdict(list)
    for file in wrong:
        severity = "error" if is_error(file.path) else "warning"
        if severity == "error":
            inventory.faulty.add(file.path)
        groups[severity, file.problem].append(file)
    for (severity, words), files in sorted(groups.items()):
        head = files[0].head
        bytes_ = f" (first bytes {head[:24]!r})" if head else ""
        for folder, names in by_folder(file.path for file in files).items():
            one = len(names) == 1
            path = f"{folder}/{names[0]}".lstrip("/") if one else folder or "."
            text = words if one else f"{len(names):,} files: each {words}"
            fix = _fix(words, severity, inventory)
            inventory.add(severity, path, f"{text}{bytes_}", fix, () if one else names)


def _fix(words: str, severity: str, inventory: Inventory) -> str:
    if "permission" in words.lower():
        return "Ask the owner for permission to read it"
    fetch = "Put the right file there" if inventory.own else "Fetch it again"
    if severity == "warning":
        return "Not used, or within rejects_limit"
    if "that is read (" in words:  # nor will another download be one
        limit = f"the share that datasets.{inventory.dataset}.rejects_limit allows"
        return f"{fetch}, convert it, or do without {limit}"
    return fetch


def _wrong(root: Path, path: str, kind: str) -> Wrong | None:
    file = os.path.join(root, path)
    try:
        head = read_bytes(file, signatures.BYTES)
    except media.Unreadable as error:
        return Wrong(path, f"cannot be read ({error.detail})", b"")
    except DataError as error:
        if s3_addresses.address(file):
            return Wrong(path, error.problem, b"")
        owner = os.stat(archive.file_of(file)).st_uid
        return Wrong(path, f"cannot be read (Permission denied; owner: uid {owner})", b"")
    words = problem(kind, head)
    return Wrong(path, words, head) if words else None
