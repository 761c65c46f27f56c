"""From a table of scores to rows of predictions: each sample of the test split exactly once."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import grid
from lssat.data.external.read import Key, Scores, read
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
    """Return the predictions, and how many scores are of samples without a crop."""
    samples = {name: _samples(path) for name, path in splits.tables.items() if name != "train"}
    task = grid.read_task(metadata(samples["test"]), splits.test)
    scores = read(file, task)
    level = "image" if task.level != "video" else "frame" if scores.frames else "video"
    row_of = {key: row for row, key in enumerate(scores.keys())}
    placed = {name: _placed(table, level) for name, table in samples.items()}
    _check_covered(scores, row_of, placed["test"][1], placed["val"][1], splits)
    parts = [
        _part(run, task.kind, scores, level, table, [row_of[key] for key in keys])
        for name, (table, keys) in placed.items()
        if name == "test" or (keys and keys[0] in row_of)
    ]
    return pa.concat_tables(parts), len(scores.ids) - sum(map(len, parts))


def _samples(path: Path) -> pa.Table:
    """Return the images or frames of a split; those of clips are no samples of their own."""
    table = read_table(path, SPLITS)
    return table.filter(pc.equal(table["clip"], -1))


def _placed(samples: pa.Table, level: str) -> tuple[pa.Table, list[Key]]:
    """Return a row for each sample of the level, and its key in the table of scores."""
    ids, frames = samples["id"].to_pylist(), samples["frame"].to_pylist()
    if level == "frame":
        return samples, list(zip(ids, frames, strict=True))
    first = {id: place for place, id in reversed([*enumerate(ids)])}
    places = pa.array(sorted(first.values()), pa.int64())  # of none as well, as where val is empty
    return samples.take(places), [(id, 0) for id in dict.fromkeys(ids)]


def _check_covered(
    scores: Scores, row_of: dict[Key, int], test: list[Key], val: list[Key], splits: Splits
) -> None:
    """Hold the table to the samples of test and val.

    Raises:
        DataError: see `write`.
    """
    if lacking := [key for key in test if key not in row_of]:
        problem = f"lacks {_some(scores, lacking)} of the {len(test):,} samples of the test split"
        fix = f"Score each; {splits.files['samples']} lists them"
        if scores.frames:
            fix += ". Where other frames were scored, give each video the mean of its frames"
        raise DataError(scores.file, problem, fix)
    lacking = [key for key in val if key not in row_of]
    if lacking and (n_scored := len(val) - len(lacking)):
        problem = f"has {n_scored:,} samples of the validation split and lacks "
        fix = "Give all of them, for the calibration, or none"
        raise DataError(scores.file, problem + _some(scores, lacking), fix)
    wanted, cropped = {*test, *val}, {id for id, _ in (*test, *val)}
    split_of = {
        id: name
        for name in ("train", "unused", "val", "test")
        for id in splits.files[f"{name}_ids"].read_text(encoding="utf-8").split("\n")[:-1]
    }
    for row, key in enumerate(scores.keys()):
        split = split_of.get(key[0])
        if key in wanted or (key[0] not in cropped and split in ("val", "test")):
            continue  # without a crop nothing of ours has scored it
        problem = f"{scores.named(row)} is no sample of the data set"
        fix = f"Write ids as {splits.files['samples']} does"
        if split in ("train", "unused"):
            problem = f"{scores.named(row)} is of the split {split}, which is not scored"
            fix = "Leave it out"
        elif split:
            problem = f"{scores.named(row)} is none of the frames that runs see"
            fix = "Leave it out, or give each video the mean of its frames and no column frame"
        raise scores.refusal(row, problem, fix)


def _some(scores: Scores, lacking: list[Key]) -> str:
    names = [f"{id} frame {frame}" if scores.frames else id for id, frame in lacking[:_SHOWN]]
    more = ", ..." if len(lacking) > _SHOWN else ""
    return f"{len(lacking):,} ({', '.join(names)}{more})"


def _part(
    run: grid.Run, kind: str, scores: Scores, level: str, samples: pa.Table, rows: list[int]
) -> pa.Table:
    """Return the predictions of the samples of a split, whose scores stand in these rows."""
    columns = {name: samples[name] for name in samples.column_names}
    columns |= {
        "run": pa.array([run.path] * len(rows)),
        "level": pa.array([level] * len(rows)),
        "logits": pa.array(list(logits(kind, scores.values[rows])), pa.list_(pa.float32())),
    }
    if level == "video":
        columns["frame"] = pa.array([0] * len(rows))
    return pa.table({name: columns[name] for name in PREDICTIONS.names}).cast(PREDICTIONS)


def logits(kind: str, scores: np.ndarray) -> np.ndarray:
    """Turn probabilities (N, K) into logits that `metrics.probabilities` turns back.

    log p of classes, log p / (1 - p) of a positive class or attributes; finite also for 0 and 1.
    """
    with np.errstate(divide="ignore"):
        values = np.log(scores)
        if kind != "multiclass":
            values -= np.log1p(-scores)
    return np.clip(values, _NEVER, _SURE)
