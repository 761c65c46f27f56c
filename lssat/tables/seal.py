"""Files that vouch for themselves: each holds the sha256 of its own bytes.

DVC serves a damaged cache without a word, a disk flips bits, and a number is quickly changed by
hand: JSON and Parquet hold a seal, the sha256 of the whole file in which the 64 digits of the seal
are zeros. Every byte counts, those of Parquet's footer too, and it is looked at before anything
is parsed. What has no place for a seal (NPY, NPZ, CSV, weights) is vouched for by its sha256 in
the sealed table or record beside it.
"""

import hashlib
from pathlib import Path

from lssat.tables.errors import DataError

REMEDY = "Remove it and run `snakemake --cores 8` to rebuild it"
KEY = "seal"
_MARK = b"lssat-sha256:"
BLANK = _MARK.decode() + "0" * 64


def sealed(data: bytes) -> bytes:
    """Return the bytes of a file with its seal in place of the last `BLANK` in it."""
    start = data.rindex(BLANK.encode()) + len(_MARK)
    digest = hashlib.sha256(data).hexdigest().encode()
    return data[:start] + digest + data[start + 64 :]


def unsealed(path: str | Path, remedy: str = REMEDY) -> bytes:
    """Read a sealed file.

    Raises:
        DataError: missing, not readable, or not the bytes that were written.
    """
    data = read_bytes(path, remedy)
    start = data.rfind(_MARK) + len(_MARK)
    if start < len(_MARK):
        what = "is empty" if not data else "is cut, or written by hand or by an older version"
        raise DataError(path, f"{what}: it does not hold the sha256 of itself", remedy)
    told = data[start : start + 64].decode("ascii", "replace")
    hash = hashlib.sha256(memoryview(data)[:start])
    hash.update(b"0" * 64)
    hash.update(memoryview(data)[start + 64 :])
    if (found := hash.hexdigest()) != told:
        problem = f"is not as it was written (sha256 {found[:12]}..., its seal says {told[:12]}...)"
        raise DataError(path, problem, remedy)
    return data


def vouched(path: str | Path, digest: str, by: str | Path, remedy: str = REMEDY) -> bytes:
    """Read a file whose sha256 stands in another.

    Args:
        digest: its sha256.
        by: the file that says so, for the message.

    Raises:
        DataError: missing, not readable, or not the bytes that were written.
    """
    data = read_bytes(path, remedy)
    if (found := hashlib.sha256(data).hexdigest()) != digest:
        problem = f"has sha256 {found[:12]}..., {Path(by).name} says {digest[:12]}..."
        raise DataError(path, problem, remedy)
    return data


def read_bytes(path: str | Path, remedy: str = REMEDY) -> bytes:
    """Read a file, with a DataError in place of what the system says."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise DataError(path, "does not exist", remedy) from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})", remedy) from error
