"""Are all artifacts the bytes that were written? What is not is named, with what rebuilds it.

JSON and tables hold their own seal. Crops and codes are vouched for by the table beside them, the
files of a run by its record, maps by explain.json, lists of ids by summary.json. The report's files
hold nothing that is not made from these in seconds: no digest vouches for them.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lssat.tables import DataError, read_json, read_metrics, read_record, seal, sha256
from lssat.tables.project import Project, RunFiles, Splits, TaskResults

# They also hold what is in a file to the folder that it lies in.
_READERS = {
    RunFiles(Path()).record.name: read_record,
    TaskResults(Path()).metrics.name: read_metrics,
}
_SUFFIXES = {".json", ".parquet", ".npy", ".npz", ".csv", ".safetensors", ".txt", ".tex", ".html"}
_REMEDY = ""  # the fix stands in `Damaged.command`


@dataclass(frozen=True)
class Damaged:
    """A file that is not as it was written, and the command that makes it anew."""

    file: Path
    problem: str
    remedy: str = "rm"

    @property
    def command(self) -> str:
        """What to type, in the project's folder."""
        return f"{self.remedy} {self.file} && snakemake --cores 8"


@dataclass
class Found:
    """What was looked at: how many files, how many bytes, and which are damaged or unvouched."""

    checked: int = 0
    bytes: int = 0
    damaged: list[Damaged] = field(default_factory=list)
    unvouched: list[Path] = field(default_factory=list)


def check(project: Project) -> Found:
    """Read every artifact of a project and hold it to its seal, or to what vouches for it."""
    result = Found()
    ours = {file.name for file in project.results.report().values()}
    for file in _files(project):
        where = file if project.root == Path() else file.relative_to(project.root)
        if file.parent == project.results.root and file.name in ours:
            continue
        if odd := _odd(file):
            result.damaged.append(Damaged(where, *odd))
            continue
        try:
            vouched = _hold(file)
        except DataError as error:
            result.damaged.append(Damaged(where, error.problem))
            vouched = True
        except OSError as error:
            result.damaged.append(Damaged(where, f"cannot be read ({error.strerror})"))
            vouched = True
        result.checked += vouched
        result.bytes += file.stat().st_size if vouched else 0
        if not vouched:
            result.unvouched.append(where)
    return result


def told(result: Found) -> dict[str, Any]:
    """Return what was found, for JSON."""
    damaged = [
        {"file": str(entry.file), "problem": entry.problem, "command": entry.command}
        for entry in result.damaged
    ]
    more = {"unvouched": [str(file) for file in result.unvouched]}
    return {"checked": result.checked, "bytes": result.bytes, "damaged": damaged, **more}


def lines(result: Found) -> list[str]:
    """Return what was found, for people: damaged files with commands, and a line on the whole."""
    of_damaged = [
        line
        for one in result.damaged
        for line in (f"{one.file}: {one.problem}", f"  rebuild it: {one.command}")
    ]
    size = f"{result.bytes / 1e9:.1f} GB" if result.bytes >= 1e8 else f"{result.bytes / 1e6:.1f} MB"
    some = f"{len(result.damaged)} damaged" if result.damaged else "all as they were written"
    return [*of_damaged, f"{result.checked:,} artifacts ({size}) were read: {some}"]


def _files(project: Project) -> Iterator[Path]:
    """Yield all files, and what stands in the place of one or hides some: see `_odd`."""
    for top in (project.prepared, project.runs.root, project.results.root):
        for path, folders, files in os.walk(top):
            folders.sort()
            for name in sorted([*folders, *files]):
                if name in files or _odd(Path(path, name)):
                    yield Path(path, name)


def _odd(path: Path) -> tuple[str, str] | None:
    """Say why a path is no file that can be read, and what makes room for one; None if it is.

    A folder that is one is None too.
    """
    if path.is_symlink() and not path.exists():
        return "is a link that leads to nothing", "rm"
    if path.is_dir():
        if path.suffix in _SUFFIXES:
            return "is a folder in the place of a file", "rm -r"
        closed = not os.access(path, os.R_OK | os.X_OK, effective_ids=True)
        return ("is a folder that cannot be read", "chmod u+rwx") if closed else None
    return None if path.is_file() else ("is no ordinary file", "rm")


def _hold(file: Path) -> bool:
    """Hold a file to its digest; False: nothing vouches for one of its kind."""
    if file.suffix in (".json", ".parquet"):
        seal.check(file, _REMEDY)
        if reader := _READERS.get(file.name):
            reader(file)
        return True
    voucher = _told(file)
    if voucher is None:
        return False
    by, digest = voucher
    if (actual := sha256(file)) != digest:
        raise DataError(file, f"has sha256 {actual[:12]}..., {by} says {digest[:12]}...", _REMEDY)
    return True


def _told(file: Path) -> tuple[str, str] | None:
    """Return which file beside one vouches for it, and the sha256 that it says."""
    run, splits = RunFiles(file.parent), Splits(file.parent)
    keys = {
        run.weights: (run.record, "weights_sha256"),
        run.curve: (run.record, "curve_sha256"),
        run.reconstruction: (run.record, "reconstruction_sha256"),
        file.with_name("explain.npz"): (file.with_name("explain.json"), "maps_sha256"),
    }
    if file in keys:
        by, key = keys[file]
        return by.name, str(_json(by, file).get(key))
    ids = {path: name.removesuffix("_ids") for name, path in splits.files.items() if "ids" in name}
    if file in ids:
        return splits.summary.name, str(_json(splits.summary, file)["ids_sha256"].get(ids[file]))
    if file.suffix == ".npy":
        table = file.with_suffix(".parquet")
        return table.name, _header(table, file)
    return None


def _json(by: Path, file: Path) -> dict:
    try:
        return read_json(by, _REMEDY)
    except DataError as error:
        raise DataError(file, f"is not vouched for: {by.name} {error.problem}", _REMEDY) from error


def _header(table: Path, file: Path) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        seal.check(table, _REMEDY)
        with pq.ParquetFile(table) as opened:
            return (opened.schema_arrow.metadata or {}).get(b"sha256", b"").decode()
    except (DataError, pa.ArrowException, OSError) as error:
        why = error.problem if isinstance(error, DataError) else str(error).splitlines()[0]
        raise DataError(file, f"is not vouched for: {table.name} {why}", _REMEDY) from error
