"""Roots in object storage, `s3://bucket/prefix`, and where in the project their outline lies.

The outline of a root (`lssat.tables.s3` lays it) is a local tree of the same names: lists as
they are, and an empty file for every other object. Here are names alone; nothing is read.
"""

import os
import re
from pathlib import Path

from lssat.tables.project import Project

SCHEME = "s3://"
OUTLINES = Project().objects
LISTS = (".txt", ".csv", ".tsv", ".json")  # what readers read whole: kept in the outline

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def away(root: str | Path) -> bool:
    """Say whether a root is an address, and no path."""
    return "://" in str(root)


def problem(root: str) -> str:
    """Say why an address is none that is read, or ""."""
    if not root.startswith(SCHEME):
        return f"{root} is not read; of addresses only {SCHEME}bucket/prefix is"
    bucket, prefix = parts(root)
    if not _BUCKET.fullmatch(bucket):
        return f"{root} names no bucket; write {SCHEME}bucket/prefix"
    return f"{root}: {wrong}; write {SCHEME}bucket/prefix" if (wrong := unusual(prefix)) else ""


def parts(root: str) -> tuple[str, str]:
    """Return the bucket and the prefix of an address, which may be ""."""
    bucket, _, prefix = root.removeprefix(SCHEME).partition("/")
    return bucket, prefix.rstrip("/")


def unusual(key: str) -> str:
    """Say why a key is no path below a folder, or ""; such a key would lead out of its outline."""
    for part in key.split("/") if key else ():
        if part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > 255:
            return f"{part[:40]!r} is no name of a file or folder"
    return ""


def place(root: str | Path) -> Path:
    """Return the local tree of a root: its outline, or the root itself where it is a path."""
    if not away(root):
        return Path(root)
    bucket, prefix = parts(str(root))
    return OUTLINES / bucket / prefix


def address(path: str | Path) -> str | None:
    """Return the address of the object or folder that a path of an outline stands for.

    None of any other path, and of a list, whose copy in the outline is whole.
    """
    text = os.fspath(path)
    if not text.startswith(f"{OUTLINES}/") or text.lower().endswith(LISTS):
        return None
    return shown(text)


def shown(text: str) -> str:
    """Return a message with addresses in place of the paths of outlines."""
    return text.replace(f"{OUTLINES}/", SCHEME)
