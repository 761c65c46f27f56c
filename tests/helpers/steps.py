"""All data steps in a row, for tests that begin with a raw tree."""

from pathlib import Path

from helpers.trees import FACES as SETTINGS
from lssat import params
from lssat.data import datasets, faces, splits
from lssat.data import texture as texture_cache
from lssat.tables import FACES, MANIFEST, REJECTS, SPLITS, TEXTURE, read_table


def steps(tmp_path: Path, dataset: str, options, rejected: int = 0) -> dict[str, list[str]]:
    """Run all data steps; return the ids of each step's table, sorted.

    The faces step must reject as many rows as `rejected` says (they are in `s.rejects.parquet`).
    """
    manifest, lost = tmp_path / "m.parquet", tmp_path / "m.rejects.parquet"
    npy, table = tmp_path / "s.npy", tmp_path / "s.parquet"
    rejects, codes = tmp_path / "s.rejects.parquet", tmp_path / "t.parquet"
    datasets.manifest(dataset, options, manifest, lost)
    faces.crop_shard(manifest, dataset, options, SETTINGS, 0, npy, table, rejects)
    texture = params.Texture(kind="ldp", k=3, encoding="code")
    texture_cache.write_shard(npy, table, texture, tmp_path / "t.npy", codes)
    files = {name: tmp_path / f"{name}.parquet" for name in splits.NAMES}
    files |= {f"{name}_ids": tmp_path / f"{name}.txt" for name in (*splits.NAMES, "unused")}
    files["samples"] = tmp_path / "samples.csv"
    files["summary"] = tmp_path / "summary.json"
    seeded = params.Splits(seed=0, affectnet_test=0.5, selection="val", holdout=0.1)
    splits.write(dataset, manifest, lost, [table], [rejects], options, seeded, files)
    assert read_table(rejects, REJECTS).num_rows == rejected
    parts = [read_table(files[name], SPLITS)["id"].to_pylist() for name in splits.NAMES]
    return {
        "manifest": read_table(manifest, MANIFEST)["id"].to_pylist(),
        "faces": read_table(table, FACES)["id"].to_pylist(),
        "texture": read_table(codes, TEXTURE)["id"].to_pylist(),
        "splits": sorted(id for part in parts for id in part),
    }
