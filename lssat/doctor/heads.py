"""The first bytes of files: web pages, pointers and other things in place of data.

A download that failed often leaves a file of the right name: a quota page, a pointer of Git LFS,
nothing at all.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lssat.doctor.findings import Inventory, by_folder

BYTES = 256
_CHUNK = 2000  # files a thread reads before it takes the next ones
_IMAGE = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF")
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
_PAGE = (b"<!doctype html", b"<html", b"<head", b"<script", b"<?xml")
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")
KINDS = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".bmp", ".webp"), "an image"),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm"), "a video"),
    **dict.fromkeys((".txt", ".csv", ".json"), "a text list"),
    ".npy": "an array",
    ".zip": "a zip archive",
}


def problem(suffix: str, head: bytes) -> str:
    """Say what a file with this suffix and these first bytes is instead of data, or ""."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "is empty (zero bytes)"
    if text.startswith(_PAGE):
        return "is a web page"
    if head.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the file that it stands for"
    if b"/annex/objects/" in head:
        return "is a pointer of git-annex, not the file that it stands for"
    kind = KINDS.get(suffix, "")
    if kind and not _fits(kind, head):
        what = " but an archive" if head.startswith(_ARCHIVES) else ""
        return f"is not {kind}{what}"
    return ""


def _fits(kind: str, head: bytes) -> bool:
    if kind == "an image":  # any of the formats: the reader goes by content, not by suffix
        return head.startswith(_IMAGE)
    if kind == "a video":
        return head[4:8] in _BOXES or head.startswith((b"\x1aE\xdf\xa3", b"RIFF"))
    if kind == "a text list":
        return b"\0" not in head and not head.startswith(_ARCHIVES)
    return head.startswith(b"\x93NUMPY" if kind == "an array" else b"PK")


def scan(root: Path, paths: Iterable[str], used: set[str] | None, inventory: Inventory) -> None:
    """Read the first bytes of files and write down what is not data, by problem and folder.

    Args:
        paths: relative to the root; suffixes that `KINDS` does not hold are passed over.
        used: the files that the reader uses; trouble in others is a warning. None: not known,
            so that trouble anywhere is an error.
    """
    known = [path for path in paths if os.path.splitext(path)[1].lower() in KINDS]
    chunks = [known[start : start + _CHUNK] for start in range(0, len(known), _CHUNK)]
    wrong: dict[tuple, list[str]] = defaultdict(list)
    firsts: dict[tuple, bytes] = {}
    with ThreadPoolExecutor(8) as threads:  # of use where each file is a trip over a network
        for found in threads.map(lambda chunk: _read(root, chunk), chunks):
            for path, said, head in found:
                severity = "error" if used is None or path in used else "warning"
                if severity == "error":
                    inventory.faulty.add(path)
                wrong[severity, said].append(path)
                firsts.setdefault((severity, said), head)
    inventory.read += len(known)
    for (severity, said), every in sorted(wrong.items()):
        head = firsts[severity, said]
        bytes_ = f" (first bytes {head[:24]!r})" if head else ""
        for folder, names in by_folder(every).items():
            one = len(names) == 1
            path = f"{folder}/{names[0]}".lstrip("/") if one else folder or "."
            text = said if one else f"{len(names):,} files: each {said}"
            fix = _fix(said, severity)
            inventory.add(severity, path, f"{text}{bytes_}", fix, () if one else names)


def _fix(said: str, severity: str) -> str:
    if "permission" in said.lower():
        return "Ask the owner for permission to read it"
    return "Fetch it again" if severity == "error" else "No list asks for it; fetch or remove it"


def _read(root: Path, chunk: list[str]) -> list[tuple[str, str, bytes]]:
    """Return path, problem and first bytes of the files of a chunk that have one."""
    found = []
    for path in chunk:
        try:
            with open(os.path.join(root, path), "rb", buffering=0) as file:
                head = file.read(BYTES)
        except OSError as error:
            owner = os.stat(os.path.join(root, path)).st_uid
            found.append((path, f"cannot be read ({error.strerror}; owner: uid {owner})", b""))
            continue
        if said := problem(os.path.splitext(path)[1].lower(), head):
            found.append((path, said, head))
    return found
