"""One file that stands for all shards: it changes with any of them."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from helpers.drawn_data import write

from lssat import tables
from lssat.data import shard_list
from lssat.tables import FACES, TEXTURE, DataError, read_json
from lssat.tables.project import ShardFolder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path, {"train": 40})
    return tmp_path


def listed(data: Path) -> list[dict]:
    out = data / "shards.json"
    shard_list.write(ShardFolder(data / "faces"), ShardFolder(data / "texture"), 2, out)
    return read_json(out)["shards"]


def retold(file: Path, schema, **header: str) -> None:
    """Write the table beside a shard again, with another header."""
    table = file.with_suffix(".parquet")
    rows = tables.read_table(table, schema)
    tables.write_table(table, rows, schema, tables.metadata(rows) | header)


def test_the_list_has_rows_and_sha256_of_every_shard(data: Path) -> None:
    for number, row in enumerate(listed(data)):
        crops, codes = (data / kind / f"shard-{number:05d}.npy" for kind in ("faces", "texture"))
        assert row["rows"] == len(np.load(crops)) == len(np.load(codes))
        assert row["faces_sha256"] == hashlib.sha256(crops.read_bytes()).hexdigest()
        assert row["texture_sha256"] == hashlib.sha256(codes.read_bytes()).hexdigest()


def test_the_list_changes_with_any_shard(data: Path) -> None:
    before = listed(data)
    assert listed(data) == before
    codes = data / "texture/shard-00001.npy"
    retold(codes, TEXTURE, sha256=tables.write_shard(codes, 1 + np.load(codes)))
    after = listed(data)
    assert after[0] == before[0]
    assert after[1] == before[1] | {"texture_sha256": after[1]["texture_sha256"]} != before[1]


def test_codes_of_other_crops_are_refused_before_any_training(data: Path) -> None:
    crops = data / "faces/shard-00001.npy"
    retold(crops, FACES, sha256=tables.write_shard(crops, 255 - np.load(crops)))
    said = r"texture/shard-00001\.parquet: is of codes of other crops \(.*\) than .*faces/shard-"
    with pytest.raises(DataError, match=rf"{said}00001.*Remove it and run `snakemake --cores 8`"):
        listed(data)


def test_no_rule_of_many_jobs_names_each_shard() -> None:
    """Else Snakemake's graph has a pair for each shard of each run."""
    rules = (ROOT / "workflow/rules/runs.smk").read_text().split("\nrule ")
    (train,) = (rule for rule in rules if rule.startswith("train:"))
    assert "shards_of(wc.task)" in train
    assert "crops_of" not in train
    assert "codes_of" not in train
