"""Leaks across data sets: what the runs of a task have seen is not in what they are tested on."""

from pathlib import Path

import numpy as np
import pytest
from helpers.audited import OPTIONS, Drawn, bits
from helpers.splits import sample

from lssat.data.audit import across, crops
from lssat.tables import FACES, DataError, read_json, read_table
from lssat.tables.project import Splits


def sets(folder: Path, home: dict[tuple[str, int], tuple], away: dict) -> tuple[Drawn, Drawn]:
    """A task and a data set that is only tested on: (id, frame) -> sha256 and phash.

    The ids of the task begin with their split.
    """
    made = []
    for name, hashes in (("home", home), ("away", away)):
        (folder / name).mkdir()
        ids = dict.fromkeys(id for id, _ in hashes)
        rows = [sample(id, id.split("/")[0] if name == "home" else "test", 0) for id in ids]
        made.append(Drawn(folder / name, rows, hashes))
    return made[0], made[1]


def run(folder: Path, home: Drawn, away: Drawn, options=OPTIONS) -> tuple[list[dict], dict]:
    out, table = folder / "o.json", folder / "o.parquet"
    trained = "ffpp", home.faces, Splits(home.folder).tables
    tested = "celebdf", away.faces, Splits(away.folder).tables
    across.across(trained, tested, options, out, table)
    return read_table(table, crops.FINDINGS).to_pylist(), read_json(out)


FAR = 0xFFFF
HOME = {("train/0", 0): ("a", 0), ("val/0", 0): ("b", FAR), ("test/0", 0): ("c", FAR << 16)}


def test_sets_without_a_common_crop_pass(tmp_path: Path, capsys) -> None:
    home, away = sets(tmp_path, HOME, {("x", 0): ("d", FAR << 32), ("y", 0): ("e", FAR << 48)})
    found, told = run(tmp_path, home, away)
    assert found == []
    assert told == {
        "task": "ffpp", "dataset": "celebdf", "crops": {"ffpp": 2, "celebdf": 2}, "of": 2,
        "duplicate": 0, "near_duplicate": 0, "near_distance": 4, "near_limit": 0.5,
    }  # fmt: skip
    assert "0 pairs of samples share a crop between ffpp (train and val) and celebdf; 0 of 2" in (
        capsys.readouterr().out
    )


def test_a_crop_of_the_tasks_own_test_is_no_leak(tmp_path: Path) -> None:
    home, away = sets(tmp_path, HOME, {("x", 0): ("c", FAR << 16)})
    assert run(tmp_path, home, away)[0] == []


@pytest.mark.parametrize("split", across.SEEN)
def test_case_13_a_crop_that_a_run_has_seen_is_refused(tmp_path: Path, split: str) -> None:
    same = HOME[f"{split}/0", 0][0]
    away = {("x", 3): (same, FAR << 32), ("x", 5): (same, FAR << 32), ("y", 0): ("e", FAR << 48)}
    home, other = sets(tmp_path, HOME, away)
    with pytest.raises(DataError) as caught:
        run(tmp_path, home, other)
    assert str(caught.value) == (
        f"{tmp_path}/o.parquet: 1 pair of samples shares a crop between ffpp (train and val) and "
        f"celebdf; 0 of 2 samples of celebdf look like one of ffpp (within 4 of 64 bits): "
        f"{split}/0 (ffpp {split}) and x. "
        "Take them out of celebdf: a run that has seen them is not tested there."
    )
    (row,) = read_table(tmp_path / "o.parquet", crops.FINDINGS).to_pylist()
    assert (row["split"], row["other_split"]) == ("celebdf test", f"ffpp {split}")
    assert not (tmp_path / "o.json").exists()


@pytest.mark.parametrize("seed", range(3))
def test_findings_are_those_of_all_pairs(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def drawn(names: list[str], start: int) -> dict:
        # hashes of 12 bits: near ones are common
        return {
            (name, frame): (f"{start + 2 * n + frame}", int(rng.integers(0, 1 << 12)))
            for n, name in enumerate(names)
            for frame in range(2)
        }

    home = drawn([f"{split}/{n}" for split in crops.NAMES for n in range(6)], 0)
    away = drawn([f"x{n}" for n in range(12)], 1000)
    options = OPTIONS.model_copy(update={"near_distance": 2, "near_limit": 1.0})
    found, told = run(tmp_path, *sets(tmp_path, home, away), options)
    seen = [phash for (id, _), (_, phash) in home.items() if not id.startswith("test")]
    wanted = {}
    for (id, _), (_, phash) in away.items():
        least = min(bits(phash, other) for other in seen)
        if least <= 2:
            wanted[id] = min(wanted.get(id, 64), least)
    assert {row["id"]: row["distance"] for row in found} == wanted
    assert told["near_duplicate"] == len(wanted) > 0


def test_too_many_lookalikes_stop_the_run(tmp_path: Path) -> None:
    home, away = sets(tmp_path, HOME, {("x", 0): ("d", 1), ("y", 0): ("e", FAR << 48)})
    strict = OPTIONS.model_copy(update={"near_limit": 0.4})
    with pytest.raises(DataError, match=r"1 of 2 samples of celebdf look like .*; the limit is 40"):
        run(tmp_path, home, away, strict)
    assert len(run(tmp_path, home, away)[0]) == 1
    assert read_table(home.faces[0], FACES).num_rows > 0
