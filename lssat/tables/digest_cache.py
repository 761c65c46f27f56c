"""What is remembered of raw folders between two looks at them: a mere cache, never in the way."""

import contextlib
import hashlib
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TABLE = "CREATE TABLE IF NOT EXISTS seen (path PRIMARY KEY, stamp, digest, files, sums)"
_COLUMNS = "SELECT stamp, digest, files, sums FROM seen"
_PUT = "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)"
_ONLY_BUSY = (
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM),
    *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH),
)
_WAIT = 10  # seconds for another process to let the file go
_said: set[str] = set()


class Memory:
    """An SQLite file of a row for each folder: its stamp, its digest, the files in it.

    One that is damaged is made anew. One that cannot be used now (locked, read-only, on a full
    disk) is left alone, and this process remembers for itself. Both are said on stderr.
    """

    def __init__(self, path: str | Path):
        self.path, self.known, self.renewed = Path(path), sqlite3.connect(":memory:"), False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.known = self._connect(str(self.path))
        except (sqlite3.Error, OSError) as error:
            self._replace(error)

    def get(self, key: bytes) -> tuple[str, str, bytes] | None:
        """Return a folder's stamp when it was last looked at, its digest, and its files."""
        row = self._do(lambda known: known.execute(f"{_COLUMNS} WHERE path = ?", (key,)).fetchone())
        return row[:3] if row and row[3] == _sums(key, *row[:3]) else None

    def put(self, key: bytes, stamp: str, digest: str, files: bytes) -> None:
        """Remember a folder."""

        def write(known: sqlite3.Connection) -> None:
            with known:
                known.execute(_PUT, (key, stamp, digest, files, _sums(key, stamp, digest, files)))

        self._do(write)

    def close(self) -> None:
        """Let the file go."""
        self.known.close()

    def _do(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        try:
            return work(self.known)
        except sqlite3.Error as error:
            self._replace(error)
            return work(self.known)

    def _connect(self, path: str) -> sqlite3.Connection:
        known = sqlite3.connect(path, timeout=_WAIT)
        try:
            known.execute(_TABLE)
            known.execute(f"{_COLUMNS} LIMIT 1").fetchone()
        except sqlite3.Error:
            known.close()
            raise
        return known

    def _replace(self, error: Exception) -> None:
        """Go on with a new file where the old one is damaged, otherwise without one."""
        self.known.close()
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CANTOPEN) & 0xFF
        if code not in _ONLY_BUSY and not self.renewed:
            self.renewed = True
            with contextlib.suppress(sqlite3.Error, OSError):
                for end in ("", "-journal", "-wal", "-shm"):
                    Path(f"{self.path}{end}").unlink(missing_ok=True)
                self.known = self._connect(str(self.path))
                _say(f"{self.path}: is damaged ({error}); made anew, raw files are read again")
                return
        self.known = self._aside()
        why = "is a folder" if os.path.isdir(self.path) else str(error)
        _say(f"{self.path}: cannot be used ({why}); what this run reads is not remembered")

    def _aside(self) -> sqlite3.Connection:
        """Return a memory of this process alone, with what the file holds if it can be read."""
        known = self._connect(":memory:")
        with contextlib.suppress(sqlite3.Error):
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=0)) as file:
                known.executemany(_PUT, file.execute("SELECT * FROM seen"))
        return known


def _sums(key: bytes, stamp: Any, digest: Any, files: Any) -> str:
    text = "\0".join(map(str, (key, stamp, digest)))
    held = hashlib.sha256(files).digest() if isinstance(files, bytes) else b""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass") + held).hexdigest()


def _say(line: str) -> None:
    if line not in _said:
        _said.add(line)
        print(line, file=sys.stderr, flush=True)
