"""Local copies of objects while they are decoded: a few at a time, each removed after its use.

A file on a disk is its own copy. In object storage (`lssat.tables.s3_addresses`) the samples that
follow are fetched while one is decoded, so that a shard needs room for `AHEAD` + 1 of them.
"""

import contextlib
import glob
import os
import platform
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count, groupby, islice
from pathlib import Path

from lssat.data.media.unreadable import Unreadable
from lssat.tables import s3, s3_addresses

_HERE = f"lssat-{platform.node()}-"  # and the number of a process: TMPDIR may be shared
AHEAD = 4  # samples: files, or folders of a video's frames

_Sample = tuple[Path, str]  # its path, and its media


class Copies:
    """Gives the local file or folder of each sample.

    They lie in a folder of the owner's alone below `TMPDIR`.

    Args:
        ahead: how many samples are fetched before they are asked for.
    """

    def __init__(self, ahead: int = AHEAD):
        self.ahead = ahead
        self._coming: Iterator[_Sample] = iter(())
        self._fetched: deque[tuple[_Sample, Future[Path]]] = deque()
        self._here: tuple[_Sample, Path] | None = None
        self._folder: Path | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._numbers = count()

    def expect(self, wanted: Iterable[tuple[str | Path, str]]) -> None:
        """Name the samples that `of` will be asked for, in their order, each with its media."""
        away = ((Path(path), media) for path, media in wanted if s3_addresses.address(path))
        self._coming = (sample for sample, _ in groupby(away))

    def of(self, path: str | Path, media: str) -> Path:
        """Return a file, of `frames` a folder, that is there until another sample is asked for.

        Raises:
            Unreadable: missing.
            DataError: the object may not be read, or its storage not be reached.
        """
        wanted = Path(path), media
        if s3_addresses.address(path) is None:
            return wanted[0]
        if self._here is None or self._here[0] != wanted:
            self._drop()
            self._fill()
            copy = self._expected(wanted) or self._fetch(wanted)
            self._fill()
            try:
                self._here = wanted, copy.result()
            except FileNotFoundError:
                what = "no such folder of frames" if media == "frames" else "no such file"
                raise Unreadable("missing", what) from None
        return self._here[1]

    def close(self) -> None:
        """Remove all copies."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        if self._folder is not None:
            shutil.rmtree(self._folder)
        self._fetched.clear()
        self._threads = self._folder = self._here = None

    def _expected(self, wanted: _Sample) -> Future[Path] | None:
        """Return the copy of a sample that was expected; those before it are removed."""
        if all(sample != wanted for sample, _ in self._fetched):
            return None
        while True:
            sample, copy = self._fetched.popleft()
            if sample == wanted:
                return copy
            if copy.exception() is None:
                _remove(copy.result())

    def _fill(self) -> None:
        for sample in islice(self._coming, self.ahead - len(self._fetched)):
            self._fetched.append((sample, self._fetch(sample)))

    def _fetch(self, wanted: _Sample) -> Future[Path]:
        if self._threads is None or self._folder is None:
            self._threads = ThreadPoolExecutor(self.ahead)
            _remove_left()
            self._folder = Path(tempfile.mkdtemp(prefix=f"{_HERE}{os.getpid()}-"))
        to = self._folder / str(next(self._numbers))
        return self._threads.submit(_copy, wanted, to)

    def _drop(self) -> None:
        if self._here is not None:
            _remove(self._here[1])
            self._here = None


def _remove_left() -> None:
    """Remove what killed processes of ours have left on this machine."""
    for folder in Path(tempfile.gettempdir()).glob(f"{glob.escape(_HERE)}*"):
        process = folder.name.removeprefix(_HERE).split("-")[0]
        with contextlib.suppress(FileNotFoundError):  # another step does the same
            dead = process.isdigit() and not os.path.exists(f"/proc/{process}")
            if dead and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder)


def _remove(copy: Path) -> None:
    shutil.rmtree(copy) if copy.is_dir() else copy.unlink()


def _copy(wanted: _Sample, to: Path) -> Path:
    path, media = wanted
    address = str(s3_addresses.address(path))
    if media != "frames":
        s3.fetch(address, to)
        return to
    names = s3.names(address)
    to.mkdir()
    for name in names:
        s3.fetch(f"{address}/{name}", to / name)
    return to
