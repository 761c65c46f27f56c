"""Cases 13 and 14: nobody and no crop in two splits; every class and split has crops."""

from pathlib import Path

import pytest
from helpers.audited import Drawn, clean
from helpers.splits import affectnet_rows, cropped, sample, write
from helpers.trees import affectnet_options

from lssat.tables import DataError


def ffpp(tmp_path: Path, path: str, groups: list[str]) -> Drawn:
    """Two pairs in train and test, and a fake of the test whose path and groups are given."""
    rows = []
    for split, pair in (("train", ["000", "003"]), ("val", ["1", "2"]), ("test", ["4", "5"])):
        name = "_".join(pair)
        rows.append(sample(f"Deepfakes/c23/{name}", split, 1, groups=pair, path=f"{name}.mp4"))
        for one in pair:
            rows.append(sample(f"original/c23/{one}", split, 0, groups=[one], path=f"{one}.mp4"))
    rows.append(sample("Deepfakes/c23/5_4", "test", 1, groups=groups, path=path))
    rows = [row | {"dataset": "ffpp"} for row in rows]
    return Drawn(tmp_path, rows, {(row["id"], 0): (row["id"], 0) for row in rows})


@pytest.mark.parametrize("path", ["videos/5_003.mp4", "videos/003_5.mp4", "images/5_003"])
def test_case_13_silent_error_the_source_of_a_fake_leaks(tmp_path: Path, path: str) -> None:
    """A split that looks at the target only: the lists' groups know nothing of the source."""
    drawn = ffpp(tmp_path, path, ["5"])
    with pytest.raises(DataError) as caught:
        drawn.audit()
    assert str(caught.value) == (
        f"{tmp_path}/audit.parquet: 1 identity is in two splits: "
        "003: Deepfakes/c23/000_003 (train) and Deepfakes/c23/5_4 (test). "
        "Correct the release's lists or take the samples out; nothing is trained on a leak."
    )
    assert not (tmp_path / "audit.json").exists()


@pytest.mark.parametrize("groups", [["5", "003"], ["003", "5"]])
def test_case_13_either_group_of_a_fake_counts(tmp_path: Path, groups: list[str]) -> None:
    with pytest.raises(DataError, match=r"1 identity is in two splits: 003: Deepfakes/c23/000_003"):
        ffpp(tmp_path, "videos/5_4.mp4", groups).audit()


def test_case_13_a_sound_set_of_pairs_passes(tmp_path: Path) -> None:
    _, told = ffpp(tmp_path, "videos/5_4.mp4", ["5", "4"]).audit()
    assert told["identities"] == {"train": 2, "val": 2, "test": 2}
    assert told["identities_known"]


def test_case_13_one_crop_in_two_splits(tmp_path: Path) -> None:
    same = {("train/0", 5): ("f00d", 1), ("test/1", 0): ("f00d", 1)}
    drawn = clean(tmp_path, hashes=same)
    with pytest.raises(DataError) as caught:
        drawn.audit()
    assert str(caught.value) == (
        f"{tmp_path}/audit.parquet: 1 pair of samples in two splits shares a crop: "
        "f00d: train/0 (train) and test/1 (test). "
        "Correct the release's lists or take the samples out; nothing is trained on a leak."
    )


def test_case_13_many_leaks_are_counted_and_the_first_shown(tmp_path: Path) -> None:
    rows = [
        sample(f"{s}{n}", s, 0, groups=[f"{n:02}"]) for s in ("train", "test") for n in range(30)
    ]
    drawn = Drawn(tmp_path, rows, {(row["id"], 0): (row["id"], 0) for row in rows})
    with pytest.raises(
        DataError, match=r"30 identities are in two splits: 00: train0 .*; 10 more\. "
    ):
        drawn.audit()
    assert len(drawn.findings("audit")) == 30


def test_case_14_a_class_that_is_empty_after_rejects(tmp_path: Path) -> None:
    rows = affectnet_rows(2)
    kept = [row for row in rows if row["labels"] != [5] or row["split"] == "train"]
    options = affectnet_options(tmp_path, rejects_limit=0.5)
    with pytest.raises(DataError) as caught:
        write(tmp_path, "affectnet", options, rows, cropped(kept))
    assert str(caught.value) == (
        f"{tmp_path}/manifest.parquet: classes: 5 has no crop in val (7 crops); "
        "classes: 5 has no crop in test (7 crops). "
        "Add samples of them, or see in the tables of rejects where they were lost."
    )


def test_case_14_a_split_that_is_empty_after_rejects(tmp_path: Path) -> None:
    rows = affectnet_rows(2)
    kept = [row for row in rows if row["split"] == "val"]
    options = affectnet_options(tmp_path, rejects_limit=0.5)
    with pytest.raises(DataError, match=r"manifest\.parquet: split train is empty\. Add samples"):
        write(tmp_path, "affectnet", options, rows, cropped(kept))
