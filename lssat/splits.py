"""Splits: manifest and crops joined, one row per crop, official where a release has a split.

AffectNet has no public test set. The paper's was a random half of the validation set of which
no seed is known; ours is a half by class and by a seeded hash of the ids, and is written out.
"""

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import grid, params
from lssat.tables import (
    FACES,
    MANIFEST,
    REJECTS,
    SPLITS,
    DataError,
    check_rejects,
    metadata,
    read_table,
    write_json,
    write_table,
)

NAMES = ("train", "val", "test")


def write(
    dataset: str,
    manifest: Path,
    manifest_rejects: Path,
    faces_tables: list[Path],
    faces_rejects: list[Path],
    options: params.Dataset,
    splits: params.Splits,
    out_dir_files: dict[str, Path],
) -> None:
    """Write the tables of the three splits and their summary.

    Args:
        manifest, manifest_rejects: what the manifest step wrote.
        faces_tables, faces_rejects: what the faces step wrote, of every shard.
        options: the data set's section of params.yaml.
        splits: seed, and the share of AffectNet's validation set that is our test set.
        out_dir_files: the paths to write: `train`, `val`, `test` (schema SPLITS, sorted by id
            and frame; their header says what the task is; labels of the test split stand in no
            other file) and `summary` (JSON).

    Raises:
        DataError: too many samples without a crop, an empty split, class or subset, or an
            identity in two splits.
    """
    samples = read_table(manifest, MANIFEST)
    task = grid.read_task(metadata(samples), manifest)
    crops = pa.concat_tables([read_table(path, FACES).select(_CROP) for path in faces_tables])
    rejects = [read_table(path, REJECTS) for path in [manifest_rejects, *faces_rejects]]
    found = pc.is_in(samples["id"], crops["id"]).to_numpy()  # samples that have a crop
    where = faces_rejects[0] if faces_rejects else manifest
    lost = int((~found).sum())
    check_rejects("faces", lost, len(found), options.rejects_limit, where)
    seed = splits.seed if dataset == "affectnet" else None
    names = samples["split"].to_pylist()
    if dataset == "affectnet":
        names = halve(samples, splits.affectnet_test, splits.seed)
    check_groups(samples["groups"].to_pylist(), names, manifest)
    joined = _join(samples, names, crops, seed, manifest)
    _check_empty(joined, _expected(task, options, samples), manifest)
    for name in NAMES:
        part = joined.filter(pc.equal(joined["split"], name))
        write_table(out_dir_files[name], part, SPLITS, task.header())
    summary = _summary(samples, np.array(names), found, joined)
    summary |= {"dataset": dataset, "seed": seed, "rejects": _reasons(rejects)}
    if dataset != "affectnet":
        del summary["test_ids"]  # official: the hash tells enough
    write_json(out_dir_files["summary"], summary)


_CROP = ["id", "frame", "clip", "shard", "row"]


def halve(samples: pa.Table, share: float, seed: int) -> list[str]:
    """Part the official validation set into val and test, class by class.

    Within a class the ids are ordered by sha256 of `<seed>:<id>`; the first `share` of them
    (rounded, halves up) are the test set: the same on every machine and with every library,
    and independent of which crops were found.

    Returns:
        The split of each sample.
    """
    classes = defaultdict(list)
    names = samples["split"].to_pylist()
    for place, (id, labels) in enumerate(
        zip(samples["id"].to_pylist(), samples["labels"].to_pylist(), strict=True)
    ):
        if names[place] == "val":
            key = hashlib.sha256(f"{seed}:{id}".encode()).hexdigest()
            classes[tuple(labels)].append((key, place))
    for members in classes.values():
        for _, place in sorted(members)[: int(np.floor(share * len(members) + 0.5))]:
            names[place] = "test"
    return names


def check_groups(groups: list[list[str]], names: list[str], file: Path) -> None:
    """Prove that no identity stands in two splits; a fake video counts for both of its own.

    Raises:
        DataError: with the first identities and the two splits of each.
    """
    first: dict[str, str] = {}
    twice = {}
    for identities, split in zip(groups, names, strict=True):
        for identity in identities:
            if first.setdefault(identity, split) != split:
                twice[identity] = f"{identity} ({first[identity]} and {split})"
    if twice:
        some = ", ".join(twice[key] for key in sorted(twice)[:5])
        problem = f"{len(twice):,} identities stand in two splits: {some}"
        raise DataError(file, problem, "Correct the lists of the release; scores would be leaked")


