"""Cases 5 to 15 for a data set of one's own: every wrong row of a list is named by its line."""

from pathlib import Path

import pytest
from helpers import trees
from helpers.own import listed, options, prepare

from lssat.data import datasets
from lssat.tables import MANIFEST, REJECTS, DataError, read_table

HEADER = "path,label,split,group"
GOOD = [f"{n}.jpg,{'ab'[n % 2]},{('train', 'val', 'test')[n // 2]},g{n}" for n in range(6)]


def manifest(tmp_path: Path, rows: list[str], header: str = HEADER, **other) -> dict[str, list]:
    """Draw the good files, write a list, read it."""
    root = listed(tmp_path / "raw", HEADER, GOOD)
    (root / "list.csv").write_text("\n".join([header, *rows]) + "\n")
    own = options(root, csv="list.csv", **other)
    out, lost = tmp_path / "m.parquet", tmp_path / "r.parquet"
    datasets.manifest("mine", own, out, lost)
    return {
        "rows": read_table(out, MANIFEST).to_pylist(),
        "rejects": read_table(lost, REJECTS).to_pylist(),
    }


def message(tmp_path: Path, rows: list[str], header: str = HEADER, **other) -> str:
    with pytest.raises(DataError) as caught:
        manifest(tmp_path, rows, header, **other)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_case_05_no_root_and_no_list(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Set datasets\.mine\.root in params\.yaml"):
        datasets.task("mine", options(tmp_path / "none"))
    with pytest.raises(
        DataError, match=r"other\.csv: does not exist; it is the list of datasets\.m"
    ):
        datasets.task("mine", options(tmp_path, csv="other.csv"))


def test_case_06_a_web_page_in_place_of_the_list(tmp_path: Path) -> None:
    said = message(tmp_path, GOOD, "<!DOCTYPE html><html>")
    assert "raw/list.csv: is a web page (first bytes" in said


@pytest.mark.parametrize("path", ["../out.jpg", "/etc/passwd", "a/../../x.jpg", "a\\0.jpg"])
def test_case_08_a_path_that_leaves_the_root(tmp_path: Path, path: str) -> None:
    said = message(tmp_path, [*GOOD, f"{path},a,train,g9"])
    assert f"raw/list.csv:8: {path!r} is not a path below the data root" in said


def test_case_08_a_link_that_leaves_the_root(tmp_path: Path) -> None:
    trees.jpeg(tmp_path / "secret.jpg", trees.face(0))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/link.jpg").symlink_to(tmp_path / "secret.jpg")
    said = message(tmp_path, [*GOOD, "link.jpg,a,train,g9"])
    assert said.startswith("raw/link.jpg: leaves the data root, to ")
    for split in ("train", "val", "test"):
        trees.jpeg(tmp_path / "tree" / split / "a/1.jpg", trees.face(1))
        trees.jpeg(tmp_path / "tree" / split / "b/1.jpg", trees.face(2))
    (tmp_path / "tree/val/a/2.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(DataError, match=r"val/a/2\.jpg: is a link that leaves the data root"):
        datasets.task("mine", options(tmp_path / "tree"))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("6.jpg,a,train", "raw/list.csv:8: has 3 fields; expected are 4"),
        ("6.jpg,a,train,g,x", "raw/list.csv:8: has 5 fields; expected are 4"),
        ("6.jpg,a,dev,g", "raw/list.csv:8: the split is 'dev'. Write one of train, val, test"),
        ("6.jpg,a,,g", "raw/list.csv:8: the split is ''"),
        ("6.jpg,a,train,", "raw/list.csv:8: the group is empty"),
    ],
)
def test_case_09_a_wrong_row(tmp_path: Path, row: str, said: str) -> None:
    assert said in message(tmp_path, [*GOOD, row])


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("path;label;split;group", "has no column path; has no column label"),
        ("path,labl,split,group", "has no column label; has an unknown column 'labl'"),
        ("path,label,label,group", "names 'label' twice"),
    ],
)
def test_case_09_a_wrong_header(tmp_path: Path, header: str, said: str) -> None:
    found = message(tmp_path, GOOD, header)
    assert f"raw/list.csv:1: {said}" in found
    assert "Its columns are path, label, and if wanted split and group" in found


def test_case_09_not_utf8_and_not_a_number(tmp_path: Path) -> None:
    root = listed(tmp_path / "raw", HEADER, GOOD)
    (root / "list.csv").write_bytes(f"{HEADER}\n".encode() + b"caf\xe9.jpg,a,train,g\n")
    with pytest.raises(DataError, match=r"list\.csv:2: is not UTF-8 text"):
        datasets.task("mine", options(root, csv="list.csv"))
    header = "path,label,x,y,width,height"
    for value in ("wide", "nan", "inf"):
        said = message(tmp_path, [f"0.jpg,a,0,0,{value},9"], header, faces="box")
        assert f"raw/list.csv:2: width is {value!r}, not a number of pixels" in said


