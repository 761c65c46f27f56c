"""AffectNet: the CSV release, class folders, and which layout stands in a tree."""

from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from helpers.reading import fails, read
from helpers.steps import steps
from PIL import Image

from lssat.data.datasets.affectnet import folders
from lssat.data.faces.crop import crop, square
from lssat.grid import labels
from lssat.tables import FACES, read_table

ROWS = {
    "train": [
        ("689/737db24834.jpg", trees.BOX, "1"),
        ("000003/NA.jpg", "-4,-2,150,150", "0"),
        ("1/a.JPG", "NULL,NULL,NULL,NULL", "3"),
        ("1/b.jpg", "21,21,-1,-1", "6"),
        ("1/c.jpg", "NULL,NULL,NULL,NULL", "10"),
    ],
    "val": [("nan/null.png", trees.BOX, "7"), ("689/z.jpg", trees.BOX, "8")],
}


def options(root: Path, **other):
    return trees.affectnet_options(root, **{"rejects_limit": 0.5, **other})


def test_csv_rows_and_rejects(tmp_path: Path) -> None:
    root = trees.affectnet_csv(tmp_path / "an", ROWS)
    rows, rejects = read("affectnet", options(root), tmp_path)
    found = {
        id: (row["labels"], row["split"], row["box"], row["group"]) for id, row in rows.items()
    }
    assert found == {
        "train/000003/NA.jpg": ([0], "train", [-4, -2, 150, 150], "000003/NA.jpg"),
        "train/689/737db24834.jpg": ([1], "train", [21, 21, 150, 150], "689/737db24834.jpg"),
        "val/nan/null.png": ([7], "val", [21, 21, 150, 150], "nan/null.png"),
    }
    path = "Manually_Annotated_Images/689/737db24834.jpg"
    assert rows["train/689/737db24834.jpg"]["path"] == path
    assert [(row["id"], row["reason"], row["detail"]) for row in rejects] == [
        ("train/1/a.JPG", "no_face", "box NULL,NULL,NULL,NULL"),
        ("train/1/b.jpg", "no_face", "box 21,21,-1,-1"),
        ("train/1/c.jpg", "excluded_class", "expression 10 No-Face"),
        ("val/689/z.jpg", "excluded_class", "expression 8 None"),
    ]


def test_csv_of_7_classes_drops_contempt(tmp_path: Path) -> None:
    root = trees.affectnet_csv(tmp_path / "an", ROWS)
    rows, rejects = read("affectnet", options(root, classes=7), tmp_path)
    assert all(row["split"] == "train" for row in rows.values())
    assert ("val/nan/null.png", "expression 7 Contempt") in [
        (row["id"], row["detail"]) for row in rejects
    ]


@pytest.mark.parametrize("folder", ["Manually_Annotated_file_lists", "Manually_Annotated"])
def test_csv_lists_and_images_may_lie_as_in_the_release(tmp_path: Path, folder: str) -> None:
    root = trees.affectnet_csv(tmp_path / "an", ROWS)
    (root / folder).mkdir()
    moved = ["training.csv", "validation.csv"]
    if folder == "Manually_Annotated":
        moved.append("Manually_Annotated_Images")
    for name in moved:
        (root / name).rename(root / folder / name)
    rows, _ = read("affectnet", options(root), tmp_path)
    assert len(rows) == 3
    assert all((root / row["path"]).exists() for row in rows.values())


@pytest.mark.parametrize("name", ["training.csv", "validation.csv"])
def test_csv_without_a_header_is_read_by_position(tmp_path: Path, name: str) -> None:
    root = trees.affectnet_csv(tmp_path / "an", ROWS)
    with_header, _ = read("affectnet", options(root), tmp_path)
    lines = (root / name).read_text().splitlines(keepends=True)
    (root / name).write_text("".join(lines[1:]))
    assert read("affectnet", options(root), tmp_path)[0] == with_header


def test_csv_one_file_in_both_lists_is_one_face_in_two_splits(tmp_path: Path) -> None:
    rows = {split: [(f"{split}/{n}.jpg", trees.BOX, str(n)) for n in range(8)]
            for split in ("train", "val")}  # fmt: skip
    rows["val"] += [(f"val/{n}b.jpg", trees.BOX, str(n)) for n in range(8)]
    rows["val"].append(("train/0.jpg", trees.BOX, "0"))
    root = trees.affectnet_csv(tmp_path / "an", rows)
    with pytest.raises(Exception, match=r"1 identities stand in two splits: train/0.jpg"):
        steps(tmp_path, "affectnet", options(root))


