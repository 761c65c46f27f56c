"""Members of a zip read in place: `<path of the archive>!/<member>` is their path in a manifest.

Nothing is extracted. The directory of an archive (200,000 members: a second, 150 MB) is read once
in each process.
"""

import os
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

from lssat.tables import DataError

BETWEEN = "!/"  # between the path of the archive and the name of the member, as in Java's URLs
LIMIT = 64 * 2**20  # bytes; a larger member is no aligned image

_ZIP = f".zip{BETWEEN}"


class TooLargeError(OSError):
    """A member that decompresses to more than `LIMIT` bytes."""


def names(path: Path) -> list[str]:
    """Return the names of the files in an archive, each once.

    Raises:
        DataError: it is no zip, one of its members would lead out of it, or two of one name differ.
    """
    try:
        members = _open(str(path), os.getpid()).infolist()
    except (zipfile.BadZipFile, NotImplementedError) as error:
        fix = "It was cut or is something else; fetch it again"
        raise DataError(path, f"is not a readable zip archive ({error})", fix) from None
    contents: dict[str, tuple[int, int]] = {}
    for member in members:
        name, content = member.filename, (member.CRC, member.file_size)
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise DataError(path, f"holds {name!r}, which leads out of it", "Fetch it again")
        if contents.setdefault(name, content) != content:
            problem = f"holds two different files {name!r}"
            raise DataError(path, problem, "Unpack it and keep the right one, or fetch it again")
    return [name for name in contents if not name.endswith("/")]


def is_member(path: str | Path, root: str | Path = "") -> bool:
    """Say whether a path, relative to a root, names a member of an archive.

    It does not below a folder whose own name ends in `.zip!`.
    """
    archive, found, _ = str(path).partition(_ZIP)
    return bool(found) and not os.path.isdir(os.path.join(root, f"{archive}.zip!"))


def file_of(path: str | Path, root: str | Path = "") -> Path:
    """Return the file that holds what a path names: the archive of a member, or the path."""
    return Path(str(path).split(_ZIP)[0] + ".zip") if is_member(path, root) else Path(path)


def read(path: str | Path, count: int = -1) -> bytes:
    """Return the bytes of a member, whose checksum is verified; or the first `count` of them.

    Args:
        path: `<path of the archive>!/<member>`.

    Raises:
        FileNotFoundError: there is no such archive or member.
        PermissionError: the archive may not be read.
        TooLargeError: it has more than `LIMIT` bytes.
        OSError: it is damaged, or encrypted.
    """
    file = str(file_of(path))
    member = str(path).removeprefix(file + BETWEEN)
    try:
        archive = _open(file, os.getpid())
        if (size := archive.getinfo(member).file_size) > LIMIT:
            raise TooLargeError(f"{member} has {size:,} bytes, the limit is {LIMIT:,}")
        with archive.open(member) as inside:
            return inside.read(count)  # at most `file_size` bytes, whatever the data hold
    except KeyError:
        raise FileNotFoundError(f"no member {member} in {file}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise OSError(f"{member} cannot be read from the archive: {error}") from None


@lru_cache(maxsize=2)
def _open(path: str, process: int) -> zipfile.ZipFile:
    # By process: after a fork two of them would move one file's position.
    with open(path, "rb") as file:
        begins = file.read(4)
    if not begins.startswith(b"PK"):  # zipfile looks at the end alone: its beginning may be lost
        raise zipfile.BadZipFile(f"first bytes {begins!r}")
    return zipfile.ZipFile(path)
