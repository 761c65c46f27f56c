"""Where MLflow logs to: made whole or not at all, and named in one message when it fails."""

import os
import re
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlsplit

from lssat.tables import DataError

_SECONDS = 10  # for a server's first answer
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_AGAIN = "the same command then logs all finished runs; everything else is made"
# Of whom an error is that is no fault of ours.
_THEIRS = {"mlflow", "sqlalchemy", "sqlite3", "alembic", "requests", "urllib3"}


def client(uri: str | None, database: Path) -> Any:
    """Open the store, making a local database where there is none.

    Args:
        uri: of a server or database; None: SQLite at `database`.

    Raises:
        DataError: the database is damaged or on a full disk; the server does not answer.
    """
    if uri is None:
        check_place(database)
    file = local(uri, database)
    with named(uri, database):
        if file is not None:
            _prepare(file)
        else:
            _knock(str(uri))
        from mlflow.tracking import MlflowClient

        opened = MlflowClient(tracking_uri=uri or f"sqlite:///{database.resolve()}")
        with _impatient():
            opened.search_experiments(max_results=1)
        return opened


def check_place(database: Path) -> None:
    """Say that MLflow cannot have its database where it is: it would write to another place.

    The address of a database ends at a question mark, so that the file would be another one, out
    of the project; MLflow's first row cannot hold both kinds of quotation marks.

    Raises:
        DataError: the path is one of these.
    """
    path = str(database.resolve())
    if "?" in path or {"'", '"'} <= set(path):
        what = "a question mark, or with both kinds of quotation marks"
        fix = "Rename the folder, or name a server in tracking.uri"
        raise DataError(path, f"MLflow takes no database below a name with {what}", fix)


def _knock(uri: str) -> None:
    """See whether a database's server is there: SQLAlchemy would ask a dead one for minutes."""
    parts = urlsplit(uri)
    port = parts.port or _PORTS.get(parts.scheme.split("+")[0])
    if parts.hostname and port and not parts.scheme.startswith("http"):
        socket.create_connection((parts.hostname, port), _SECONDS).close()


def local(uri: str | None, database: Path) -> Path | None:
    """Return the file of a local database, None for a server."""
    if uri is None:
        return database.resolve()
    match = re.match(r"sqlite:///([^?]+)", uri)
    return Path(match[1]).resolve() if match else None


@contextmanager
def named(uri: str | None, database: Path) -> Iterator[None]:
    """Say in one message what MLflow says in a hundred lines.

    Raises:
        DataError: the store failed in the block.
    """
    try:
        yield
    except Exception as error:
        theirs = type(error).__module__.split(".")[0] in _THEIRS
        theirs |= isinstance(error, (OSError, ImportError))  # of a socket, a disk; no driver
        if isinstance(error, DataError) or not theirs:
            raise
        raise _failed(uri, local(uri, database), error) from error


def _failed(uri: str | None, file: Path | None, error: Exception) -> DataError:
    words = re.sub(r"//[^/@\s]+@", "//", (f"{error}".splitlines() or [""])[0])[:300]
    if file is None:
        where = re.sub(r"//[^/@\s]+@", "//", str(uri))
        problem = f"tracking.uri {where}: MLflow's server gives no answer that can be used"
        fix = f"Start it, or correct the address, or write null for mlflow.db here; {_AGAIN}"
        return DataError("params.yaml", f"{problem} ({words})", fix)
    if "full" in words or "No space" in words:
        free = shutil.disk_usage(file.parent).free
        problem = f"cannot be written: {words} ({free:,} bytes free)"
        return DataError(file, problem, f"Free space; {_AGAIN}")
    return DataError(file, f"MLflow cannot use it ({words})", f"Mend it, or move it away; {_AGAIN}")


@contextmanager
def _impatient() -> Iterator[None]:
    """Ask a server once: MLflow would ask a dead one for four minutes."""
    wanted = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(_SECONDS)}
    ours = {key: value for key, value in wanted.items() if key not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for key in ours:
            del os.environ[key]


def _prepare(file: Path) -> None:
    """Make the database where it is absent or half made; only one process may be here.

    It is made beside its place: a process that is killed or a full disk leaves none, not a half.
    Only one that nobody has logged anything in can be half made, and is replaced.

    Raises:
        DataError: it is damaged.
    """
    there = _look(file) if file.exists() else None
    if there is not None and there["used"]:
        return
    for left in file.parent.glob(f".{file.name}.*.tmp"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(dir=file.parent, prefix=f".{file.name}.", suffix=".tmp"))
    try:
        fresh = folder / file.name
        from mlflow.tracking import MlflowClient

        MlflowClient(tracking_uri=f"sqlite:///{fresh}").search_experiments(max_results=1)
        if there == _look(fresh):
            return
        if there is not None:
            print(f"{file}: was half made, and nothing is in it; made anew", file=sys.stderr)
            for end in ("-journal", "-wal", "-shm"):
                Path(f"{file}{end}").unlink(missing_ok=True)
        os.chmod(fresh, file.stat().st_mode if there is not None else 0o666 & ~_umask())
        os.replace(fresh, file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _look(file: Path) -> dict[str, Any]:
    """Return the tables and version of a database, and whether anybody has used it."""
    try:
        with closing(sqlite3.connect(file, timeout=60)) as known:
            (verdict,) = known.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict.splitlines()[-1])
            of = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            tables = [name for (name,) in known.execute(of)]
            version = _all(known, tables, "alembic_version", "version_num")
            names = _all(known, tables, "experiments", "name")
            runs = _all(known, tables, "runs", "run_uuid", 1)
    except sqlite3.OperationalError as error:
        if "locked" in f"{error}":
            raise DataError(file, "is locked by another process", "End it, or wait") from error
        raise _damaged(file, error) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(file, error) from error
    used = bool(runs) or bool(set(names) - {"Default"})
    return {"tables": tables, "version": version, "named": bool(names), "used": used}


def _all(
    known: sqlite3.Connection, tables: list[str], table: str, column: str, most: int = -1
) -> list[str]:
    if table not in tables:
        return []
    return [row[0] for row in known.execute(f"SELECT {column} FROM {table} LIMIT {most}")]


def _damaged(file: Path, error: Exception) -> DataError:
    fix = "Put back a copy of it, or move it away and remove results/**/mlflow.json; "
    return DataError(file, f"is damaged ({error})", f"{fix}{_AGAIN}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
