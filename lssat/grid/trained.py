"""Runs that were trained: their folders, found by path, by name, or as the best of a task."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from lssat import metrics, tables
from lssat.grid.runs import RUN
from lssat.tables import DataError, Record, read_record
from lssat.tables.project import RunFiles, Runs


def record(folder: Path, *needs: str) -> Record:
    """Read what a run says of itself; `needs` are keys that must be there."""
    file = RunFiles(folder).record
    return read_record(file, *needs, remedy="Name the folder of a run, which holds it")


def find(name: Path, runs: Path) -> Path:
    """Return the folder of a run.

    Args:
        name: the folder, or the run's name below `runs`, as `ffpp/vit_mini/MRGB-RLDP-CRGB/seed0`.
        runs: folder of all runs.

    Raises:
        DataError: there is no such run; the message says which names are close.
    """
    for folder in (name, runs / name):
        if RunFiles(folder).record.is_file():
            return folder
    base = name.parents[3] if len(name.parts) > 4 else runs  # where it was said to be
    known = [f"{folder}" for folder in dict.fromkeys([*_all(base), *_all(runs)])]
    close = get_close_matches(f"{name}", known, n=3, cutoff=0.6)
    close = close or get_close_matches(f"{runs / name}", known, n=3, cutoff=0.6)
    if close:
        raise DataError(name, "is no trained run", f"Did you mean {' or '.join(close)}?")
    fix = f"{len(known)} runs are below {base}" if known else "Train with `snakemake --cores 8`"
    raise DataError(name, f"is no trained run (it holds no {RunFiles(name).record.name})", fix)


def repeat(run: RunFiles, again: RunFiles) -> None:
    """Give a run another folder: the same files, linked where the file system can, else copied.

    Raises:
        DataError: it is not trained, or `again` cannot be written.
    """
    record(run.root)
    for source, target in zip(run, again, strict=True):
        with tables.refusing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:
            with tables.atomic(target) as file, open(source, "rb") as whole:
                shutil.copyfileobj(whole, file)


def _all(runs: Path, task: str = "*") -> list[Path]:
    there = Runs(runs)
    pattern = there.run(RUN.format(task=task, backbone="*", configuration="*", seed="*"))
    return [file.parent for file in there.find(pattern.record)]


def _once(folders: list[Path]) -> Iterator[tuple[Path, Record]]:
    """Yield folders and records, less the second folders of runs (`repeat`)."""
    for folder in folders:
        content = record(folder)
        if content.get("run") in (None, "/".join(folder.parts[-4:])):
            yield folder, content


class Row(NamedTuple):
    """A backbone x configuration, seen through its first seed."""

    backbone: str
    configuration: str
    run: str  # of the first seed
    value: float | None  # mean over seeds of the validation metric that chose the epoch
    loss: float | None = None  # mean over seeds of the validation loss of these epochs


def rows(records: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """List the rows of a task by backbone and configuration.

    Args:
        records: content of record.json by the run's path.
    """
    by_row: dict[tuple[str, str], dict[int, str]] = {}
    for run, record in records.items():
        place = record["backbone"], record["configuration"]
        by_row.setdefault(place, {})[record["seed"]] = run
    listed = []
    for place, by_seed in by_row.items():
        records_of = [records[run] for run in by_seed.values()]
        means = (
            mean([own.get(name) for own in records_of]) for name in ("best_value", "best_loss")
        )
        listed.append(Row(*place, by_seed[min(by_seed)], *means))
    return listed


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean; None if one is None."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def standing(
    metric: str, value: float | None, loss: float | None, name: Sequence[str]
) -> tuple[Any, ...]:
    """Return what puts the best first: the one rule for runs and rows wherever one is picked.

    The better value comes first, of equals the lower validation loss, then the earlier name.
    What is not known comes last.
    """
    lower = metric.removeprefix("val_") in metrics.LOWER_IS_BETTER
    ranked = (value is None, 0.0 if value is None else value if lower else -value)
    return *ranked, loss is None, loss or 0.0, tuple(name)


def best_row(every: Sequence[Row], metric: str) -> Row:
    """Return the row that is best by validation; no test counts."""
    return min(every, key=lambda row: standing(metric, row.value, row.loss, row[:2]))


def best(task: str, runs: Path) -> tuple[Path, str]:
    """Return the folder of the run of a task that is best by validation, and why in words.

    It is the first seed of the row with the best mean, which `explain` looks at too: the best of
    all runs would be the luckiest seed.

    Raises:
        DataError: the task has no run, none with a value, or runs selected by several metrics.
    """
    folders = _all(runs, task)
    if not folders:
        tasks = sorted({folder.parts[-4] for folder in _all(runs)})
        fix = f"Trained are runs of {', '.join(tasks)}" if tasks else "Run `snakemake --cores 8`"
        raise DataError(runs / task, f"holds no trained run of {task}", fix)
    placed = {f"{folder}": _placed(folder, content) for folder, content in _once(folders)}
    names = sorted({content["select_metric"] for content in placed.values()})
    if len(names) > 1:
        problem = f"its runs were selected by {' and '.join(names)}, which cannot be compared"
        raise DataError(runs / task, problem, "Name a run with --run")
    every = rows(placed)
    first = best_row(every, names[0])
    if first.value is None:
        raise DataError(runs / task, f"no row of runs has a {names[0]}", "Name a run with --run")
    return Path(first.run), f"best of {len(placed)} by {names[0]}{_equals(every, first)}"


def _placed(folder: Path, content: Record) -> Mapping[str, Any]:
    """Return a record with what its folder says of the run."""
    backbone, configuration, seed = folder.parts[-3:]
    number = int(seed.removeprefix("seed"))
    return dict(backbone=backbone, configuration=configuration, seed=number) | dict(content)


def _equals(every: Sequence[Row], first: Row) -> str:
    """Say the value, and what decided between rows that have it."""
    assert first.value is not None
    others = [row for row in every if row.value == first.value and row != first]
    if not others:
        return f", {first.value:.3f}"
    by_loss = first.loss is not None and all(row.loss != first.loss for row in others)
    why = "the lowest validation loss" if by_loss else "the first"
    return f", {first.value:.3f}; {why} of {1 + len(others)} that are equal"
