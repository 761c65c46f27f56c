"""Runs that were trained: their folders, found by path, by name, or as the best of a task."""

import shutil
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lssat import metrics, tables
from lssat.tables import DataError, read_json

RECORD = "record.json"
FILES = ("weights.safetensors", "curve.csv", RECORD, "reconstruction.npz")


def record(folder: Path) -> dict[str, Any]:
    """Read what a run says of itself."""
    return read_json(folder / RECORD, "Name the folder of a run, which holds it")


def find(name: Path, runs: Path) -> Path:
    """Return the folder of a run.

    Args:
        name: the folder, or the run's name below `runs`, as `ffpp/vit_mini/MRGB-RLDP-CRGB/seed0`.
        runs: folder of all runs.

    Raises:
        DataError: there is no such run; the message says which names are close.
    """
    for folder in (name, runs / name):
        if (folder / RECORD).is_file():
            return folder
    base = name.parents[3] if len(name.parts) > 4 else runs  # where it was said to be
    known = [f"{folder}" for folder in dict.fromkeys([*_all(base), *_all(runs)])]
    close = get_close_matches(f"{name}", known, n=3, cutoff=0.6)
    close = close or get_close_matches(f"{runs / name}", known, n=3, cutoff=0.6)
    if close:
        raise DataError(name, "is no trained run", f"Did you mean {' or '.join(close)}?")
    fix = f"{len(known)} runs are below {base}" if known else "Train with `snakemake --cores 8`"
    raise DataError(name, f"is no trained run (it holds no {RECORD})", fix)


def repeat(folder: Path, out: Path) -> None:
    """Give a run another folder: the same files, linked where the file system can, else copied.

    Raises:
        DataError: it is not trained, or `out` cannot be written.
    """
    record(folder)
    for name in FILES:
        source, target = folder / name, out / name
        with tables.refusing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:
            with tables.atomic(target) as file, open(source, "rb") as whole:
                shutil.copyfileobj(whole, file)


def _all(runs: Path, task: str = "*") -> list[Path]:
    return sorted(file.parent for file in runs.glob(f"{task}/*/*/seed*/{RECORD}"))


def _once(folders: list[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield folders and records, less the second folders of runs (`repeat`)."""
    for folder in folders:
        found = record(folder)
        if found.get("run") in (None, "/".join(folder.parts[-4:])):
            yield folder, found


def best(task: str, runs: Path) -> tuple[Path, str]:
    """Return the folder of the run of a task that is best by validation, and why in words.

    Raises:
        DataError: the task has no run, none with a value, or runs selected by several metrics.
    """
    folders = _all(runs, task)
    if not folders:
        tasks = sorted({folder.parts[-4] for folder in _all(runs)})
        fix = f"Trained are runs of {', '.join(tasks)}" if tasks else "Run `snakemake --cores 8`"
        raise DataError(runs / task, f"holds no trained run of {task}", fix)
    found = dict(_once(folders))
    names = sorted({each["select_metric"] for each in found.values()})
    if len(names) > 1:
        problem = f"its runs were selected by {' and '.join(names)}, which cannot be compared"
        raise DataError(runs / task, problem, "Name a run with --run")
    values = {f: each["best_value"] for f, each in found.items() if each["best_value"] is not None}
    if not values:
        raise DataError(runs / task, f"no run has a {names[0]}", "Name a run with --run")
    lower = names[0].removeprefix("val_") in metrics.LOWER_IS_BETTER
    top = (min if lower else max)(values.values())
    first, *others = [folder for folder, value in values.items() if value == top]
    also = f"; the first of {1 + len(others)} that are equal" if others else ""
    return first, f"best of {len(found)} by {names[0]}, {top:.3f}{also}"
