"""Lists and archives in forms that no release has: one message, the same of doctor and manifest."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import own, sick, trees
from helpers.reading import fails, read

from lssat.data import doctor, faces
from lssat.data.datasets import lists
from lssat.tables import REJECTS, DataError, read_table

Edit = Callable[[Path], object]


def changed(name: str, change: Callable[[bytes], bytes]) -> Edit:
    def edit(root: Path) -> None:
        (file,) = root.rglob(name)
        file.write_bytes(change(file.read_bytes()))

    return edit


def replaced(name: str, old: str, new: str) -> Edit:
    def change(data: bytes) -> bytes:
        assert old.encode() in data
        return data.replace(old.encode(), new.encode())

    return changed(name, change)


def make(dataset: str, root: Path):
    """Return the options of a small whole tree."""
    if dataset == "csv":
        rows = {"train": [("1/a.jpg", trees.BOX, "1"), ("1/b.jpg", trees.BOX, "2")]}
        rows["val"] = [("2/c.jpg", trees.BOX, "3"), ("2/d.jpg", trees.BOX, "4")]
        return trees.affectnet_options(trees.affectnet_csv(root, rows))
    if dataset in ("celebdf", "dfdc"):
        return trees.options_of_a_test_set(dataset, getattr(trees, dataset)(root))
    return sick.OPTIONS[dataset](sick.MAKE[dataset](root))


PEOPLE = "identity_CelebA.txt"
LONG = "9" * 5000  # digits, of which Python reads 4,300
WRONG = [
    # lines that end as on the Macs of old, in lists without commas too
    *((data, name, changed(name, lambda text: text.replace(b"\n", b"\r")),
       f"{name}:1: has lines that end in carriage returns alone. Save it with line feeds")
      for data, name in (("celeba", "list_attr_celeba.txt"), ("celeba", "identity_CelebA.txt"),
                         ("celeba", "list_eval_partition.txt"),
                         ("celebdf", "List_of_testing_videos.txt"))),
    # another separator, as of Kaggle's copies
    *((data, name, replaced(name, " ", between),
       f"{name}:1: is separated by {words}; expected are blanks: {columns}")
      for data, name, columns in (
          ("celeba", "list_eval_partition.txt", "file partition"),
          ("celeba", "identity_CelebA.txt", "file identity"),
          ("celebdf", "List_of_testing_videos.txt", "<1 real | 0 fake> <folder>/<video>.mp4"))
      for between, words in ((",", "commas"), (";", "semicolons"))),
    # UTF-16 without its mark is UTF-8 with zeros
    *((data, name, changed(name, lambda text: text.decode().encode("utf-16-le")),
       f"{name}:1: holds bytes that are 0, as UTF-16 does, and is not UTF-8 text")
      for data, name in (("celeba", "list_eval_partition.txt"), ("csv", "training.csv"),
                         ("celebdf", "List_of_testing_videos.txt"), ("ffpp", "val.json"))),
    # numbers that are none, or one number in two spellings
    ("celeba", "list_attr_celeba.txt", replaced("list_attr_celeba.txt", "10\n", f"{LONG}\n"),
     "list_attr_celeba.txt:1: begins with '9999"),
    ("celeba", "list_attr_celeba.txt", replaced("list_attr_celeba.txt", "10\n", "٦\n"),
     "list_attr_celeba.txt:1: begins with '٦', not with a count"),
    *(("celeba", PEOPLE, replaced(PEOPLE, "002.jpg 1", f"002.jpg {one}"),
       f"identity_CelebA.txt:2: the identity of 000002.jpg is {one}, and 1 above: one number. "
       "Write it in one way") for one in ("01", "+1", "1.0")),
    *(("csv", "training.csv", replaced("training.csv", ",1,-0.0", f",{code},-0.0"),
       f"raw: expression codes that the release does not have: {shown} (1 times); "
       "first: training.csv:2") for code, shown in (("", "''"), (" 1", "' 1'"), ("１", "１"))),
    *(("csv", "training.csv", replaced("training.csv", "1/a.jpg,21", f"1/a.jpg,{one}"),
       f"training.csv:2: box {one},21,150,150 is not of numbers") for one in ("1_0", "１", "0x9")),
    # JSON that no parser follows, names that no disk holds
    ("ffpp", "train.json", changed("train.json", lambda _: b"[" * 100_000),
     "train.json: is not valid JSON ("),
    ("dfdc", "metadata.json",
     lambda root: (root / "dfdc_train_part_0/metadata.json").write_text(
         json.dumps({"\ud800.mp4": {"label": "REAL"}})), "has a name that is not UTF-8"),
    # a link whose file was never fetched
    ("celeba", "identity_CelebA.txt",
     lambda root: ((root / "identity_CelebA.txt").unlink(),
                   (root / "identity_CelebA.txt").symlink_to("away")),
     "identity_CelebA.txt: is a link that leads to nothing; it is the official list of identities. "
     "Fetch the file that it stands for (git-annex and DataLad: `get`)"),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "name", "edit", "said"), WRONG)
def test_a_list_in_another_form_is_one_message_of_doctor_and_manifest(
    tmp_path: Path, dataset: str, name: str, edit: Edit, said: str
) -> None:
    options = make(dataset, tmp_path / "raw")
    edit(tmp_path / "raw")
    known = "affectnet" if dataset == "csv" else dataset
    told = fails(known, options, tmp_path)
    assert said in told
    assert told.endswith(".")
    assert not told.endswith("..")
    assert doctor.inspect(known, options).number("error")


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7.0), (" -1.5 ", -1.5), ("+.5e1", 5.0), ("3.", 3.0), ("1_0", None), ("１", None),
     ("nan", None), ("inf", None), ("", None), ("0x1", None), ("1e999", None), ("1e-300", 1e-300),
     ("1,5", None)],
)  # fmt: skip
def test_a_number_of_a_list_is_decimal_and_finite(text: str, value: float | None) -> None:
    assert lists.number(text) == value


@pytest.mark.parametrize("x", ["1_0", "１", "nan", "1e999"])
def test_a_box_of_ones_own_list_is_of_decimal_numbers(tmp_path: Path, x: str) -> None:
    rows = [f"{name}.jpg,{name > 'b'},{x},1,9,9" for name in "abcd"]
    own.listed(tmp_path / "raw", "path,label,x,y,width,height", rows)
    options = own.options(tmp_path / "raw", csv="list.csv", faces="box")
    said = f"raw/list.csv:2: x is {x!r}, not a number of pixels. Correct it."
    assert fails("mine", options, tmp_path) == said


def test_one_path_in_two_spellings_is_one_video(tmp_path: Path) -> None:
    """In the list of Celeb-DF as in others."""
    listed = trees.CELEBDF + trees.CELEBDF.replace(" ", " ./", 1)
    root = trees.celebdf(tmp_path / "raw")
    (root / "List_of_testing_videos.txt").write_text(listed)
    rows, lost = read("celebdf", trees.options_of_a_test_set("celebdf", root), tmp_path)
    assert sorted(rows) == [
        "Celeb-real/id1_0007",
        "Celeb-synthesis/id1_id0_0007",
        "YouTube-real/00170",
    ]
    assert {row["reason"] for row in lost} == {"duplicate"}
    assert len(lost) == 3


def test_a_part_of_dfdc_that_lies_there_twice_counts_once(tmp_path: Path) -> None:
    root = trees.dfdc(tmp_path / "raw")
    options = trees.options_of_a_test_set("dfdc", root)
    whole, _ = read("dfdc", options, tmp_path)
    shutil.copytree(root / "dfdc_train_part_0", root / "part_0 (1)")
    rows, lost = read("dfdc", options, tmp_path)
    assert rows == whole
    assert [(row["id"], row["reason"], row["detail"]) for row in lost] == [
        ("part_0 (1)/aaa", "duplicate", "also dfdc_train_part_0/aaa.mp4"),
        ("part_0 (1)/bbb", "duplicate", "also dfdc_train_part_0/bbb.mp4"),
    ]
    assert not doctor.inspect("dfdc", options).number("error")
    other = root / "part_0 (1)/metadata.json"
    other.write_text(other.read_text().replace("FAKE", "REAL"))
    said = "part_0 (1)/metadata.json: aaa.mp4 is REAL, and FAKE as dfdc_train_part_0/aaa.mp4."
    assert said in fails("dfdc", options, tmp_path)
    assert doctor.inspect("dfdc", options).number("error")


def packed(root: Path, change: Callable[[zipfile.ZipFile], object], before: bytes = b""):
    """CelebA whose zip was changed; its options."""
    trees.celeba(root, sick.NAMES, "0000001122", list("1123456789"), "zip")
    file = root / "img_align_celeba.zip"
    with zipfile.ZipFile(file, "a") as members:
        change(members)
    file.write_bytes(before + file.read_bytes())
    return trees.celeba_options(root)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_one_file_or_an_error(tmp_path: Path) -> None:
    """Zip readers take the last of them, others the first: neither is known to be right."""
    name = f"img_align_celeba/{sick.NAMES[0]}"
    options = packed(tmp_path / "raw", lambda zip_: zip_.writestr(name, zip_.read(name)))
    rows, lost = read("celeba", options, tmp_path)
    assert (len(rows), lost) == (10, [])
    options = packed(tmp_path / "other", lambda zip_: zip_.writestr(name, b"another"))
    said = f"img_align_celeba.zip: holds two different files {name!r}. Unpack it and keep the right"
    assert said in fails("celeba", options, tmp_path)
    assert said.split(". ")[0] in sick.said(doctor.inspect("celeba", options))[0]


def test_an_archive_that_does_not_begin_as_one_is_refused_by_all(tmp_path: Path) -> None:
    """Its beginning was lost or replaced; only the doctor saw it."""
    options = packed(tmp_path / "raw", lambda zip_: None, b"<html>quota</html>")
    said = "img_align_celeba.zip: is a web page"
    assert said in fails("celeba", options, tmp_path)
    assert doctor.inspect("celeba", options).number("error")
    options = packed(tmp_path / "other", lambda zip_: None, b"#!/bin/sh\nunzip me\n")
    said = "img_align_celeba.zip: is not a readable zip archive (first bytes b'#!/b')"
    assert said in fails("celeba", options, tmp_path)
    assert doctor.inspect("celeba", options).number("error")


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_whose_name_ends_as_an_archives_is_a_folder(tmp_path: Path, there: bool) -> None:
    rows = [f"x.zip!/{name}.jpg,{int(name > 'b')}" for name in "abcd"]
    own.listed(tmp_path / "raw", "path,label", rows, draw=there)
    more = {} if there else {"partial": True, "rejects_limit": 1.0}
    options = own.options(tmp_path / "raw", csv="list.csv", kind="binary", positive="1", **more)
    found, lost = read("mine", options, tmp_path)
    assert len(found) == (4 if there else 0)
    assert [row["reason"] for row in lost] == ([] if there else ["missing"] * 4)
    assert not doctor.inspect("mine", options, deep=True).number("error")


def test_system_files_are_no_samples_of_the_npy_release(tmp_path: Path) -> None:
    options = make("affectnet", tmp_path / "raw")
    whole, left_out = read("affectnet", options, tmp_path)
    for name in ("images/._7.jpg", "annotations/._7_exp.npy", "images/.x.jpg"):
        (tmp_path / "raw/train_set" / name).write_bytes(b"\0\5\26\7Mac OS X")
    assert read("affectnet", options, tmp_path) == (whole, left_out)
    inventory = doctor.inspect("affectnet", options)
    assert inventory.number("error") == 0
    assert inventory.number("warning")  # they lie there


def lost_by_faces(dataset: str, options, tmp_path: Path) -> list[tuple[str, str]]:
    read(dataset, options, tmp_path)
    to = tmp_path / "shard-00000.npy"
    table, rejects = to.with_suffix(".parquet"), to.with_suffix(".rejects.parquet")
    faces.crop_shard(
        tmp_path / "manifest.parquet", dataset, options, trees.FACES, 0, to, table, rejects
    )
    return [(row["id"], row["reason"]) for row in read_table(rejects, REJECTS).to_pylist()]


@pytest.mark.parametrize(("frames", "reason"), [(2, ""), (32, "short_video")])
def test_deep_asks_for_the_frames_that_the_faces_ask_for(
    tmp_path: Path, frames: int, reason: str
) -> None:
    """A video that was cut is used if it gives as many, and lost if it does not."""
    root = tmp_path / "raw"
    pictures = [trees.scene(n % 3, 21 + n % 4) for n in range(12)]
    trees.video(root / "a.mp4", pictures, movflags="faststart")
    data = (root / "a.mp4").read_bytes()
    (root / "a.mp4").write_bytes(data[: 2 * len(data) // 3])
    trees.video(root / "b.mp4", pictures)
    (root / "list.csv").write_text("path,label\na.mp4,0\nb.mp4,1\n")
    given = dict(csv="list.csv", faces="detect", frames=frames, kind="binary", positive="1")
    options = own.options(root, **given)
    assert lost_by_faces("mine", options, tmp_path) == ([("a.mp4", reason)] if reason else [])
    errors = sick.said(doctor.inspect("mine", options, deep=True))
    assert len(errors) == bool(reason)
    assert reason in "".join(errors)


def test_deep_holds_given_boxes_to_their_images(tmp_path: Path) -> None:
    rows = [f"{name}.jpg,{int(name > 'b')},1,1,40,40" for name in "abcd"]
    rows[1] = rows[1].replace("1,1,40,40", "500,1,40,40")
    root = own.listed(tmp_path / "raw", "path,label,x,y,width,height", rows)
    options = own.options(root, csv="list.csv", faces="box", kind="binary", positive="1")
    assert lost_by_faces("mine", options, tmp_path) == [("b.jpg", "no_face")]
    (error,) = sick.said(doctor.inspect("mine", options, deep=True))
    assert "no_face (the first: the box x 500, y 1, 40 x 40 lies outside of the image" in error


def test_a_message_of_several_ends_in_one_stop() -> None:
    joined = str(DataError.of("params.yaml", ["a: is wrong. Mend it.", "b: too. Mend it too."]))
    assert joined.endswith("b: too. Mend it too.")
    assert not joined.endswith("..")
