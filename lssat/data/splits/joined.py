"""Splits: manifest and crops joined, one row per crop, official where a release has a split.

AffectNet has no public test set. The paper's was a random half of the validation set of which
no seed is known; ours is a half by class and by a seeded hash of the ids, and is written out.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import grid, params
from lssat.data.splits.assign import NAMES, assign, requested
from lssat.data.splits.counts import by_member, summarise
from lssat.data.splits.requirements import OTHER_SHARE, expected, gaps, needed, off
from lssat.grid.releases import HALVED
from lssat.tables import (
    FACES,
    MANIFEST,
    REJECTS,
    SPLITS,
    UNUSED,
    DataError,
    check_groups,
    check_rejects,
    listed_counts,
    metadata,
    read_table,
    together,
    write_csv,
    write_json,
    write_table,
    write_text,
)
from lssat.tables.rows import RejectRow

FILES = (*NAMES, "summary", *(f"{name}_ids" for name in (*NAMES, UNUSED)), "samples")
_CROP = ["id", "frame", "clip", "shard", "row"]


@together()
def write(
    dataset: str,
    manifest: Path,
    manifest_rejects: Path,
    faces_tables: list[Path],
    faces_rejects: list[Path],
    options: params.Dataset,
    splits: params.Splits,
    files: dict[str, Path],
) -> None:
    """Write the tables of the three splits, their summary and the lists of their ids.

    Args:
        manifest, manifest_rejects: what the manifest step wrote.
        faces_tables, faces_rejects: what the faces step wrote, of every shard.
        options: the data set's section of params.yaml.
        splits: seed, the share of AffectNet's validation set that is our test set, and what
            selection looks at.
        files: the paths to write, one for each name in `FILES`: `train`, `val`, `test` (schema
            SPLITS, sorted by id, clip and frame; their header says what the task is; labels of
            the test split stand in no other file), `summary` (JSON), and `train_ids` to
            `unused_ids` (text: the ids of the samples, with a crop or not, one a line, sorted),
            `samples` (CSV: what another program can score).

    Raises:
        DataError: too many samples without a crop, an empty split, class or subset, or an
            identity in two splits. Where all samples are for tests, train and val are empty.
    """
    samples = read_table(manifest, MANIFEST)
    about = metadata(samples)
    task, counts = grid.read_task(about, manifest), listed_counts.read(about, manifest)
    crops = pa.concat_tables([read_table(path, FACES).select(_CROP) for path in faces_tables])
    rejects = [read_table(path, REJECTS) for path in [manifest_rejects, *faces_rejects]]
    cropped = pc.is_in(samples["id"], crops["id"]).to_numpy()  # samples that have a crop
    lost = set(samples["id"].filter(pa.array(~cropped)).to_pylist())
    where, why = _lost(lost, faces_rejects, rejects[1:], manifest)
    check_rejects("faces", len(lost), len(cropped), options.rejects_limit, where, why)
    names = np.array(assign(dataset, samples, splits, options))
    moved = zip(names.tolist(), samples["split"].to_pylist(), strict=True)
    seeded = dataset in HALVED or any(one != other and one != UNUSED for one, other in moved)
    seed = splits.seed if seeded else None
    check_groups(samples["groups"].to_pylist(), names.tolist(), manifest)
    wishes = _sized(dataset, samples, names.tolist(), splits, options, manifest)
    joined = _join(samples, names, crops, seed, manifest)
    members = expected(task, options, {*samples["subset"].to_pylist()})
    _check_empty(joined, options, needed(dataset, options), members, manifest)
    for name in NAMES:
        part = joined.filter(pc.equal(joined["split"], name))
        write_table(files[name], part, SPLITS, task.header())
    summary = summarise(samples, names, cropped, joined, getattr(options, "frames", 1), counts)
    summary |= {"dataset": dataset, "seed": seed, "rejects": _reasons(rejects)}
    summary |= {"selection": splits.selection, "asked": wishes}
    for name in (*NAMES, UNUSED):
        write_text(files[f"{name}_ids"], "".join(f"{id}\n" for id in summary["ids"][name]))
    write_csv(files["samples"], ("id", "frame", "split"), _scorable(joined))
    write_json(files["summary"], {key: value for key, value in summary.items() if key != "ids"})


def _scorable(joined: pa.Table) -> Iterator[tuple[str, int, str]]:
    """Yield id, frame and split of what another program can score: crops of test and val."""
    single = joined.filter(pc.equal(joined["clip"], -1))
    for split in ("test", "val"):
        part = single.filter(pc.equal(single["split"], split))
        for id, frame in zip(part["id"].to_pylist(), part["frame"].to_pylist(), strict=True):
            yield id, frame, split


def _sized(
    dataset: str,
    samples: pa.Table,
    names: list[str],
    splits: params.Splits,
    options: params.Dataset,
    manifest: Path,
) -> dict[str, int]:
    """Print the requested size of each split that we fill beside its real size; return it."""
    if lines := [*off(samples, names, splits, options)]:
        raise DataError(manifest, "; ".join(lines), OTHER_SHARE.capitalize())
    wishes = requested(samples, splits, options)
    for name, wish in wishes.items():
        got = f"{names.count(name):,} of {wish.of:,} samples"
        text = f"{wish.key} {wish.share} asks for {wish.wanted:,}"
        print(f"{dataset}: {name} has {got}; {text}", flush=True)
    return {name: wish.wanted for name, wish in wishes.items()}


def _lost(
    ids: set[str], files: list[Path], tables: list[pa.Table], manifest: Path
) -> tuple[Path, list[RejectRow]]:
    """Return the first table that explains samples without a crop, and all such rows."""
    rows = [[row for row in table.to_pylist() if row["id"] in ids] for table in tables]
    holding = (file for file, rejected in zip(files, rows, strict=True) if rejected)
    return next(holding, manifest), [row for rejected in rows for row in rejected]


def _join(
    samples: pa.Table, names: np.ndarray, crops: pa.Table, seed: int | None, manifest: Path
) -> pa.Table:
    """Join each crop with its sample's row of the manifest."""
    crops = crops.sort_by([(key, "ascending") for key in ("id", "clip", "frame")])
    place = pc.index_in(crops["id"], samples["id"])
    if place.null_count:
        id = crops["id"].filter(pc.is_null(place))[0].as_py()
        problem = f"has no sample {id!r}, of which there is a crop"
        raise DataError(manifest, problem, "Run the faces step again: its crops are older")
    of = samples.select(["labels", "subset", "group"]).append_column("split", pa.array(names))
    for name, column in zip(of.column_names, of.take(place).columns, strict=True):
        crops = crops.append_column(name, column)
    crops = crops.append_column("seed", pa.array([seed] * len(crops), pa.int64()))
    return crops.select(SPLITS.names)


def _check_empty(
    joined: pa.Table,
    options: params.Dataset,
    splits: tuple[str, ...],
    members: dict[str, list[str]],
    manifest: Path,
) -> None:
    sizes = Counter(joined["split"].to_pylist())
    problems = [
        f"{gap.kind}: {gap.member} has no crop in {gap.split} ({sizes[gap.split]:,} crops)"
        if gap.kind
        else f"split {gap.split} is empty"
        for gap in gaps(by_member(joined), sizes, members, splits)
        if not gap.meant(options)
    ]
    if problems:
        fix = "Add samples of them, or see in the tables of rejects where they were lost"
        raise DataError(manifest, "; ".join(problems), fix)


def _reasons(rejects: list[pa.Table]) -> dict[str, dict[str, int]]:
    """Count the rejects by step and reason."""
    counts: dict[str, Counter] = {"manifest": Counter(), "faces": Counter()}
    for row in pa.concat_tables(rejects).select(["step", "reason"]).to_pylist():
        counts[row["step"]][row["reason"]] += 1
    return {step: dict(sorted(reasons.items())) for step, reasons in counts.items()}