def _join(
    samples: pa.Table, names: list[str], crops: pa.Table, seed: int | None, manifest: Path
) -> pa.Table:
    """Give each crop what the manifest says of its sample."""
    crops = crops.sort_by([(key, "ascending") for key in ("id", "clip", "frame")])
    place = pc.index_in(crops["id"], samples["id"])
    if place.null_count:
        id = crops["id"].filter(pc.is_null(place))[0].as_py()
        problem = f"has no sample {id!r}, of which there is a crop"
        raise DataError(manifest, problem, "Run the faces step again: its crops are older")
    of = samples.select(["labels", "subset", "group"]).append_column("split", pa.array(names))
    columns = {name: crops[name] for name in _CROP}
    taken = of.take(place)
    columns |= {name: taken[name] for name in taken.column_names}
    columns["seed"] = pa.array([seed] * len(crops), pa.int64())
    return pa.table({name: columns[name] for name in SPLITS.names})


def _expected(task: grid.Task, options: Any, samples: pa.Table) -> dict[str, list[str]]:
    """List the classes and subsets that each split must have; attributes may be constant."""
    classes = 0 if task.kind == "multilabel" else len(task.classes)
    subsets = {*samples["subset"].to_pylist(), *getattr(options, "methods", [])} - {""}
    return {"classes": [str(code) for code in range(classes)], "subsets": sorted(subsets)}


def _check_empty(joined: pa.Table, expected: dict[str, list[str]], manifest: Path) -> None:
    sizes = Counter(joined["split"].to_pylist())
    counts = _counts(joined)
    problems = [f"split {name} is empty" for name in NAMES if not sizes[name]]
    for what, members in expected.items():
        for name in NAMES:
            problems += [
                f"{what}: {member} has no crop in {name} ({sizes[name]:,} crops)"
                for member in members
                if sizes[name] and not counts[what][name].get(member)
            ]
    if problems:
        fix = "Add samples of them, or see in the tables of rejects where they were lost"
        raise DataError(manifest, "; ".join(problems), fix)


def _counts(joined: pa.Table) -> dict[str, dict[str, dict[str, int]]]:
    """Count crops by split and class (data sets of one label) and by split and subset."""
    counts: dict[str, dict] = {
        "classes": {name: Counter() for name in NAMES},
        "subsets": {name: Counter() for name in NAMES},
    }
    columns = [joined[name].to_pylist() for name in ("split", "labels", "subset")]
    for split, labels, subset in zip(*columns, strict=True):
        if len(labels) == 1:
            counts["classes"][split][str(labels[0])] += 1
        if subset:
            counts["subsets"][split][subset] += 1
    return counts


def _summary(samples: pa.Table, names: np.ndarray, found: np.ndarray, joined: pa.Table) -> dict:
    ids = np.array(samples["id"].to_pylist(), object)
    groups = np.array(samples["group"].to_pylist(), object)
    crops = Counter(joined["split"].to_pylist())
    test = sorted(ids[names == "test"])
    counts = {key: value for key, value in _counts(joined).items() if any(value.values())}
    return {
        "samples": {name: int((names == name).sum()) for name in NAMES},
        "crops": {name: crops[name] for name in NAMES},
        "groups": {name: len(set(groups[names == name])) for name in NAMES},
        # Samples of the manifest with at least one crop.
        "coverage": {name: float(found[names == name].mean()) for name in NAMES},
        **counts,
        **_positives(joined),
        "test_ids_sha256": hashlib.sha256("".join(f"{id}\n" for id in test).encode()).hexdigest(),
        "test_ids": test,
    }


def _positives(joined: pa.Table) -> dict[str, dict[str, dict]]:
    """Count the crops that have each attribute, in the order of the release's list."""
    found: dict[str, list[int]] = {}
    for name in NAMES:
        labels = joined.filter(pc.equal(joined["split"], name))["labels"].to_pylist()
        if len(labels[0]) > 1:
            found[name] = np.sum(labels, axis=0).tolist()
    return {"attributes": {"positives": found}} if found else {}


def _reasons(rejects: list[pa.Table]) -> dict[str, dict[str, int]]:
    """Count the rejects by step and reason."""
    counts: dict[str, Counter] = {"manifest": Counter(), "faces": Counter()}
    for row in pa.concat_tables(rejects).select(["step", "reason"]).to_pylist():
        counts[row["step"]][row["reason"]] += 1
    return {step: dict(sorted(reasons.items())) for step, reasons in counts.items()}
