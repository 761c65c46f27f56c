"""NPY shards: which sample falls into which, written whole, verified before they are mapped."""

import hashlib
from pathlib import Path

import numpy as np

from lssat.tables.errors import DataError
from lssat.tables.whole import sha256, write_whole

_HEADER = 128  # bytes, of numpy's for an array of few axes


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
        if digest is not None and (found := sha256(path)) != digest:
            problem = f"has sha256 {found[:12]}..., its table says {digest[:12]}..."
            raise DataError(path, problem, remedy)
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(path, "does not exist", remedy) from None
    except (ValueError, EOFError) as error:
        raise DataError(path, f"is not a readable NPY file ({error})", remedy) from error


def shard_of(id: str, shards: int) -> int:
    """Return the shard of a sample: a hash of its id, so that additions move no other sample."""
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big") % shards
