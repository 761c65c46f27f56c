"""Raw trees in object storage: what lies there, its digest, its outline, and its bytes.

Through s3fs, which takes keys, region and endpoint as every program for S3 does (`AWS_PROFILE`,
`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, `~/.aws`). What fails in passing is tried again; what then
still fails is an error, never a sample that is missing.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from lssat.tables import DataError, s3_addresses, write_json
from lssat.tables.atomic import write_bytes

_TRIES = 5  # of s3fs, each of up to three of botocore's
_AT_ONCE = 64  # connections
_SECONDS = 10
_KEYLESS = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "CredentialError")


class Object(NamedTuple):
    """An object, as a listing describes it."""

    size: int  # bytes
    etag: str  # changes with the content


def digest(root: str) -> str:
    """Return the digest of a root: of each object's name, size and ETag. No object is read.

    Returns:
        16 hexadecimal digits.

    Raises:
        DataError: as of `listing`.
    """
    lines = (f"{name}\0{size}\0{etag}" for name, (size, etag) in sorted(listing(root).items()))
    return hashlib.sha256(os.fsencode("\n".join(lines))).hexdigest()[:16]


def listing(root: str) -> dict[str, Object]:
    """List the objects below a root, once a process; names are relative to it.

    Raises:
        DataError: the address is none of S3's, there is nothing, it may not be listed, cannot be
            reached, or holds a key that is no path.
    """
    return _listing(root, os.environ.get("AWS_ENDPOINT_URL"))


def stamps(root: str, files: Iterable[str], folders: Iterable[str]) -> list[str]:
    """Return a line for each of some objects, and for all in some folders: name, size and ETag.

    Raises:
        DataError: as of `listing`.
    """
    there, inside, wanted = listing(root), set(folders), set(files)
    return [
        f"{name}\0{size}\0{etag}"
        for name, (size, etag) in sorted(there.items())
        if name in wanted or name.rpartition("/")[0] in inside
    ]


def outline(root: str) -> Path:
    """Return the local tree of a root, laid once a process; the root itself if it is a path.

    Of objects it holds names alone (empty files), and lists (`addresses.LISTS`) whole: those that
    have changed are fetched.

    Raises:
        DataError: as of `listing`, or a key is another's folder.
    """
    if not s3_addresses.away(root):
        return Path(root)
    return _outline(root, os.environ.get("AWS_ENDPOINT_URL"), os.getcwd())


def first(address: str, count: int = -1) -> bytes:
    """Return the first `count` bytes of an object, or all.

    Raises:
        FileNotFoundError: there is no such object.
        DataError: it may not be read, or cannot be reached.
    """
    files, part = _files(os.getpid()), {"start": 0, "end": count} if count >= 0 else {}
    with _told(address):
        try:
            data: bytes = files.cat_file(address, **part)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            data = files.cat_file(address)[:count]  # an empty object has no range
        return data


def fetch(address: str, to: Path) -> None:
    """Copy an object into a file.

    Raises:
        FileNotFoundError, DataError: as of `first`.
    """
    with _told(address):
        _files(os.getpid()).get_file(address, str(to))


def names(folder: str) -> list[str]:
    """List the objects that lie in a folder itself.

    Raises:
        FileNotFoundError: there is no such folder.
        DataError: as of `first`.
    """
    found = [name for name in _listed(folder) if "/" not in name]
    if not found:
        raise FileNotFoundError(folder)
    return found


@lru_cache(maxsize=1)
def _files(process: int) -> Any:
    # By process: after a fork the threads of the client are gone.
    try:
        import s3fs
    except ImportError:
        fix = "Install them: python -m pip install 'lssat[s3]', or dvc-s3"
        raise DataError("s3://", "needs packages that are not installed (s3fs)", fix) from None
    timeouts = {"connect_timeout": 20, "read_timeout": 60}
    retries = {"max_attempts": 3, "mode": "standard"}
    options = {"retries": retries, "max_pool_connections": _AT_ONCE, **timeouts}
    files = s3fs.S3FileSystem(
        config_kwargs=options, use_listings_cache=False, skip_instance_cache=True
    )
    files.retries = _TRIES
    return files


@contextlib.contextmanager
def _told(address: str) -> Iterator[None]:
    """Tell what stops us, but for an absent object."""
    try:
        yield
    except (FileNotFoundError, DataError):
        raise
    except PermissionError as error:
        fix = "Ask for permission to list and read it (s3:ListBucket, s3:GetObject)"
        raise DataError(address, f"may not be read ({error})", fix) from None
    except Exception as error:  # the client's own errors are of many types
        if type(error).__name__ in _KEYLESS:
            fix = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            raise DataError(address, f"is closed without keys ({error})", fix) from None
        problem = f"cannot be reached ({type(error).__name__}: {error})"
        fix = "Look at the network and at AWS_ENDPOINT_URL, then run this again"
        raise DataError(address, problem, fix) from None


@lru_cache(maxsize=8)
def _listing(root: str, endpoint: str | None) -> dict[str, Object]:
    if problem := s3_addresses.problem(root):
        raise DataError("datasets", problem, "Or copy the tree to a disk, and name its folder")
    try:
        found = _listed(root)
    except FileNotFoundError as error:
        raise DataError(root, f"does not exist ({error})", "Name a bucket that is there") from None
    if not found:
        raise DataError(root, f"holds no object{_near(root)}", "Name the prefix of the raw tree")
    for name in found:
        if wrong := s3_addresses.unusual(name):
            problem = f"holds the key {name[:120]!r}, where {wrong}"
            raise DataError(root, problem, "Rename the object, or remove it")
    return found


def _listed(root: str) -> dict[str, Object]:
    bucket, prefix = s3_addresses.parts(root)
    before = f"{prefix}/" if prefix else ""
    found: dict[str, Object] = {}
    more: dict[str, str] = {}
    told = time.monotonic()
    while True:
        with _told(root):
            page = _files(os.getpid()).call_s3(
                "list_objects_v2", Bucket=bucket, Prefix=before, **more
            )
        for each in page.get("Contents", ()):
            name = each["Key"].removeprefix(before)
            if not each["Key"].endswith("/"):  # the mark of a folder
                found[name] = Object(each["Size"], each["ETag"].strip('"'))
        if not page.get("IsTruncated"):
            return found
        more = {"ContinuationToken": page["NextContinuationToken"]}
        if time.monotonic() - told > _SECONDS:
            told = time.monotonic()
            print(f"{root}: {len(found):,} objects listed", file=sys.stderr, flush=True)


def _near(root: str) -> str:
    """Name the prefix that was probably meant."""
    bucket, prefix = s3_addresses.parts(root)
    above, _, last = prefix.rpartition("/")
    before = f"{above}/" if above else ""
    with _told(root):
        page = _files(os.getpid()).call_s3(
            "list_objects_v2", Bucket=bucket, Prefix=before, Delimiter="/"
        )
    known = [
        each["Prefix"].removeprefix(before).rstrip("/") for each in page.get("CommonPrefixes", ())
    ]
    close = get_close_matches(last, known, 1, 0.6)
    return f"; is it {s3_addresses.SCHEME}{bucket}/{before}{close[0]}?" if close else ""


@lru_cache(maxsize=8)
def _outline(root: str, endpoint: str | None, here: str) -> Path:
    there, place = listing(root), s3_addresses.place(root)
    bucket, prefix = s3_addresses.parts(root)
    folders = {name[:end] for name in there for end, one in enumerate(name) if one == "/"}
    if both := sorted(folders & there.keys()):
        problem = f"holds {both[0]!r} as an object and as a folder of others"
        raise DataError(root, problem, "Rename the object, or remove it")
    place.mkdir(parents=True, exist_ok=True)
    with open(s3_addresses.OUTLINES / f".{bucket}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _clear(place, "", set(there), folders)
        _lay(place, there, folders)
        _fetch_lists(place, bucket, prefix, there)
    return place


def _clear(place: Path, folder: str, files: set[str], folders: set[str]) -> None:
    """Remove what is no object any more, and what is an object now and was a folder."""
    with os.scandir(place / folder) as entries:
        for entry in list(entries):
            name = f"{folder}/{entry.name}".lstrip("/")
            if entry.is_dir(follow_symlinks=False):
                _clear(place, name, files, folders)
                if name not in folders:
                    os.rmdir(entry.path)
            elif name not in files:
                os.unlink(entry.path)


def _lay(place: Path, there: dict[str, Object], folders: set[str]) -> None:
    base = str(place)
    for folder in sorted(folders):
        (place / folder).mkdir(exist_ok=True)
    for name in there:
        path = f"{base}/{name}"
        if not name.lower().endswith(s3_addresses.LISTS) and not os.path.exists(path):
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))


def _fetch_lists(place: Path, bucket: str, prefix: str, there: dict[str, Object]) -> None:
    """Fetch the lists that are new or changed; their ETags are remembered, by the whole key."""
    memory = s3_addresses.OUTLINES / f".{bucket}.json"
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}  # only a cache: all are fetched
    for name, each in there.items():
        key = f"{prefix}/{name}".lstrip("/")
        if not name.lower().endswith(s3_addresses.LISTS):
            continue
        if known.get(key) != each.etag or not (place / name).is_file():
            write_bytes(place / name, first(f"{s3_addresses.SCHEME}{bucket}/{key}"))
            known[key] = each.etag
            write_json(memory, known, sealed=False)
