"""Why a medium cannot be used, and the first look at its file."""

import stat
from pathlib import Path

from lssat import archive, spelling
from lssat.tables import REASONS, DataError


class Unreadable(Exception):  # noqa: N818
    """A medium that cannot be used; `reason` is one of `tables.REASONS`, `detail` free text."""

    def __init__(self, reason: str, detail: str):
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}: the closed list is {REASONS}")
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def read_bytes(path: str | Path, count: int = -1) -> bytes:
    """Read the first `count` bytes of an ordinary file, or all of it; or a member of a zip.

    Raises:
        Unreadable: missing, unreadable, too_large, format (a pipe or device, without end).
        DataError: the file may not be read (permission).
    """
    try:
        if archive.is_member(path):
            return archive.read(path, count)
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise Unreadable("format", "not an ordinary file")
        with open(path, "rb") as file:
            return file.read(count)
    except FileNotFoundError:
        near = "" if archive.is_member(path) else spelling.nearest(path)
        raise Unreadable("missing", f"no such file{near and f'; is it {near}?'}") from None
    except archive.TooLargeError as error:
        raise Unreadable("too_large", str(error)) from None
    except PermissionError:
        raise denied(archive.file_of(path)) from None
    except OSError as error:
        raise Unreadable("unreadable", str(error)) from None


def denied(path: str | Path) -> DataError:
    """Return the error of a file or folder that may not be read."""
    try:
        owner = f"owner: uid {Path(path).stat().st_uid}"
    except OSError:
        owner = "its folder is closed too"
    return DataError(path, f"cannot be read ({owner})", "Ask the owner for permission to read it")
