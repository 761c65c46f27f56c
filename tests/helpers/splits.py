"""Manifests, crops and parameters to part into splits."""

from pathlib import Path

from helpers import trees
from lssat import params, tables
from lssat.data import datasets, splits
from lssat.tables import FACES, MANIFEST, REJECTS, SPLITS, listed_counts, read_json, read_table

SETTINGS = params.Splits(seed=0, affectnet_test=0.5, selection="val", holdout=0.1)


def sample(id: str, split: str, label: int, **other) -> dict:
    row = {"dataset": "d", "id": id, "path": id, "media": "image", "labels": [label]}
    row |= {"subset": "", "split": split, "groups": [id], "group": id, "box": []}
    return row | other


def crop(id: str, frame: int, shard: int, row: int) -> dict:
    found = {
        "id": id,
        "frame": frame,
        "clip": -1,
        "shard": shard,
        "row": row,
        "box": [],
        "landmarks": [],
    }
    return found | {"score": 1.0, "n_faces": 1, "n_frames": 9, "sha256": "", "phash": 0}


def write(
    tmp_path: Path,
    dataset: str,
    options,
    rows: list[dict],
    shards: list[list[dict]],
    rules: params.Splits = SETTINGS,
    absent: list[dict] = [],  # noqa: B006
):
    """Write tables, run the step, return the rows of each split and the summary."""
    manifest, rejects = tmp_path / "manifest.parquet", tmp_path / "manifest.rejects.parquet"
    header = datasets.task(dataset, options).header()
    header |= listed_counts.header(listed_counts.count([*rows, *absent], []))
    tables.write_table(manifest, rows, MANIFEST, header)
    gone = [tables.reject("d", row["id"], row["id"], "manifest", "missing") for row in absent]
    tables.write_table(rejects, gone, REJECTS)
    faces, faces_rejects = [], []
    for number, crops in enumerate(shards):
        faces.append(tmp_path / f"shard-{number}.parquet")
        faces_rejects.append(tmp_path / f"shard-{number}.rejects.parquet")
        tables.write_table(faces[-1], crops, FACES, {"sha256": str(number)})
        have = {row["id"] for row in crops}
        ids = [row["id"] for row in rows if tables.shard_of(row["id"], len(shards)) == number]
        gone = [tables.reject("d", id, id, "faces", "no_face") for id in ids if id not in have]
        tables.write_table(faces_rejects[-1], gone, REJECTS)
    files = {name: tmp_path / f"{name}.parquet" for name in splits.NAMES}
    files |= {f"{name}_ids": tmp_path / f"{name}.txt" for name in (*splits.NAMES, "unused")}
    files["samples"] = tmp_path / "samples.csv"
    files["summary"] = tmp_path / "summary.json"
    splits.write(dataset, manifest, rejects, faces, faces_rejects, options, rules, files)
    found = {name: read_table(files[name], SPLITS).to_pylist() for name in splits.NAMES}
    return found, read_json(files["summary"])


def cropped(rows: list[dict], shards: int = 1, frames: int = 1) -> list[list[dict]]:
    found: list[list[dict]] = [[] for _ in range(shards)]
    for row in sorted(rows, key=lambda row: row["id"]):
        shard = tables.shard_of(row["id"], shards)
        for frame in range(frames):
            found[shard].append(crop(row["id"], 4 * frame, shard, len(found[shard])))
    return found


def ffpp_rows() -> list[dict]:
    rows = []
    for split, (a, b) in {"train": ("000", "003"), "val": ("1", "2"), "test": ("4", "5")}.items():
        common = {"split": split, "group": f"{a}_{b}", "media": "video"}
        for name in (a, b):
            rows.append(sample(f"original/{name}", label=0, subset="original", **common))
            rows[-1]["groups"] = [name]
        for method in trees.METHODS:
            rows.append(sample(f"{method}/{a}_{b}", label=1, subset=method, **common))
            rows[-1]["groups"] = [a, b]
    return rows


def ffpp_options(tmp_path: Path, **other) -> params.Dataset:
    return trees.ffpp_options(tmp_path, **other)


def affectnet_rows(per_class: int = 5) -> list[dict]:
    rows = [sample(f"val/{c}{n}", "val", c) for c in range(8) for n in range(per_class)]
    return rows + [sample(f"train/{c}", "train", c) for c in range(8)]