def test_case_10_a_path_twice(tmp_path: Path) -> None:
    found = manifest(tmp_path, [*GOOD, GOOD[0]], rejects_limit=0.2)
    assert [(row["id"], row["reason"]) for row in found["rejects"]] == [("0.jpg", "duplicate")]
    said = message(tmp_path, [*GOOD, "0.jpg,b,train,g0"])
    assert "1 ids stand twice with different content: 0.jpg" in said


def test_case_11_a_class_that_is_not_in_the_list_of_classes(tmp_path: Path) -> None:
    rows = [*GOOD, "6.jpg,B,train,g6", "7.jpg,B,train,g7"]
    said = message(tmp_path, rows, classes=["a", "b"])
    assert "raw/list.csv:8: classes that are not in datasets.mine.classes: 'B' (2 times)" in said
    assert "first: 6.jpg. Correct them (did you mean b?), or add them there." in said
    said = message(tmp_path, [*GOOD, "6.jpg,c,train,g6"], kind="binary", positive="b")
    assert "has 3 classes (a, b, c); a binary task has two, one of them 'b'" in said
    said = message(tmp_path, GOOD, kind="binary", positive="fake")
    assert "has 2 classes (a, b); a binary task has two, one of them 'fake'" in said


def test_case_11_an_attribute_is_0_or_1(tmp_path: Path) -> None:
    header = "path,smiling,young"
    said = message(tmp_path, ["0.jpg,1,0", "1.jpg,-1,1"], header, kind="multilabel")
    assert "raw/list.csv:3: smiling is '-1', not 0 or 1" in said
    said = message(tmp_path, ["0.jpg,1"], "path,smiling", kind="multilabel")
    assert "has less than two columns of attributes" in said


def test_case_12_ids_stay_text(tmp_path: Path) -> None:
    odd = ["000003.jpg", "NA.jpg", "nan.jpg", "1e5.jpg", "null.JPG", "-0.jpg"]
    rows = [f"{name},{GOOD[n].split(',', 1)[1]}" for n, name in enumerate(odd)]
    root = listed(tmp_path / "raw", HEADER, [row.replace(",g", ",0") for row in rows])
    at = prepare(tmp_path, options(root, csv="list.csv"))
    found = read_table(at["manifest"], MANIFEST).to_pylist()
    assert {row["id"] for row in found} == set(odd)
    assert {row["group"] for row in found} == {f"0{n}" for n in range(6)}


def test_case_13_a_group_in_two_splits(tmp_path: Path) -> None:
    rows = [row.replace("g5", "g0") for row in GOOD]
    root = listed(tmp_path / "raw", HEADER, rows)
    with pytest.raises(DataError, match=r"1 identities stand in two splits: g0 \(train and test\)"):
        prepare(tmp_path, options(root, csv="list.csv"))


def test_case_14_a_split_without_a_sample(tmp_path: Path) -> None:
    said = message(tmp_path, GOOD[:4])
    assert "list.csv: has samples in train, val, it needs all of train, val and test" in said
    said = message(tmp_path, GOOD, test_only=True)
    assert "has samples in test, train, val, it needs only test" in said


def test_case_15_a_listed_file_is_absent_or_of_another_kind(tmp_path: Path) -> None:
    rows = [*GOOD, "gone.jpg,a,train,g6", "list.csv,b,train,g7"]
    found = manifest(tmp_path, rows, rejects_limit=0.5)
    assert [(row["id"], row["reason"]) for row in found["rejects"]] == [
        ("gone.jpg", "missing"), ("list.csv", "format"),
    ]  # fmt: skip
    assert found["rejects"][1]["detail"] == (
        "is not an image that is read (JPEG, PNG, BMP, WebP) (first bytes b'path,label,split')"
    )
    said = message(tmp_path, rows)
    assert "manifest: 2 of 8 rejected (25.0 %, limit 0 %)" in said


def test_case_15_a_stray_file_or_folder_beside_the_classes(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    for split in ("train", "val", "test"):
        for name in "ab":
            trees.jpeg(root / split / name / "1.jpg", trees.face(1))
    (root / "train/.DS_Store").touch()
    assert datasets.task("mine", options(root)).classes == ("a", "b")
    (root / "train/a/more").mkdir()
    with pytest.raises(DataError, match="train/a/more: is a folder in the folder of a class"):
        datasets.task("mine", options(root))
    (root / "train/a/more").rmdir()
    (root / "train/notes.txt").touch()
    with pytest.raises(DataError, match=r"notes\.txt: is not in the folder of a class"):
        datasets.task("mine", options(root))
