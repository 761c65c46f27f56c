"""FaceForensics++: both names of raw, both generations of folders, frames, shipped lists."""

import json
import shutil
from pathlib import Path

import pytest
from helpers import trees
from helpers.reading import fails, read
from helpers.steps import steps

from lssat.data.datasets import ffpp, lists

ONE = {"train": [["071", "054"]], "val": [], "test": []}


@pytest.mark.parametrize("asked", ["raw", "c0"])
@pytest.mark.parametrize("folder", ["raw", "c0"])
def test_raw_and_c0_are_one_compression(tmp_path: Path, asked: str, folder: str) -> None:
    root = trees.ffpp(tmp_path / "ff", ONE, compression=folder)
    rows, _ = read("ffpp", trees.ffpp_options(root, compression=asked), tmp_path)
    assert rows["original/raw/071"]["path"] == f"original_sequences/youtube/{folder}/videos/071.mp4"
    assert all(id.split("/")[1] == "raw" for id in rows)
    assert len(rows) == 6


def test_the_folder_that_is_asked_for_comes_first(tmp_path: Path) -> None:
    for folder in ("raw", "c0"):
        root = trees.ffpp(tmp_path / "ff", ONE, compression=folder)
    rows, _ = read("ffpp", trees.ffpp_options(root, compression="c0"), tmp_path)
    assert {row["path"].split("/")[-3] for row in rows.values()} == {"c0"}


def test_c23_is_never_read_for_raw(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "ff", ONE)
    wrong = fails("ffpp", trees.ffpp_options(root, compression="raw"), tmp_path)
    assert "ff/original_sequences/youtube/raw/videos: does not exist" in wrong


def test_first_generation_had_no_folder_youtube(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "ff", ONE)
    originals = root / "original_sequences"
    (originals / "youtube/c23").rename(originals / "c23")
    rows, _ = read("ffpp", trees.ffpp_options(root), tmp_path)
    assert rows["original/c23/071"]["path"] == "original_sequences/c23/videos/071.mp4"


def test_extracted_frames_are_read_as_videos(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "ff", ONE, kind="images")
    rows, rejects = read("ffpp", trees.ffpp_options(root), tmp_path)
    assert rejects == []
    fake = rows["Deepfakes/c23/054_071"]
    assert fake["path"] == "manipulated_sequences/Deepfakes/c23/images/054_071"
    assert {row["media"] for row in rows.values()} == {"frames"}


def test_videos_come_before_frames(tmp_path: Path) -> None:
    trees.ffpp(tmp_path / "ff", ONE, kind="images")
    root = trees.ffpp(tmp_path / "ff", ONE)
    rows, _ = read("ffpp", trees.ffpp_options(root), tmp_path)
    assert {row["media"] for row in rows.values()} == {"video"}


def test_reals_as_videos_and_fakes_as_frames_are_refused(tmp_path: Path) -> None:
    """A model could tell them apart by how they were stored."""
    root = trees.ffpp(tmp_path / "ff", ONE)
    folder = root / "manipulated_sequences/Deepfakes/c23"
    (folder / "videos").rename(folder / "images")
    wrong = fails("ffpp", trees.ffpp_options(root), tmp_path)
    assert "holds videos of some subsets and extracted frames of others" in wrong
    assert "videos: original, Face2Face; images: Deepfakes" in wrong


def test_the_shipped_lists_are_the_official_ones() -> None:
    shipped = lists.json_of(ffpp.SHIPPED)
    assert {split: len(shipped[split]) for split in ffpp.SPLITS} == ffpp.PAIRS
    named = [name for split in ffpp.SPLITS for pair in shipped[split] for name in pair]
    assert sorted(named) == [f"{number:03}" for number in range(1000)]
    # The first pairs of the authors' repository.
    assert [shipped[split][0] for split in ffpp.SPLITS] == [
        *(["071", "054"], ["720", "672"], ["953", "974"]),
    ]


def test_a_tree_without_lists_is_read_by_the_shipped_ones(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "ff", ONE)
    shutil.rmtree(root / "splits")
    rows, rejects = read("ffpp", trees.ffpp_options(root, rejects_limit=1.0), tmp_path)
    assert len(rows) == 6
    assert {row["split"] for row in rows.values()} == {"train"}
    expected = sum(ffpp.ORIGINALS.values()) * (1 + len(trees.METHODS))
    assert len(rows) + len(rejects) == expected
    assert {row["reason"] for row in rejects} == {"missing"}


def test_deepfakedetection_is_no_method_to_train_on(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "ff", ONE)
    wrong = fails("ffpp", trees.ffpp_options(root, methods=["DeepFakeDetection"]), tmp_path)
    assert "DeepFakeDetection has no official split and is only tested on" in wrong
    assert "datasets.dfd" in wrong


def test_a_source_in_another_split_is_found(tmp_path: Path) -> None:
    """The fake 003_001 would show 001 of the test split in training."""
    pairs = {"train": [["000", "003"], ["003", "001"]], "val": [], "test": [["001", "870"]]}
    root = trees.ffpp(tmp_path / "ff", pairs)
    wrong = fails("ffpp", trees.ffpp_options(root), tmp_path)
    assert "ids stand twice with different content" in wrong
    assert "original/c23/001" in wrong


@pytest.mark.slow
def test_from_frames_to_splits(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "ff", moving=True, kind="images")
    found = steps(tmp_path, "ffpp", trees.ffpp_options(root, methods=["Deepfakes"]))
    assert len(found["manifest"]) == 3 * 4
    assert found["faces"] == found["splits"] == sorted(found["manifest"] * 2)


def test_a_pair_listed_twice_is_a_duplicate(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "ff", ONE)
    (root / "splits/train.json").write_text(json.dumps(ONE["train"] * 2))
    rows, rejects = read("ffpp", trees.ffpp_options(root, rejects_limit=0.5), tmp_path)
    assert len(rows) == 6
    assert [row["reason"] for row in rejects] == ["duplicate"] * 6
