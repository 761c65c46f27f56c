"""Selection on a part of train: seeded, by class, and nobody on both sides."""

import hashlib
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from helpers import trees
from helpers.splits import affectnet_rows, cropped, ffpp_options, ffpp_rows, sample, write

from lssat import params
from lssat.data import splits
from lssat.tables import MANIFEST, DataError

RULES = params.Splits(seed=3, affectnet_test=1.0, selection="train_holdout", holdout=0.2)


def hold_out(rows: list[dict], share: float = 0.2, seed: int = 3) -> dict[str, str]:
    """The split of each id."""
    table = pa.Table.from_pylist(rows, schema=MANIFEST)
    names = splits.hold_out(table, [row["split"] for row in rows], share, seed)
    return {row["id"]: name for row, name in zip(rows, names, strict=True)}


def test_affectnets_whole_validation_set_may_be_the_test(tmp_path: Path) -> None:
    rows = affectnet_rows() + [
        sample(f"train/{c}{n}", "train", c) for c in range(8) for n in "xyzu"
    ]
    found, summary = write(
        tmp_path, "affectnet", trees.affectnet_options(tmp_path), rows, cropped(rows), RULES
    )
    assert {row["id"] for row in found["test"]} == {
        f"val/{c}{n}" for c in range(8) for n in range(5)
    }
    assert Counter(row["labels"][0] for row in found["val"]) == dict.fromkeys(range(8), 1)
    assert all(row["id"].startswith("train/") for row in found["val"])
    assert summary["samples"] == {"train": 32, "val": 8, "test": 40}
    assert summary["unused"] == {"samples": 0, "crops": 0}
    assert summary["selection"] == "train_holdout"


def test_what_is_left_of_the_validation_set_is_counted_as_unused(tmp_path: Path) -> None:
    rows = affectnet_rows(4) + [
        sample(f"train/{c}{n}", "train", c) for c in range(8) for n in "xyzu"
    ]
    half = RULES.model_copy(update={"affectnet_test": 0.5})
    options = trees.affectnet_options(tmp_path)
    found, summary = write(tmp_path, "affectnet", options, rows, cropped(rows), half)
    assert summary["unused"] == {"samples": 16, "crops": 16}
    unused = (tmp_path / "unused.txt").read_text()
    assert summary["ids_sha256"]["unused"] == hashlib.sha256(unused.encode()).hexdigest()
    used = {row["id"] for part in found.values() for row in part}
    assert used | set(unused.splitlines()) == {row["id"] for row in rows}
    assert not used & set(unused.splitlines())
    as_val = half.model_copy(update={"selection": "val"})
    other, _ = write(tmp_path, "affectnet", options, rows, cropped(rows), as_val)
    assert found["test"] == other["test"]  # selection does not move the test


def test_the_part_is_recomputed_by_hand() -> None:
    rows = [sample(f"t{n}", "train", n % 3) for n in range(100)]
    by_hand = set()
    for label, count in enumerate((7, 7, 6)):  # 20 of 100: 6.8, 6.6 and 6.6
        ids = [row["id"] for row in rows if row["labels"] == [label]]
        ids.sort(key=lambda id: hashlib.sha256(f"3:holdout:{id}".encode()).digest())
        by_hand |= set(ids[:count])
    found = hold_out(rows)
    assert {id for id, name in found.items() if name == "val"} == by_hand
    assert hold_out(rows[::-1]) == found
    assert hold_out(rows, seed=4) != found


def test_either_identity_of_a_fake_keeps_it_together() -> None:
    """Fakes chain a_b, b_c: all of a chain goes to one side, whatever the order of the rows."""
    rows = []
    for chain in range(30):
        names = [f"{chain}-{k}" for k in range(4)]
        for a, b in itertools.pairwise(names):
            rows.append(sample(f"fake/{a}_{b}", "train", 1, groups=[b, a]))
        rows.append(sample(f"real/{names[0]}", "train", 0, groups=[names[0]]))
    order = np.random.default_rng(0).permutation(len(rows))
    found = hold_out([rows[i] for i in order])
    sides: dict[str, set[str]] = {}
    for row in rows:
        sides.setdefault(row["groups"][0].split("-")[0], set()).add(found[row["id"]])
    assert all(len(side) == 1 for side in sides.values())
    assert sum(side == {"val"} for side in sides.values()) == 6


def test_official_validation_set_of_other_data_sets_is_unused(tmp_path: Path) -> None:
    rows = ffpp_rows()
    for row in [row for row in rows if row["split"] == "train"]:
        groups = [f"1{name}" for name in row["groups"]]
        more = {"id": f"{row['id']}9", "groups": groups, "group": "1000_1003"}
        rows.append(row | more)
    half = RULES.model_copy(update={"holdout": 0.5})
    found, summary = write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows), half)
    assert summary["samples"] == {"train": 4, "val": 4, "test": 4}
    assert summary["unused"] == {"samples": 4, "crops": 4}
    assert len({row["group"] for row in found["val"]}) == 1
    assert {row["seed"] for row in found["train"]} == {3}


def test_a_group_that_is_all_of_train_stays_there_and_is_refused(tmp_path: Path) -> None:
    rows = ffpp_rows()
    with pytest.raises(DataError, match=r"val: 0 of 4 samples, and splits\.holdout 0\.2 asks"):
        write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows), RULES)


@pytest.mark.parametrize("selection", ["val", "train_holdout"])
def test_data_sets_that_are_only_tested_on_pass_through(tmp_path: Path, selection: str) -> None:
    rows = [row | {"split": "test", "groups": [row["id"]]} for row in ffpp_rows()]
    rules = RULES.model_copy(update={"selection": selection})
    options = trees.options_of_a_test_set("dfd", tmp_path)
    found, summary = write(tmp_path, "dfd", options, rows, cropped(rows), rules)
    assert [len(found[name]) for name in splits.NAMES] == [0, 0, 12]
    assert summary["samples"] == {"train": 0, "val": 0, "test": 12}
    assert summary["coverage"] == {"train": None, "val": None, "test": 1.0}
    assert summary["seed"] is None


def test_case_14_a_test_only_set_without_a_class_is_refused(tmp_path: Path) -> None:
    rows = [row | {"split": "test", "groups": [row["id"]]} for row in ffpp_rows()]
    rows = [row for row in rows if row["labels"] == [1]]
    options = trees.options_of_a_test_set("dfd", tmp_path)
    with pytest.raises(DataError, match=r"classes: 0 has no crop in test \(6 crops\)"):
        write(tmp_path, "dfd", options, rows, cropped(rows))
    with pytest.raises(DataError, match="split train is empty; split val is empty"):
        write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows))
