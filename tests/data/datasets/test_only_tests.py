"""Celeb-DF v2, DFDC and DeepFakeDetection: every row is a test, and 1 is fake."""

from pathlib import Path

import pytest
from helpers import trees
from helpers.reading import fails, read
from helpers.steps import steps

DATASETS = ("celebdf", "dfdc", "dfd")


def options(dataset: str, root: Path, **other):
    return trees.options_of_a_test_set(dataset, root, **other)


def test_celebdf_reads_the_list_alone_and_turns_its_labels(tmp_path: Path) -> None:
    root = trees.celebdf(tmp_path / "cd")
    assert (root / "Celeb-real/id9_0000.mp4").exists()  # not listed, so not read
    rows, rejects = read("celebdf", options("celebdf", root), tmp_path)
    found = {id: (row["labels"], row["groups"], row["group"]) for id, row in rows.items()}
    assert found == {
        "YouTube-real/00170": ([0], ["YouTube-real/00170"], "YouTube-real/00170"),
        "Celeb-real/id1_0007": ([0], ["id1"], "id1"),
        "Celeb-synthesis/id1_id0_0007": ([1], ["id1", "id0"], "id1"),
    }
    assert {row["split"] for row in rows.values()} == {"test"}
    assert rows["Celeb-real/id1_0007"]["path"] == "Celeb-real/id1_0007.mp4"
    assert rows["Celeb-synthesis/id1_id0_0007"]["subset"] == "Celeb-synthesis"
    assert rejects == []


@pytest.mark.parametrize(
    ("listed", "problem"),
    [
        ("0 Celeb-real/id1_0007.mp4", ":1: Celeb-real/id1_0007.mp4 has the label 0, but in this"),
        ("1 Celeb-synthesis/id1_id0_0007.mp4", ":1: Celeb-synthesis/id1_id0_0007.mp4 has the labe"),
        ("2 Celeb-real/id1_0007.mp4", "has the label 2, but in this list 1 is real and 0 is fake"),
        ("1 Youtube-real/00170.mp4", ":1: 'Youtube-real/00170.mp4' is no video of Celeb-real, You"),
        ("1 Celeb-real/id1_0007.avi", "'Celeb-real/id1_0007.avi' is no video of"),
        ("1 Celeb-real/../../x.mp4", ":1: 'Celeb-real/../../x.mp4' is not a path below the data"),
        ("1 /etc/x.mp4", ":1: '/etc/x.mp4' is not a path below the data root"),
        ("Celeb-real/id1_0007.mp4", ":1: has 1 field; expected are 2: <1 real | 0 fake> <fold"),
    ],
)
def test_celebdf_lists_that_are_wrong(tmp_path: Path, listed: str, problem: str) -> None:
    root = trees.celebdf(tmp_path / "cd")
    (root / "List_of_testing_videos.txt").write_text(f"{listed}\n")
    assert problem in fails("celebdf", options("celebdf", root), tmp_path)


def test_dfdc_parts_and_their_originals(tmp_path: Path) -> None:
    rows, rejects = read("dfdc", options("dfdc", trees.dfdc(tmp_path / "dfdc")), tmp_path)
    assert list(rows) == [f"dfdc_train_part_{n}/{c}{name}" for n, c in enumerate(["", "c"])
                          for name in ("aaa", "bbb")]  # fmt: skip
    fake = rows["dfdc_train_part_0/aaa"]
    assert (fake["labels"], fake["group"], fake["groups"]) == ([1], "bbb", ["bbb"])
    assert fake["path"] == "dfdc_train_part_0/aaa.mp4"
    real = rows["dfdc_train_part_0/bbb"]
    assert (real["labels"], real["group"], real["split"]) == ([0], "bbb", "test")
    assert rejects == []


@pytest.mark.parametrize("place", [".", "dfdc_train_part_00/dfdc_train_part_0"])
def test_dfdc_one_part_or_one_folder_further_down(tmp_path: Path, place: str) -> None:
    root = trees.dfdc(tmp_path / "dfdc", {place: trees.DFDC})
    rows, _ = read("dfdc", options("dfdc", root), tmp_path)
    prefix = "" if place == "." else f"{place}/"
    assert [row["path"] for row in rows.values()] == [f"{prefix}aaa.mp4", f"{prefix}bbb.mp4"]


