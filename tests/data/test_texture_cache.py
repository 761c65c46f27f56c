"""The cache holds the codes of the verified crops, row for row, and says how they were made."""

from pathlib import Path

import numpy as np
import pytest

from lssat import params, tables, texture
from lssat.data import texture as texture_cache
from lssat.tables import FACES, TEXTURE, DataError, metadata, open_shard, read_table

OPTIONS = params.Texture(kind="ldp", k=3, encoding="code")


def shard(tmp_path: Path, count: int) -> tuple[Path, Path, np.ndarray]:
    crops = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
    npy, table = tmp_path / "faces.npy", tmp_path / "faces.parquet"
    digest = tables.write_shard(npy, crops)
    other = {"box": [], "landmarks": [], "score": 1.0, "n_faces": 1, "n_frames": 1}
    other |= {"sha256": "", "phash": 0}
    rows = [
        {"id": f"{i:03}", "frame": i, "clip": -1, "shard": 4, "row": i, **other}
        for i in range(count)
    ]
    tables.write_table(table, rows, FACES, {"sha256": digest})
    return npy, table, crops


@pytest.mark.parametrize("count", [0, 1, 300])  # 300: more than a block
@pytest.mark.parametrize("kind", texture.KINDS)
def test_codes_stand_row_for_row(tmp_path: Path, count: int, kind: str) -> None:
    npy, table, crops = shard(tmp_path, count)
    out, codes_table = tmp_path / "codes.npy", tmp_path / "codes.parquet"
    options = params.Texture(kind=kind, k=3, encoding="code")
    texture_cache.write_shard(npy, table, options, out, codes_table)
    rows = read_table(codes_table, TEXTURE)
    header = metadata(rows)
    codes = open_shard(out, header["sha256"], "")
    assert codes.shape == (count, 16, 16)
    assert np.array_equal(codes, texture.codes(crops, kind))
    assert rows["id"].to_pylist() == [f"{i:03}" for i in range(count)]
    assert rows["row"].to_pylist() == list(range(count))
    assert (header["kind"], header["k"], header["spec"]) == (kind, "3", texture.SPEC)
    assert header["faces_sha256"] == tables.sha256(npy)
    first = [out.read_bytes(), codes_table.read_bytes()]
    texture_cache.write_shard(npy, table, options, out, codes_table)
    assert [out.read_bytes(), codes_table.read_bytes()] == first


def test_damaged_crops_are_not_coded(tmp_path: Path) -> None:
    npy, table, _ = shard(tmp_path, 3)
    content = bytearray(npy.read_bytes())
    content[-1] ^= 1
    npy.write_bytes(content)
    with pytest.raises(
        DataError, match=r"has sha256 .* its table says .*Remove it and run `snakemake"
    ):
        texture_cache.write_shard(npy, table, OPTIONS, tmp_path / "o.npy", tmp_path / "o.parquet")
    assert not (tmp_path / "o.npy").exists()


def test_a_table_that_vouches_for_nothing_is_refused(tmp_path: Path) -> None:
    npy, table, _ = shard(tmp_path, 3)
    tables.write_table(table, read_table(table, FACES), FACES)
    with pytest.raises(DataError, match="its table says"):
        texture_cache.write_shard(npy, table, OPTIONS, tmp_path / "o.npy", tmp_path / "o.parquet")
