"""Files that appear whole, and together, or not at all, and what is said where that fails."""

import contextlib
import errno
import glob
import hashlib
import os
import platform
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

from lssat.tables.errors import DataError
from lssat.tables.project import Data, Project

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Within `together`: temporary files and folders that are complete, each with its final path.
_STAGED: ContextVar[list[tuple[str, Path]] | None] = ContextVar("staged", default=None)
# Within `confidential`: what is written is for its owner's eyes.
_CONFIDENTIAL: ContextVar[bool] = ContextVar("confidential", default=False)
# Folders that hold faces: of crops, of texture by its kind, this machine's pages, DVC's copies.
_DATA = Data(Path())
_OF_FACES = _DATA.faces.root, _DATA.texture("[^/]+").root, Project().results.gallery.parent
_FACES = re.compile(rf".*/({'|'.join(map(str, _OF_FACES))}|\.dvc/cache)")
Size = int | Callable[[], int] | None


@contextlib.contextmanager
def confidential() -> Iterator[None]:
    """Let none but the owner read the files that are written in the block, whatever the umask.

    For faces. A folder that holds nothing else (data/prepared/<data set>/faces, texture/<kind>
    beside it, results/local) is closed as well; any other is left as it is.
    """
    token = _CONFIDENTIAL.set(True)
    try:
        yield
    finally:
        _CONFIDENTIAL.reset(token)


def close_folder(folder: Path) -> bool:
    """Close a folder of faces to all but its owner, if it is one, and ours; return whether it is.

    Another's is left to them.
    """
    if not _FACES.fullmatch(os.path.abspath(folder)) or os.path.islink(folder):
        return False
    with contextlib.suppress(PermissionError, FileNotFoundError):
        os.chmod(folder, 0o700)
    return True


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Let all files that are written in the block appear at its end, in their order, or none.

    Until then each is complete beside its final path, so that what can fail, a full disk above
    all, has failed before anything that stood there is replaced. What is written cannot be read
    back within the block. A step with several outputs is decorated with it.
    """
    if _STAGED.get() is not None:  # part of a greater whole
        yield
        return
    staged: list[tuple[str, Path]] = []
    token = _STAGED.set(staged)
    try:
        yield
        for temporary, path in staged:
            _put(temporary, path)
    finally:
        _STAGED.reset(token)
        for temporary, _ in staged:
            _unlink(temporary)


def _put(temporary: str, path: Path) -> None:
    """Give a complete file or folder its name; an old folder is moved aside, then removed."""
    if os.path.isdir(temporary) and os.path.isdir(path):
        aside = f"{temporary}.old"
        os.rename(path, aside)
        os.rename(temporary, path)
        shutil.rmtree(aside)
    else:
        os.replace(temporary, path)


def _bytes(size: int | Callable[[], int]) -> int:
    return size if isinstance(size, int) else size()


def _size(path: str) -> int:
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(
        512 * entry.stat().st_blocks for entry in Path(path).rglob("*")
    )  # of many small files


def _unlink(path: str | Path) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path)
    else:
        Path(path).unlink(missing_ok=True)


@contextlib.contextmanager
def atomic(path: str | Path, size: Size = None) -> Iterator[IO[bytes]]:
    """Open a temporary file that becomes `path` when the block ends without an exception.

    A reader, or a process killed at any moment, sees the old file or the new one, never half.

    Args:
        size: bytes that will be written, for the message, or what counts them when it is
            needed; None: not known.

    Raises:
        DataError: the disk is full or the folder cannot be written; the old file is intact.
    """
    path = Path(path)
    with refusing(path, size=size):
        path.parent.mkdir(parents=True, exist_ok=True)
        if _CONFIDENTIAL.get():
            close_folder(path.parent)
        _sweep(path)
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115
            dir=path.parent, prefix=f"{_mark(path)}{os.getpid()}.", suffix=".tmp", delete=False
        )
    with _complete(path, file.name, size), file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        os.chmod(file.name, 0o600 if _CONFIDENTIAL.get() else 0o666 & ~_umask())


@contextlib.contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Make a temporary folder that takes the place of `path` when the block ends without an error.

    Raises:
        DataError: the disk is full or the folder cannot be written; the old folder is intact.
    """
    path = Path(path)
    with refusing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        temporary = tempfile.mkdtemp(
            dir=path.parent, prefix=f"{_mark(path)}{os.getpid()}.", suffix=".tmp"
        )
    with _complete(path, temporary):
        token = _STAGED.set(None)  # what is written into it is at its place
        try:
            yield Path(temporary)
        finally:
            _STAGED.reset(token)
        os.chmod(temporary, 0o777 & ~_umask())


