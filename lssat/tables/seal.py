"""Files that vouch for themselves: each holds the sha256 of its own bytes.

DVC serves a damaged cache without a word, a disk flips bits, and a number is quickly changed by
hand: JSON and Parquet hold a seal, the sha256 of the whole file in which the 64 digits of the seal
are zeros. Every byte counts, those of Parquet's footer too, and it is looked at before anything
is parsed. What has no place for a seal (NPY, NPZ, CSV, weights) is vouched for by its sha256 in
the sealed table or record beside it.
"""

import hashlib
import io
import os
from pathlib import Path
from typing import IO

from lssat.tables.errors import DataError

REMEDY = "Remove it and run `snakemake --cores 8` to rebuild it"
KEY = "seal"
_MARK = b"lssat-sha256:"
BLANK = _MARK.decode() + "0" * 64
_END = 1 << 20  # bytes at the end of a table in which its seal stands
_PIECE = 1 << 20  # bytes that are read at once


def sealed(data: bytes) -> bytes:
    """Return the bytes of a file with its seal in place of the last `BLANK` in it."""
    start = data.rindex(BLANK.encode()) + len(_MARK)
    digest = hashlib.sha256(data).hexdigest().encode()
    return data[:start] + digest + data[start + 64 :]


def seal(file: IO[bytes]) -> None:
    """Seal what was written to a file, open for reading too, whose end holds a `BLANK`."""
    start = file.seek(max(file.tell() - _END, 0))
    start += file.read().rindex(BLANK.encode()) + len(_MARK)
    digest = _digest(file, start)
    file.seek(start)
    file.write(digest.encode())
    file.seek(0, os.SEEK_END)


def check(path: str | Path, remedy: str = REMEDY) -> None:
    """Hold a sealed file whose seal is near its end to its bytes, without reading all at once.

    Raises:
        DataError: as `unsealed`.
    """
    try:
        with open(path, "rb") as file:
            _hold(path, file, remedy)
    except OSError as error:
        raise _unread(path, error, remedy) from error


def unsealed(path: str | Path, remedy: str = REMEDY) -> bytes:
    """Read a sealed file.

    Raises:
        DataError: missing, not readable, or not the bytes that were written.
    """
    data = read_bytes(path, remedy)
    _hold(path, io.BytesIO(data), remedy)
    return data


def _hold(path: str | Path, file: IO[bytes], remedy: str) -> None:
    """Compare the seal near the end of an open file with its bytes."""
    size = file.seek(0, os.SEEK_END)
    start = file.seek(max(size - _END, 0))
    end = file.read()
    place = end.rfind(_MARK) + len(_MARK)
    if place < len(_MARK):
        what = "is cut, or written by hand or by an older version" if size else "is empty"
        raise DataError(path, f"{what}: it does not hold the sha256 of itself", remedy)
    stated = end[place : place + 64].decode("ascii", "replace")
    if (actual := _digest(file, start + place)) != stated:
        sums = f"sha256 {actual[:12]}..., its seal says {stated[:12]}..."
        raise DataError(path, f"is not as it was written ({sums})", remedy)


def _digest(file: IO[bytes], start: int) -> str:
    """Return the sha256 of a file in which the 64 bytes from `start` on are zeros."""
    hash = hashlib.sha256()
    file.seek(0)
    for left in (start, None):
        while part := file.read(_PIECE if left is None else min(_PIECE, left)):
            hash.update(part)
            left = None if left is None else left - len(part)
        if left is not None:
            hash.update(b"0" * 64)
            file.seek(start + 64)
    return hash.hexdigest()


def vouched(path: str | Path, digest: str, by: str | Path, remedy: str = REMEDY) -> bytes:
    """Read a file whose sha256 stands in another.

    Args:
        digest: its sha256.
        by: the file that says so, for the message.

    Raises:
        DataError: missing, not readable, or not the bytes that were written.
    """
    data = read_bytes(path, remedy)
    if (actual := hashlib.sha256(data).hexdigest()) != digest:
        problem = f"has sha256 {actual[:12]}..., {Path(by).name} says {digest[:12]}..."
        raise DataError(path, problem, remedy)
    return data


def read_bytes(path: str | Path, remedy: str = REMEDY) -> bytes:
    """Read a file, with a DataError in place of what the system says."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _unread(path, error, remedy) from error


def _unread(path: str | Path, error: OSError, remedy: str) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(path, "does not exist", remedy.replace("Remove it and run", "Run"))
    return DataError(path, f"cannot be read ({error.strerror})", remedy)
