"""From a table of scores to rows of predictions: each sample of the test split exactly once."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import grid
from lssat.data.external.read import Scores, keys, read
from lssat.tables import (
    PREDICTIONS,
    SPLITS,
    DataError,
    metadata,
    read_table,
    sha256,
    write_table,
)
from lssat.tables.project import Splits

# Logits of the scores 0 and 1, beyond those of the numbers next to them (744.4 and 36.7): the
# order stays, and a sigmoid gives exactly 0 and 1 back.
_NEVER, _SURE = -746.0, 37.5
_SHOWN = 3


class Files(NamedTuple):
    """Where the step reads and writes."""

    scores: Path
    splits: Splits
    out: Path


def check(file: Path, splits: Splits) -> None:
    """Check a table of scores against splits that are there.

    Raises:
        DataError: as `write`.
    """
    _rows(grid.Run("", "", grid.EXTERNAL, 0), file, splits)


def write(run: grid.Run, files: Files) -> None:
    """Write scores as the predictions of a run (schema PREDICTIONS), of test and maybe val.

    The header says which file they came from, and its sha256.

    Raises:
        DataError: a table that cannot be read, a sample of the test split that it lacks, one that
            it does not know, or a part of the validation split.
    """
    table, left = _rows(run, files.scores, files.splits)
    facts = {"file": str(files.scores), "sha256": sha256(files.scores)}
    write_table(files.out, table, PREDICTIONS, {"external": json.dumps(facts)})
    counts = {name: pc.sum(pc.equal(table["split"], name)).as_py() for name in ("test", "val")}
    print(f"{run.path}: {counts['test']:,} scores of the test split", flush=True)
    if left:
        print(f"{run.path}: {left:,} of samples without a crop are left out, as in all runs")
    if not counts["val"]:
        print(f"{run.path}: none of the validation split, so it is not calibrated", flush=True)


def _rows(run: grid.Run, file: Path, splits: Splits) -> tuple[pa.Table, int]:
    samples = {name: _samples(path) for name, path in splits.tables.items() if name != "train"}
    task = grid.read_task(metadata(samples["test"]), splits.test)
    found = read(file, task)
    level = "image" if task.level != "video" else "frame" if found.frames else "video"
    at = {key: row for row, key in enumerate(keys(found))}
    kept = {name: _placed(table, level) for name, table in samples.items()}
    _covered(found, at, kept, splits)
    parts = [
        _part(run, task.kind, found, level, table, [at[key] for key in own])
        for name, (table, own) in kept.items()
        if name == "test" or (own and own[0] in at)
    ]
    return pa.concat_tables(parts), len(found.ids) - sum(map(len, parts))


def _samples(path: Path) -> pa.Table:
    """Return the images or frames of a split; those of clips are no samples of their own."""
    table = read_table(path, SPLITS)
    return table.filter(pc.equal(table["clip"], -1))


def _placed(samples: pa.Table, level: str) -> tuple[pa.Table, list[tuple]]:
    """Return a row for each sample of the level, and its key in the table of scores."""
    ids, frames = samples["id"].to_pylist(), samples["frame"].to_pylist()
    if level == "frame":
        return samples, list(zip(ids, frames, strict=True))
    first = np.sort(np.unique(ids, return_index=True)[1]) if ids else np.empty(0, int)
    return samples.take(first), [(ids[at], 0) for at in first]


def _covered(
    found: Scores,
    at: dict[tuple, int],
    kept: dict[str, tuple[pa.Table, list[tuple]]],
    splits: Splits,
) -> None:
    """Hold the table to the splits.

    Raises:
        DataError: see `write`.
    """
    test, val = kept["test"][1], kept["val"][1]
    if lacking := [key for key in test if key not in at]:
        problem = f"lacks {_some(found, lacking)} of the {len(test):,} samples of the test split"
        fix = f"Score each; {splits.files['samples']} lists them"
        if found.frames:
            fix += ". Where other frames were scored, give each video the mean of its frames"
        raise DataError(found.file, problem, fix)
    lacking = [key for key in val if key not in at]
    if lacking and (some := len(val) - len(lacking)):
        problem = f"has {some:,} samples of the validation split and lacks "
        fix = "Give all of them, for the calibration, or none"
        raise DataError(found.file, problem + _some(found, lacking), fix)
    own = {*test, *val}
    listed = {id: name for name in ("train", "unused", "val", "test") for id in _ids(splits, name)}
    ids = {id for id, _ in own}
    for row, key in enumerate(keys(found)):
        if key in own or (key[0] not in ids and listed.get(key[0]) in ("val", "test")):
            continue  # without a crop nothing of ours has scored it
        split = listed.get(key[0])
        problem = f"{found.named(row)} is no sample of the data set"
        fix = f"Write ids as {splits.files['samples']} does"
        if split in ("train", "unused"):
            problem = f"{found.named(row)} is of the split {split}, which is not scored"
            fix = "Leave it out"
        elif split:
            problem = f"{found.named(row)} is none of the frames that runs see"
            fix = "Leave it out, or give each video the mean of its frames and no column frame"
        raise DataError(found.file, problem, fix, found.line(row))


def _ids(splits: Splits, name: str) -> list[str]:
    return splits.files[f"{name}_ids"].read_text(encoding="utf-8").splitlines()


def _some(found: Scores, lacking: Sequence[tuple]) -> str:
    names = [f"{id} frame {frame}" if found.frames else id for id, frame in lacking[:_SHOWN]]
    more = ", ..." if len(lacking) > _SHOWN else ""
    return f"{len(lacking):,} ({', '.join(names)}{more})"


def _part(
    run: grid.Run, kind: str, found: Scores, level: str, samples: pa.Table, rows: list[int]
) -> pa.Table:
    values = logits(kind, found.values[rows])
    size, width = values.shape
    starts = pa.array(np.arange(size + 1, dtype=np.int32) * width)
    flat = pa.array(np.ascontiguousarray(values, np.float32).reshape(-1))
    made = {name: samples[name] for name in samples.column_names}
    made |= {
        "run": pa.array([run.path] * size),
        "level": pa.array([level] * size),
        "logits": pa.ListArray.from_arrays(starts, flat),
    }
    if level == "video":
        made["frame"] = pa.array([0] * size)
    return pa.table({name: made[name] for name in PREDICTIONS.names}).cast(PREDICTIONS)


def logits(kind: str, scores: np.ndarray) -> np.ndarray:
    """Turn probabilities (N, K) into logits that `metrics.probabilities` turns back.

    log p of classes, log p / (1 - p) of a positive class or attributes; finite also for 0 and 1.
    """
    with np.errstate(divide="ignore"):
        made = np.log(scores)
        if kind != "multiclass":
            made -= np.log1p(-scores)
    return np.clip(made, _NEVER, _SURE)
