"""The contracts between steps: table schemas, shards, atomic writes, checksums, errors.

Steps exchange only Parquet tables with an explicit schema (ids are text) and NPY shards.
Whatever is written appears whole under its name or not at all (temporary file, fsync, rename).
"""

import contextlib
import errno
import glob
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

REASONS = (
    "missing", "unreadable", "truncated", "format", "too_large", "too_small", "no_frames",
    "short_video", "no_face", "excluded_class", "duplicate", "decoder_crash", "timeout",
)  # fmt: skip

_LABELS = ("labels", pa.list_(pa.int16()))
# `clip` numbers a video's clips of consecutive frames from 0; -1: not part of a clip, one of the
# frames (or the image) that image encoders read. A clip's frames are its rows, by frame.
_CLIP = ("clip", pa.int16())
_WHERE = [("frame", pa.int32()), _CLIP, ("shard", pa.int32()), ("row", pa.int32())]

MANIFEST = pa.schema(
    [
        ("dataset", pa.string()),
        ("id", pa.string()),  # unique in the data set, for a video (method, compression, video)
        ("path", pa.string()),  # relative to the root of the data set
        ("media", pa.string()),  # image | video | frames (a folder of a video's images, by name)
        _LABELS,  # one entry, or one per attribute; values as the task counts them, from 0
        ("subset", pa.string()),  # manipulation method; "" where the release has none
        ("split", pa.string()),  # official: train | val | test
        ("groups", pa.list_(pa.string())),  # every identity in the sample (a fake has two)
        ("group", pa.string()),  # cluster for resampling: identity, or pair of identities
        ("box", pa.list_(pa.float32())),  # x, y, width, height in pixels; empty: none given
    ]
)
FACES = pa.schema(
    [
        ("id", pa.string()),
        *_WHERE,  # frame index in the video (0 for images); shard and row of the crop
        ("box", pa.list_(pa.float32())),  # x0, y0, x1, y1 of the crop in the frame, pixels
        ("landmarks", pa.list_(pa.float32())),  # x, y of the five points; empty: not detected
        ("score", pa.float32()),  # the detector's; nan where no detector ran
        ("n_faces", pa.int16()),  # faces found in the frame
        ("n_frames", pa.int32()),  # frames that the video decoded to (1 for images)
        ("sha256", pa.string()),  # of the crop's bytes
        ("phash", pa.uint64()),  # perceptual hash of the crop: 64 bits that near-copies share
    ]
)
TEXTURE = pa.schema([("id", pa.string()), *_WHERE])
SPLITS = pa.schema(
    [
        ("id", pa.string()),
        *_WHERE,
        _LABELS,
        ("subset", pa.string()),
        ("split", pa.string()),
        ("group", pa.string()),
        ("seed", pa.int64()),
    ]
)
PREDICTIONS = pa.schema(
    [
        ("run", pa.string()),  # path of the run, e.g. ffpp/vit_micro/MRGB-RLDP-CRGB/seed0
        ("id", pa.string()),
        ("frame", pa.int32()),  # of a clip: its first
        _CLIP,
        ("group", pa.string()),
        ("subset", pa.string()),
        ("level", pa.string()),  # image | frame | clip
        ("split", pa.string()),
        _LABELS,
        ("logits", pa.list_(pa.float32())),
    ]
)
REJECTS = pa.schema(
    [
        ("dataset", pa.string()),
        ("id", pa.string()),
        ("path", pa.string()),
        ("step", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)


class DataError(Exception):
    """Input that cannot be used: ``file[:line]: what is wrong. what to do.``"""

    def __init__(self, file: str | Path, problem: str, fix: str, line: int | None = None):
        self.file, self.problem, self.fix, self.line = str(file), problem, fix, line
        where = f"{file}:{line}" if line is not None else f"{file}"
        super().__init__(f"{where}: {problem}. {fix}.")

    @classmethod
    def of(cls, file: str | Path, problems: list[str]) -> "DataError":
        """Gather several problems (each a line `file:line: what. what to do.`) into one error."""
        unique = list(dict.fromkeys(problems))
        many = "problem" if len(unique) == 1 else "problems"
        listing = "\n  ".join(["", *unique])
        return cls(file, f"{len(unique)} {many}", f"Nothing was run{listing}")


@contextlib.contextmanager
def atomic(path: str | Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file that becomes `path` when the block ends without an exception.

    A reader, or a process killed at any moment, sees the old file or the new one, never half.

    Raises:
        DataError: the disk is full or the folder cannot be written; the old file is intact.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
        with tempfile.NamedTemporaryFile(
            mode,
            dir=path.parent,
            prefix=f"{_mark(path)}{os.getpid()}.",
            suffix=".tmp",
            delete=False,
            **text,
        ) as file:
            temporary = file.name
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        folder = next(parent for parent in path.parents if parent.exists())
        free = shutil.disk_usage(folder).free
        raise DataError(
            path,
            f"cannot be written: {os.strerror(error.errno or 0)} ({free:,} bytes free)",
            "Free space or choose another folder; what stood there before is unchanged",
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def _mark(path: Path) -> str:
    return f".{path.name}.{platform.node()}."


def _sweep(path: Path) -> None:
    """Remove what a killed process of this machine left of an earlier try at the same file."""
    for left in path.parent.glob(f"{glob.escape(_mark(path))}*.tmp"):
        owner = left.name.removeprefix(_mark(path)).split(".")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            left.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_table(
    path: str | Path,
    rows: Sequence[dict] | pa.Table,
    schema: pa.Schema,
    metadata: dict[str, str] | None = None,
) -> None:
    """Write rows (dicts, or a table) under `schema`, with `metadata` in the file's header.

    Raises:
        DataError: a row lacks a column, has one too many, or a value does not fit its type.
    """
    if not isinstance(rows, pa.Table):
        wanted = set(schema.names)
        for number, row in enumerate(rows):
            if set(row) != wanted:
                differ = ", ".join(sorted(wanted ^ set(row)))
                raise DataError(path, f"row {number} differs in column {differ}", "Report this")
        rows = pa.Table.from_pylist(list(rows), schema=schema)
    table = rows.cast(schema).replace_schema_metadata(metadata or None)
    with atomic(path) as file:
        pq.write_table(table, file, write_page_checksum=True)


def read_table(path: str | Path, schema: pa.Schema, remedy: str = "Run its step again") -> pa.Table:
    """Read a table and hold it to `schema`; page checksums are verified.

    Raises:
        DataError: missing, damaged, or with other columns than the schema's.
    """
    try:
        # pq.read_table would import pandas: half a second in each of the many small processes.
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read()
    except FileNotFoundError:
        raise DataError(path, "does not exist", remedy) from None
    except (pa.ArrowInvalid, OSError) as error:
        first = str(error).splitlines()[0]
        raise DataError(path, f"is not a readable table ({first})", remedy) from error
    if table.schema.remove_metadata() != schema:
        differ = set(table.schema.names) ^ set(schema.names)
        what = f"columns {', '.join(sorted(differ))}" if differ else "column types"
        raise DataError(path, f"has other {what} than this version writes", remedy)
    return table


def metadata(table: pa.Table) -> dict[str, str]:
    """Return the text that `write_table` put into the file's header."""
    items = (table.schema.metadata or {}).items()
    return {key.decode(): value.decode() for key, value in items if key != b"ARROW:schema"}


def reject(dataset: str, id: str, path: str, step: str, reason: str, detail: str = "") -> dict:
    """Return a row of the rejects table; the reason must be one of `REASONS`."""
    if reason not in REASONS:
        raise ValueError(f"unknown reason {reason!r}: the closed list is {REASONS}")
    return dict(dataset=dataset, id=id, path=path, step=step, reason=reason, detail=detail)


def check_rejects(step: str, rejected: int, total: int, limit: float, file: str | Path) -> None:
    """Stop the step when more than the share `limit` (0 to 1) of its samples was rejected."""
    if total and rejected / total > limit:
        raise DataError(
            file,
            f"{step}: {rejected:,} of {total:,} rejected "
            f"({100 * rejected / total:.1f} %, limit {100 * limit:g} %)",
            f"See the reasons in this table, mend the data or raise rejects_limit; "
            f"what {step} has finished stays",
        )


def write_json(path: str | Path, value: Any) -> None:
    """Write valid JSON: NaN and infinities must have become null before (they raise)."""
    with atomic(path, "w") as file:
        file.write(json_text(value))


def json_text(value: Any) -> str:
    """Return what `write_json` writes."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: str | Path, remedy: str = "Run its step again") -> Any:
    """Read JSON, with a DataError in place of a parser's message."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(path, "does not exist", remedy) from None
    except ValueError as error:
        raise DataError(path, f"is not valid JSON ({error})", remedy) from error


def sha256(path: str | Path) -> str:
    """Return the sha256 of a file's bytes, as hexadecimal text."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_shard(path: str | Path, array: np.ndarray) -> str:
    """Write an NPY shard (uint8, first axis = rows) and return its sha256."""
    return write_whole(path, lambda file: np.save(file, np.ascontiguousarray(array)))


def write_whole(path: str | Path, write: Callable[[IO[bytes]], Any]) -> str:
    """Write a binary file atomically through `write(file)` and return its sha256."""
    with atomic(path) as file:
        write(file)
        file.flush()
        digest = sha256(file.name)
    return digest


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
