"""NPY: shards, written whole and verified before they are mapped; one reader of headers for all."""

import ast
import hashlib
import math
import struct
import warnings
from pathlib import Path

import numpy as np

from lssat.tables.atomic import sha256, write_whole
from lssat.tables.errors import DataError

_HEADER = 128  # bytes, of numpy's for an array of few axes
_MAGIC = b"\x93NUMPY"
_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}  # of the header, by version
_LONGEST = 10_000  # bytes of a header


def write_shard(path: str | Path, array: np.ndarray) -> str:
    """Write an NPY shard (uint8, first axis = rows) and return its sha256."""
    data = np.ascontiguousarray(array)
    return write_whole(path, lambda file: np.save(file, data), _HEADER + data.nbytes)


def open_shard(path: str | Path, digest: str | None, remedy: str) -> np.ndarray:
    """Map a shard read-only; with a `digest`, verify the file's bytes first.

    Returns:
        uint8 array (N, H, W, 3) of crops or (N, H, W) of codes, not loaded into memory.

    Raises:
        DataError: missing, cut, or not the bytes that its table vouches for (DVC serves a
            damaged cache without a word), with `remedy`, the command that rebuilds it.
    """
    try:
        if digest is not None and (actual := sha256(path)) != digest:
            problem = f"has sha256 {actual[:12]}..., its table says {digest[:12]}..."
            raise DataError(path, problem, remedy)
        return from_npy(np.memmap(path, np.uint8, "r"))
    except FileNotFoundError:
        raise DataError(path, "does not exist", remedy) from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})", remedy) from error
    except ValueError as error:
        raise DataError(path, f"is not a readable NPY file ({error})", remedy) from error


def from_npy(data: "np.ndarray | bytes") -> np.ndarray:
    """Return the array that the bytes of an NPY file hold, as a view of them.

    `numpy.load` takes a header for Python: a damaged one ends in any exception, or asks for
    terabytes. Nothing is believed here that does not fit the number of bytes.

    Args:
        data: bytes, or uint8 (n,).

    Raises:
        ValueError: no NPY file; a header that is damaged or does not fit what follows; Python
            objects.
    """
    head = bytes(data[: 12 + _LONGEST])
    dtype, shape, fortran, start = _header(head)
    size = math.prod(shape) * dtype.itemsize
    if size != len(data) - start:
        raise ValueError(f"it holds {len(data) - start:,} bytes, its header asks for {size:,}")
    flat = data[start:] if size else b""
    try:
        return np.frombuffer(flat, dtype).reshape(shape, order="F" if fortran else "C")
    except (OverflowError, ValueError) as error:
        raise ValueError(f"its header asks for an array of {shape}") from error


def _header(head: bytes) -> tuple[np.dtype, tuple[int, ...], bool, int]:
    """Return type, shape, whether the first axis is the fastest, and where the data begin."""
    form = _LENGTHS.get(head[6]) if len(head) > 12 and head.startswith(_MAGIC) else None
    if form is None:
        raise ValueError("it does not begin as an NPY file")
    (length,) = struct.unpack_from(form, head, 8)
    start = 8 + struct.calcsize(form)
    text = head[start : start + length]
    if length > _LONGEST or len(text) < length:
        raise ValueError(f"its header of {length:,} bytes is cut or damaged")
    try:
        with warnings.catch_warnings(action="ignore"):
            fields = ast.literal_eval(text.decode("utf-8" if head[6] == 3 else "latin-1").strip())
            dtype, shape, fortran = (
                np.dtype(fields["descr"]),
                fields["shape"],
                fields["fortran_order"],
            )
        whole = set(fields) == {"descr", "shape", "fortran_order"} and type(fortran) is bool
        whole &= type(shape) is tuple and all(type(n) is int and n >= 0 for n in shape)
    except Exception:
        whole = False
    if not whole:
        raise ValueError("its header is damaged")
    if dtype.hasobject or not dtype.itemsize:
        raise ValueError(f"it holds values of type {dtype}, which are not read")
    return dtype, shape, fortran, start + length


def shard_of(id: str, shards: int) -> int:
    """Return the shard of a sample: a hash of its id, so that additions move no other sample."""
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big") % shards