@contextlib.contextmanager
def _complete(path: Path, temporary: str, size: Size = None) -> Iterator[None]:
    """Give what the block completes its name, or stage it; remove it where that fails."""
    staged = _STAGED.get()
    try:
        yield
        with refusing(path, size=size):
            if os.path.isdir(path) and not os.path.isdir(temporary):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            if staged is None:
                _put(temporary, path)
            else:
                staged.append((temporary, path))
                return
    except OSError as error:
        if error.errno not in _FULL:
            raise
        before = [file for file, _ in staged or []]
        needed = sum(map(_size, before)) + (_size(temporary) if size is None else _bytes(size))
        for file in [*before, temporary]:
            _unlink(file)  # now, so that their bytes count as free
        more = "more than " if size is None else ""
        raise _refusal(path, path.parent, error, f"{more}{needed:,}") from error
    finally:
        if staged is None or (temporary, path) not in staged:
            _unlink(temporary)


def write_whole(path: str | Path, write: Callable[[IO[bytes]], Any], size: Size = None) -> str:
    """Write a file atomically through `write(file)`; return its sha256. `size`: as of `atomic`."""
    with atomic(path, size) as file:
        write(file)
        file.flush()
        digest = sha256(file.name)
    return digest


def write_text(path: str | Path, text: str) -> str:
    """Write text as UTF-8, atomically; its line ends stay as they are. Return its sha256."""
    return write_bytes(path, text.encode())


def write_bytes(path: str | Path, data: bytes) -> str:
    """Write bytes, atomically; return their sha256."""
    with atomic(path, len(data)) as file:
        file.write(data)
    return hashlib.sha256(data).hexdigest()


def sha256(path: str | Path) -> str:
    """Return the sha256 of a file's bytes, as hexadecimal text."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_writable(path: str | Path, folder: bool = False) -> None:
    """Find out at the start of a step, not after hours of work, that it cannot write its output.

    Nothing is changed: a file without a name is opened in the nearest folder that is there.

    Args:
        folder: `path` is a folder to write into, which may have to be made.

    Raises:
        DataError: the folder belongs to somebody else, is on a read-only file system, ...
    """
    path = Path(path)
    inside = path if folder else path.parent
    with refusing(path, inside):
        tempfile.TemporaryFile(dir=_there(inside)).close()
        if os.path.isdir(path) and not folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


@contextlib.contextmanager
def refusing(path: Path, folder: Path | None = None, size: Size = None) -> Iterator[None]:
    """Say as a DataError why `path` cannot be written, in place of what the system says.

    Args:
        folder: that is written into; default: the one of `path`.
        size: bytes that will be written.
    """
    try:
        yield
    except OSError as error:
        needed = None if size is None else f"{_bytes(size):,}"
        raise _refusal(path, folder or path.parent, error, needed) from error


def _refusal(path: Path, folder: Path, error: OSError, needed: str | None) -> DataError:
    there = _there(folder)
    if error.errno == errno.EISDIR:
        return DataError(path, "cannot be written: it is a folder", "Name a file")
    if not os.path.isdir(there):
        problem = f"cannot be written: {there} is a file, not a folder"
        return DataError(path, problem, "Remove it, or choose another folder")
    if error.errno in _FULL:
        about = f"needs {needed} bytes, " if needed else ""
        about += f"{shutil.disk_usage(there).free:,} bytes free"
        fix = "Free space, have the limit raised, or choose another folder"
    else:
        known = there.stat()
        about = f"{there} belongs to uid {known.st_uid}, {stat.filemode(known.st_mode)}"
        fix = f"Make it writable for uid {os.geteuid()}, or choose another folder"
    problem = f"cannot be written: {os.strerror(error.errno or 0)} ({about})"
    return DataError(path, problem, f"{fix}; what stood there before is unchanged")


def _there(path: Path) -> Path:
    """Return the path, or the nearest above it that is there."""
    return next((above for above in (path, *path.parents) if os.path.lexists(above)), Path("."))


def _mark(path: Path) -> str:
    return f".{path.name}.{platform.node()}."


def _sweep(path: Path) -> None:
    """Remove what a killed process of this machine left of an earlier try at the same file."""
    for left in path.parent.glob(f"{glob.escape(_mark(path))}*.tmp"):
        owner = left.name.removeprefix(_mark(path)).split(".")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            _unlink(left)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
