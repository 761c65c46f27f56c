"""Case 29: every reader of shards refuses a damaged or exchanged one, naming it and the way out."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.drawn_data import write

from lssat import params, tables, texture
from lssat.data import shards
from lssat.data import texture as texture_cache
from lssat.tables import FACES, TEXTURE, DataError
from lssat.training.loader import Crops

WAY_OUT = "Remove it and run `snakemake --cores 8` to rebuild it"
OPTIONS = params.Texture(kind="ldp", k=3, encoding="code")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path, {"train": 40})
    return tmp_path


def swap(one: Path, two: Path) -> None:
    """Exchange two shards together with their tables."""
    for suffix in (".npy", ".parquet"):
        kept = one.with_suffix(".kept")
        shutil.move(one.with_suffix(suffix), kept)
        shutil.move(two.with_suffix(suffix), one.with_suffix(suffix))
        shutil.move(kept, two.with_suffix(suffix))


def pair(data: Path, kind: str, number: int) -> tuple[Path, Path]:
    file = data / kind / f"shard-{number:05d}.npy"
    return file, file.with_suffix(".parquet")


def rewrite(table: Path, schema, change=lambda rows: rows, **header: str) -> None:
    """Write a table again, with other rows or with another header, as a valid file."""
    found = tables.read_table(table, schema)
    rows = change(found.to_pylist())
    tables.write_table(table, rows, schema, tables.metadata(found) | header)


def load(data: Path) -> None:
    Crops(data / "splits/train.parquet", data / "faces", data / "texture").batch(np.arange(40))


def code(data: Path, out: Path | None = None) -> None:
    out = out or data / "out"
    faces, table = pair(data, "faces", 1)
    texture_cache.write_shard(faces, table, OPTIONS, out / "c.npy", out / "c.parquet")


@pytest.mark.parametrize("kind", ["faces", "texture"])
def test_case_29_shards_exchanged_with_their_valid_tables(data: Path, kind: str) -> None:
    load(data)
    swap(pair(data, kind, 0)[0], pair(data, kind, 1)[0])
    said = rf"{kind}/shard-0000.\.npy: is shard \d under another's name\. {WAY_OUT}"
    with pytest.raises(DataError, match=said):
        load(data)
    if kind == "faces":
        with pytest.raises(DataError, match=said):
            code(data)
        assert not (data / "out").exists()


def test_case_29_codes_of_other_crops(data: Path) -> None:
    faces, table = pair(data, "faces", 1)
    digest = tables.write_shard(faces, 255 - np.load(faces))  # made anew, valid
    rewrite(table, FACES, sha256=digest)
    said = r"texture/shard-00001\.npy: holds codes of other crops \(.*\) than .*faces/shard-00001"
    with pytest.raises(DataError, match=rf"{said}\.npy .*\. {WAY_OUT}"):
        load(data)


def test_case_29_codes_of_another_specification(data: Path) -> None:
    rewrite(pair(data, "texture", 1)[1], TEXTURE, spec="0")
    said = r"shard-00001\.npy: holds codes of specification 0, this version computes 1\. Remove it"
    with pytest.raises(DataError, match=said):
        load(data)


def test_case_29_codes_of_another_kind_than_the_other_shards(data: Path) -> None:
    rewrite(pair(data, "texture", 1)[1], TEXTURE, k="4")
    said = r"shard-00001\.npy: holds codes ldp, k = 4, others of the folder ldp, k = 3\. Remove it"
    with pytest.raises(DataError, match=said):
        load(data)


def test_case_29_codes_of_other_rows(data: Path) -> None:
    rewrite(pair(data, "texture", 1)[1], TEXTURE, lambda rows: rows[::-1])
    with pytest.raises(
        DataError, match=rf"shard-00001\.npy: does not hold the rows of .*{WAY_OUT}"
    ):
        load(data)


@pytest.mark.parametrize("missing", ["sha256", "faces_sha256"])
def test_case_29_a_table_that_vouches_for_nothing(data: Path, missing: str) -> None:
    table = pair(data, "texture", 1)[1]
    found = tables.read_table(table, TEXTURE)
    head = tables.metadata(found)
    del head[missing]
    tables.write_table(table, found, TEXTURE, head)
    with pytest.raises(DataError, match=rf"shard-00001\.npy: h.*\(none\).*{WAY_OUT}"):
        load(data)


def test_case_29_a_table_of_more_or_fewer_rows(data: Path) -> None:
    rewrite(pair(data, "faces", 1)[1], FACES, lambda rows: rows[:-1])
    for use in (load, code):
        with pytest.raises(DataError, match=r"shard-00001\.npy: has 20 entries, its table 19 rows"):
            use(data)


def test_case_29_crops_of_other_samples_than_the_split_looks_for(data: Path) -> None:
    def turned(rows: list[dict]) -> list[dict]:
        ids = [row["id"] for row in rows]
        return [row | {"id": id} for row, id in zip(rows, ids[1:] + ids[:1], strict=True)]

    rewrite(pair(data, "faces", 1)[1], FACES, turned)
    said = r"shard-00001\.npy: holds '000003', frame 0, in row 0, where .*train\.parquet has"
    with pytest.raises(DataError, match=rf"{said} '000001', frame 0\. {WAY_OUT}"):
        load(data)


def test_case_29_a_shard_of_fewer_rows_than_the_split_looks_for(data: Path) -> None:
    file, table = pair(data, "faces", 1)
    digest = tables.write_shard(file, np.load(file)[:5])
    rewrite(table, FACES, lambda rows: rows[:5], sha256=digest)
    faces = Crops(data / "splits/train.parquet", data / "faces", None)
    with pytest.raises(DataError, match=r"shard-00001\.npy: has 5 rows, .* looks for row 19"):
        faces.batch(np.arange(4))


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_case_29_no_codes_are_made_from_damaged_crops(data: Path, damage: str) -> None:
    file, _ = pair(data, "faces", 1)
    whole = bytearray(file.read_bytes())
    flipped = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
    file.write_bytes({"flip": flipped, "cut": whole[:-50], "empty": b""}[damage])
    with pytest.raises(DataError, match=rf"shard-00001\.npy: has sha256 .*{WAY_OUT}"):
        code(data)
    assert not (data / "out").exists()


def test_rows_come_in_the_order_asked_for_across_shards(data: Path) -> None:
    read = Crops(data / "splits/train.parquet", data / "faces", data / "texture")
    rows = np.array([39, 0, 7, 7, 2])
    wanted = [np.load(pair(data, "faces", row % 2)[0])[row // 2] for row in rows]
    assert np.array_equal(read.faces.take(rows % 2, rows // 2), np.stack(wanted))
    codes = texture.codes(np.stack(wanted), "ldp", 3)
    assert np.array_equal(read.codes.take(rows % 2, rows // 2), codes)
    assert shards.read(*pair(data, "faces", 1), FACES).array.flags.writeable is False