def test_dfdc_test_set_has_a_table_of_labels(tmp_path: Path) -> None:
    """It stands before metadata without labels; the videos may lie in a folder of their own."""
    root = trees.dfdc(tmp_path / "dfdc", {"test/videos": trees.DFDC})
    (root / "test/videos/metadata.json").rename(root / "test/metadata.json")
    (root / "test/metadata.json").write_text('{"aaa.mp4": {"augmentations": "none"}}')
    (root / "test/labels.csv").write_text("filename,label\naaa.mp4,1\nbbb.mp4,0\n")
    rows, _ = read("dfdc", options("dfdc", root), tmp_path)
    assert {id: row["labels"] for id, row in rows.items()} == {
        "test/videos/aaa": [1],
        "test/videos/bbb": [0],
    }


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"aaa.mp4": {"split": "test"}}', "aaa.mp4 has no label; known are REAL and FAKE"),
        ('{"aaa.mp4": {"label": "MAYBE"}}', "aaa.mp4 has the label 'MAYBE'"),
        ('{"aaa.mp4": {"label": 1}}', "aaa.mp4 has the label 1"),
        ('["aaa.mp4"]', 'is not {"<video>.mp4": {"label": "FAKE" or "REAL", ...}, ...}'),
        ('{"../a.mp4": {"label": "REAL"}}', "'../a.mp4' is not the plain name of a file"),
        ('{"a.mp4": {"label": "REAL"}, "a.mp4": {"label": "FAKE"}}', "two different entries 'a.mp"),
        ('{"aaa.mp4": {"label": "RE', "is not valid JSON"),
    ],
)
def test_dfdc_metadata_that_are_wrong(tmp_path: Path, content: str, problem: str) -> None:
    root = trees.dfdc(tmp_path / "dfdc", {"part": trees.DFDC})
    (root / "part/metadata.json").write_text(content)
    wrong = fails("dfdc", options("dfdc", root), tmp_path)
    assert wrong.startswith("dfdc/part/metadata.json: ")
    assert problem in wrong


def test_dfd_reads_what_stands_there(tmp_path: Path) -> None:
    root = trees.dfd(tmp_path / "ff")
    (root / "original_sequences/actors/c23/videos/.DS_Store").touch()
    rows, rejects = read("dfd", options("dfd", root), tmp_path)
    found = {id: (row["labels"], row["groups"], row["group"]) for id, row in rows.items()}
    assert found == {
        "DeepFakeDetection/c23/01_02__exit_phone_room__YVGY8LOK": ([1], ["01", "02"], "01"),
        "actors/c23/01__exit_phone_room": ([0], ["01"], "01"),
        "actors/c23/02__exit_phone_room": ([0], ["02"], "02"),
    }
    assert {row["split"] for row in rows.values()} == {"test"}
    assert rejects == []


def test_dfd_names_are_those_of_the_release(tmp_path: Path) -> None:
    root = trees.dfd(tmp_path / "ff")
    folder = root / "original_sequences/actors/c23/videos"
    (folder / "01__exit_phone_room.mp4").rename(folder / "first.mp4")
    wrong = fails("dfd", options("dfd", root), tmp_path)
    assert "actors/c23/videos/first.mp4: is not named as the release names its videos" in wrong


@pytest.mark.parametrize("dataset", DATASETS)
def test_from_raw_videos_to_splits(tmp_path: Path, dataset: str) -> None:
    root = {"celebdf": trees.celebdf, "dfdc": trees.dfdc, "dfd": trees.dfd}[dataset](
        tmp_path / "raw", moving=True
    )
    found = steps(tmp_path, dataset, options(dataset, root))
    assert found["faces"] == found["texture"] == found["splits"] == sorted(found["manifest"] * 2)
    ids = (tmp_path / "test.txt").read_text().splitlines()
    assert ids == found["manifest"]
    assert (tmp_path / "train.txt").read_text() == (tmp_path / "val.txt").read_text() == ""


def test_a_listed_video_that_is_absent_is_rejected(tmp_path: Path) -> None:
    for dataset, make, gone in (
        ("celebdf", trees.celebdf, "Celeb-real/id1_0007.mp4"),
        ("dfdc", trees.dfdc, "dfdc_train_part_0/aaa.mp4"),
    ):
        root = make(tmp_path / dataset)
        (root / gone).unlink()
        assert "1 of " in fails(dataset, options(dataset, root), tmp_path)
        _, rejects = read(dataset, options(dataset, root, rejects_limit=0.5), tmp_path)
        assert [(row["path"], row["reason"]) for row in rejects] == [(gone, "missing")]
        assert rejects[0]["id"] + ".mp4" == gone
