"""A data set of one's own, drawn, and its steps up to the splits."""

from pathlib import Path

import numpy as np

from helpers import trees
from lssat import params
from lssat.data import datasets, faces, splits, texture

SPLIT = params.Splits(seed=0, affectnet_test=0.5, selection="val", holdout=0.1)


SMALL = params.Faces(size=40, margin=1.3, min_face_size=40.0, threshold=0.7)


def options(root: Path, **other) -> params.Own:
    values = {"shards": 1, "rejects_limit": 0.0, "kind": "multiclass", "faces": "aligned"}
    return params.Own(**{"root": str(root), **values, **other})


def face(number: int, dark: bool = False) -> np.ndarray:
    return trees.face(number, 64) // (3 if dark else 1)


def folders(root: Path, classes: tuple[str, ...], each: int = 8) -> Path:
    """Faces in <split>/<class>/; the later a class, the darker."""
    number = 0
    for split in ("train", "val", "test"):
        for code, name in enumerate(classes):
            for n in range(each):
                trees.jpeg(
                    root / split / name / f"{n:03}.jpg", face(number % 100) // (1 + 2 * code)
                )
                number += 1
    return root


def listed(root: Path, header: str, rows: list[str], draw: bool = True) -> Path:
    """A list and, beside it, the files that it names."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "list.csv").write_text("\n".join([header, *rows]) + "\n")
    for number, row in enumerate(rows if draw else []):
        trees.jpeg(root / row.split(",")[0], face(number % 100, dark=row.split(",")[1] == "1"))
    return root


def prepare(tmp_path: Path, own: params.Own) -> dict[str, Path]:
    """Run the data steps on one shard; return where everything lies."""
    at = {"manifest": tmp_path / "m.parquet", "lost": tmp_path / "m.rejects.parquet"}
    datasets.manifest("mine", own, at["manifest"], at["lost"])
    npy = tmp_path / "faces/shard-00000.npy"
    table, gone = npy.with_suffix(".parquet"), npy.with_suffix(".rejects.parquet")
    faces.crop_shard(at["manifest"], "mine", own, SMALL, 0, npy, table, gone)
    codes = tmp_path / "texture/shard-00000.npy"
    kind = params.Texture(kind="ldp", k=3, encoding="code")
    texture.write_shard(npy, table, kind, codes, codes.with_suffix(".parquet"))
    files = {name: tmp_path / f"splits/{name}.parquet" for name in splits.NAMES}
    files |= {f"{name}_ids": tmp_path / f"{name}.txt" for name in (*splits.NAMES, "unused")}
    files["samples"] = tmp_path / "samples.csv"
    files["summary"] = tmp_path / "splits/summary.json"
    splits.write("mine", at["manifest"], at["lost"], [table], [gone], own, SPLIT, files)
    return {**at, **files, "faces": npy.parent, "codes": codes.parent}
