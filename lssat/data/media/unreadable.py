"""Why a medium cannot be used, and the first look at its file."""

import os
import stat
from pathlib import Path

from lssat.data.media import archive
from lssat.tables import REASONS, s3, s3_addresses, spelling
from lssat.tables.errors import denied

FIXED = 24  # MiB that a decoder takes whatever the size; blocks are larger than what is in them


class Unreadable(Exception):  # noqa: N818
    """A medium that cannot be used; `reason` is one of `tables.REASONS`, `detail` free text."""

    def __init__(self, reason: str, detail: str):
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}: the closed list is {REASONS}")
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def read_bytes(path: str | Path, count: int = -1, most: int | None = None) -> bytes:
    """Read the first `count` bytes of a file, or all of it; or of a member of a zip, an object.

    Args:
        most: bytes; a file that is larger is too_large.

    Raises:
        Unreadable: missing, unreadable, too_large, format (a pipe or device, without end).
        DataError: the file may not be read (permission), or an object not be reached.
    """
    try:
        if address := s3_addresses.address(path):
            return s3.first(address, count)
        if archive.is_member(path):
            return archive.read(path, count)
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("format", "not an ordinary file")
        if most is not None and status.st_size > most:
            raise Unreadable("too_large", f"{status.st_size:,} bytes, the limit is {most:,}")
        with open(path, "rb") as file:
            return file.read(count)
    except FileNotFoundError:
        if os.path.islink(path):
            raise Unreadable("missing", "a link that leads to nothing") from None
        near = "" if archive.is_member(path) else spelling.nearest(path)
        raise Unreadable("missing", f"no such file{near and f'; is it {near}?'}") from None
    except archive.TooLargeError as error:
        raise Unreadable("too_large", str(error)) from None
    except PermissionError:
        raise denied(archive.file_of(path)) from None
    except OSError as error:
        raise Unreadable("unreadable", str(error)) from None


def check_memory(what: str, needed: float, memory: int | None) -> None:
    """Refuse a medium before it is decoded.

    Args:
        what: size and kind, for the message.
        needed: bytes that its decoding takes, beside `FIXED`.
        memory: MiB that it may take; None: any.

    Raises:
        Unreadable: too_large.
    """
    total = FIXED + needed / 2**20
    if memory is not None and total > memory:
        problem = f"{what} takes {total:,.0f} MiB, the limit is {memory:,} (faces.memory)"
        raise Unreadable("too_large", problem)
