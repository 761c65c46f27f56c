"""The audit against counting all pairs, and what it does with each kind of finding."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import ROOT
from helpers.audited import OPTIONS, Drawn, bits, clean
from helpers.splits import sample

from lssat import params, tables
from lssat.data.audit import crops, leaks
from lssat.tables import SPLITS, DataError, read_table


def test_a_clean_data_set_passes_and_says_what_was_looked_at(tmp_path: Path, capsys) -> None:
    found, told = clean(tmp_path).audit()
    assert found == []
    assert told["crops"] == {"train": 4, "val": 4, "test": 4}
    assert told["samples"] == told["identities"] == {"train": 2, "val": 2, "test": 2}
    assert not told["identities_known"]
    assert told["findings"] == {"identity": 0, "duplicate": 0, "duplicate_within": 0}
    said = capsys.readouterr().out
    assert "The release tells no identities, so only copies can be found." in said
    assert "0 pairs of samples in two splits share a crop" in said


def test_equal_crops_of_one_sample_are_no_finding(tmp_path: Path) -> None:
    same = {("test/0", 0): ("still", 1), ("test/0", 5): ("still", 1)}
    found, _ = clean(tmp_path, hashes=same).audit()
    assert found == []


def test_a_copy_within_a_split_is_listed_and_no_error(tmp_path: Path) -> None:
    same = {("test/0", 5): ("copy", 1), ("test/1", 0): ("copy", 1)}
    found, told = clean(tmp_path, hashes=same).audit()
    assert found == [
        {
            **dict(kind="duplicate_within", split="test", id="test/0", frame=5),
            **dict(other_split="test", other_id="test/1", other_frame=0),
            **dict(what="copy", distance=0),
        }
    ]
    assert told["findings"]["duplicate_within"] == 1


def naive(drawn: Drawn) -> Iterator[tuple]:
    """Leaks by looking at all pairs of crops."""
    every = list(drawn.hashes.items())
    for ((one, _), (sha_one, _)), ((other, _), (sha_other, _)) in combinations(every, 2):
        a, b = drawn.rows[one], drawn.rows[other]
        if a["split"] != b["split"]:
            if sha_one == sha_other:
                yield "duplicate", sha_one
            for identity in {*a["groups"]} & {*b["groups"]}:
                yield "identity", identity


@pytest.mark.parametrize("seed", range(6))
def test_leaks_are_those_of_all_pairs(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        sample(
            f"{n}", str(rng.choice(crops.NAMES)), 0, groups=rng.choice(90, 2).astype(str).tolist()
        )
        for n in range(40)
    ]
    hashes = {(row["id"], frame): (str(rng.integers(300)), 0) for row in rows for frame in range(2)}
    drawn = Drawn(tmp_path, rows, hashes)
    wanted = set(naive(drawn))
    assert {kind for kind, _ in wanted} == {"identity", "duplicate"}
    with pytest.raises(DataError, match="nothing is trained on a leak"):
        drawn.audit()
    found = [row for row in drawn.findings("audit") if row["kind"] in leaks.LEAKS]
    assert {(row["kind"], row["what"]) for row in found} == wanted
    for row in found:
        a, b = drawn.rows[row["id"]], drawn.rows[row["other_id"]]
        assert (a["split"], b["split"]) == (row["split"], row["other_split"])
        assert a["split"] != b["split"]
        if row["kind"] == "identity":
            assert row["what"] in a["groups"]
            assert row["what"] in b["groups"]
        else:
            key, other = (row["id"], row["frame"]), (row["other_id"], row["other_frame"])
            assert drawn.hashes[key][0] == drawn.hashes[other][0] == row["what"]
    assert not (tmp_path / "audit.json").exists()


@pytest.mark.parametrize("distance", [0, 3])
def test_lookalikes_are_those_of_all_pairs(tmp_path: Path, distance: int) -> None:
    rng = np.random.default_rng(distance)
    rows = [sample(f"{n:02}", str(rng.choice(crops.NAMES)), 0) for n in range(50)]
    near = [int(each) for each in rng.integers(0, 2**64, 12, dtype=np.uint64)]
    hashes = {
        (row["id"], frame): (
            f"{row['id']} {frame}",
            near[rng.integers(12)]
            ^ sum(1 << int(k) for k in rng.choice(64, rng.integers(4), False)),
        )
        for row in rows
        for frame in range(2)
    }
    drawn = Drawn(tmp_path, rows, hashes)
    options = params.Audit(near_distance=distance, near_limit=1.0)
    found, told = drawn.lookalikes(options)
    wanted = {}
    for (id, _), (_, one) in hashes.items():
        for (other_id, _), (_, other) in hashes.items():
            splits = drawn.rows[id]["split"], drawn.rows[other_id]["split"]
            later = crops.NAMES.index(splits[0]) > crops.NAMES.index(splits[1])
            if later and bits(one, other) <= distance:
                key = (id, splits[1])
                wanted[key] = min(wanted.get(key, 65), bits(one, other))
    assert {(row["id"], row["other_split"]): row["distance"] for row in found} == wanted
    assert len(found) == len(wanted) > 3
    for row in found:
        pair = hashes[row["id"], row["frame"]][1], hashes[row["other_id"], row["other_frame"]][1]
        assert bits(*pair) == row["distance"]
        assert drawn.rows[row["id"]]["split"] == row["split"]
        assert drawn.rows[row["other_id"]]["split"] == row["other_split"]
    for pair in told["pairs"]:
        keys = [key for key in wanted if key[1] == pair["other_split"]]
        mine = [key for key in keys if drawn.rows[key[0]]["split"] == pair["split"]]
        assert pair["samples"] == len(mine)
        assert pair["of"] == sum(row["split"] == pair["split"] for row in rows)


def test_too_many_lookalikes_stop_the_run_and_the_table_stays(tmp_path: Path, capsys) -> None:
    near = {("test/0", 5): ("a", 0b1011), ("train/1", 0): ("b", 0b1000)}
    drawn = clean(tmp_path, hashes=near)
    found, _ = drawn.lookalikes()  # a half may
    assert [(row["id"], row["other_id"], row["distance"]) for row in found] == [
        ("test/0", "train/1", 2)
    ]
    said = "1 of 2 samples of test have a near-duplicate in train (within 4 of 64 bits)"
    assert said in capsys.readouterr().out
    (tmp_path / "lookalikes.json").unlink()
    strict = OPTIONS.model_copy(update={"near_limit": 0.4})
    with pytest.raises(DataError) as caught:
        drawn.lookalikes(strict)
    assert str(caught.value) == (
        f"{tmp_path}/lookalikes.parquet: {said}; the limit is 40 %. "
        "Look at the pairs in this table; then mend the data or raise audit.near_limit."
    )
    assert len(drawn.findings("lookalikes")) == 1
    assert not (tmp_path / "lookalikes.json").exists()


def test_a_data_set_that_is_only_tested_on_is_audited_within_itself(tmp_path: Path) -> None:
    rows = [sample(f"{n}", "test", 0) for n in range(3)]
    hashes = {(row["id"], 0): ("copy" if row["id"] != "1" else "own", 0) for row in rows}
    found, told = Drawn(tmp_path, rows, hashes).audit()
    assert [(row["kind"], row["id"], row["other_id"]) for row in found] == [
        ("duplicate_within", "0", "2")
    ]
    assert told["crops"] == {"train": 0, "val": 0, "test": 3}
    found, told = Drawn(tmp_path, rows, hashes).lookalikes()
    assert found == []
    assert {pair["samples"] for pair in told["pairs"]} == {0}


def test_every_training_stage_waits_for_the_audit_in_both_graphs() -> None:
    root = ROOT
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    trained = [stage for name, stage in stages.items() if name in ("train", "baseline", "clips")]
    assert trained
    for stage in trained:
        assert "data/prepared/${item.task}/audit.json" in stage["deps"]
    rules = (root / "workflow/rules/runs.smk").read_text()
    for rule in ("train", "cross"):
        inputs = rules.split(f"rule {rule}:")[1].split("output:")[0]
        assert 'DATA.found("audit").json' in inputs
    assert "data/prepared/${key}/audit.json" in stages["cross"]["do"]["deps"]


def test_splits_older_than_the_crops_are_refused(tmp_path: Path) -> None:
    drawn = clean(tmp_path)
    drawn.hashes.pop(("test/0", 0))
    rows = read_table(tmp_path / "val.parquet", SPLITS)
    drawn._shards()
    tables.write_table(tmp_path / "val.parquet", rows, SPLITS)
    with pytest.raises(DataError, match=r"val\.parquet: holds a crop that is not in its shard's"):
        drawn.audit()