def test_csv_from_raw_to_splits_crops_the_given_box_with_its_margin(tmp_path: Path) -> None:
    rows = {split: [(f"{split}/{n}.jpg", trees.BOX, str(n % 8)) for n in range(16)]
            for split in ("train", "val")}  # fmt: skip
    root = trees.affectnet_csv(tmp_path / "an", rows)
    found = steps(tmp_path, "affectnet", options(root, rejects_limit=0.0))
    assert len(found["splits"]) == 32
    first = read_table(tmp_path / "s.parquet", FACES).slice(0, 1).to_pylist()[0]
    left, top, side = square(np.array([21, 21, 171, 171]), trees.FACES.margin)
    assert side == 195  # 1.3 times 150
    assert first["box"] == [left, top, left + side, top + side]
    frame = np.asarray(Image.open(root / "Manually_Annotated_Images/train/0.jpg"))
    crops = np.load(tmp_path / "s.npy")
    np.testing.assert_array_equal(crops[0], crop(frame, left, top, side, 32))


def test_folders_of_codes_or_names(tmp_path: Path) -> None:
    numbers = trees.affectnet_folders(tmp_path / "a", [str(code) for code in range(8)])
    rows, _ = read("affectnet", options(numbers), tmp_path)
    assert [row["labels"] for id, row in rows.items() if id.startswith("train/")] == [
        [code] for code in range(8)
    ]
    assert rows["val/3/image0000000.jpg"]["path"] == "val/3/image0000000.jpg"
    named = trees.affectnet_folders(tmp_path / "b", ["happy", "Surprised", "ANGRY", "None"])
    (named / "val/happy/.DS_Store").touch()
    rows, rejects = read("affectnet", options(named), tmp_path)
    assert {id.split("/")[1]: row["labels"] for id, row in rows.items()} == {
        **{"happy": [1], "Surprised": [3], "ANGRY": [6]},
    }
    assert [row["detail"] for row in rejects] == ["expression 8 None"] * 2


def test_folders_know_every_class() -> None:
    assert {folders.KNOWN[name.lower()] for name in labels.EMOTIONS} == set("01234567")
    assert folders.KNOWN["surprised"] == folders.KNOWN["surprise"] == "3"
    assert folders.KNOWN["angry"] == "6"
    assert folders.KNOWN["fear"] == folders.KNOWN["fearful"] == "4"


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        (
            ["Hapy", "sad"],
            "an/train: 'Hapy' is the name of no class of AffectNet. Rename it; ",
        ),
        (["11"], "'11' is the name of no class"),
        (["sad", "Sadness"], "'Sadness' and 'sad' are both class 2 Sad"),
        (["0", "happy"], "has codes and names of classes: 0, happy"),
    ],
)
def test_folders_that_are_no_classes(tmp_path: Path, classes: list[str], problem: str) -> None:
    root = trees.affectnet_folders(tmp_path / "an", classes)
    assert problem in fails("affectnet", options(root), tmp_path)


def test_folders_have_no_test_set(tmp_path: Path) -> None:
    root = trees.affectnet_folders(tmp_path / "an", ["0", "1"])
    (root / "test").mkdir()
    assert "has a folder test, which AffectNet has not" in fails(
        "affectnet", options(root), tmp_path
    )


def test_folders_from_raw_to_splits(tmp_path: Path) -> None:
    root = trees.affectnet_folders(tmp_path / "an", [str(code) for code in range(8)], each=2)
    found = steps(tmp_path, "affectnet", options(root))
    assert len(found["splits"]) == 32


def test_the_layout_is_told_by_the_tree_or_pinned(tmp_path: Path) -> None:
    root = trees.affectnet_csv(tmp_path / "an", ROWS)
    trees.affectnet_folders(root, ["0", "1"])
    wrong = fails("affectnet", options(root), tmp_path)
    assert "an: holds the layouts csv and folders. Say which one: datasets.affectnet.lay" in wrong
    rows, _ = read("affectnet", options(root, layout="folders"), tmp_path)
    assert next(iter(rows)) == "train/0/image0000000.jpg"
    rows, _ = read("affectnet", options(root, layout="csv"), tmp_path)
    assert len(rows) == 3
    wrong = fails("affectnet", options(root, layout="npy"), tmp_path)
    assert "train_set/images: does not exist; it is a folder of the npy release" in wrong
    (tmp_path / "empty").mkdir()
    wrong = fails("affectnet", options(tmp_path / "empty"), tmp_path)
    assert "is in none of AffectNet's layouts: csv (Manually_Annotated_Images" in wrong
    assert "datasets.affectnet.root" in wrong
