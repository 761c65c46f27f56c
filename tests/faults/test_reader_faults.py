"""Cases 5 to 12, 15 and 16 for every reader: each bad tree is made here, and each is told apart."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from helpers.reading import fails, read
from helpers.steps import steps

from lssat.data.datasets import lists, tree
from lssat.tables import FACES, REJECTS, DataError, read_table

CODES = {"train": {"7": "7", "9": "3"}, "val": {"7": "7", "0": "2"}}
CSV = {
    "train": [("1/a.jpg", trees.BOX, "1"), ("1/b.jpg", trees.BOX, "2")],
    "val": [("2/c.jpg", trees.BOX, "3")],
}
NAMES = ["000001.jpg", "000002.jpg"]


def make(name: str, root: Path):
    """A tree of each layout; returns its data set and options."""
    if name == "ffpp":
        return "ffpp", trees.ffpp_options(trees.ffpp(root))
    if name in ("celeba", "celeba_zip"):
        form = "zip" if name == "celeba_zip" else "jpg"
        return "celeba", trees.celeba_options(trees.celeba(root, NAMES, "01", ["5", "6"], form))
    if name == "npy":
        return "affectnet", trees.affectnet_options(trees.affectnet(root, CODES))
    if name == "csv":
        return "affectnet", trees.affectnet_options(trees.affectnet_csv(root, CSV))
    if name == "folders":
        tree = trees.affectnet_folders(root, ["happy", "sad"])
        return "affectnet", trees.affectnet_options(tree)
    drawn = {"celebdf": trees.celebdf, "dfdc": trees.dfdc, "dfd": trees.dfd}[name](root)
    return name, trees.options_of_a_test_set(name, drawn)


EVERY = ["ffpp", "celeba", "celeba_zip", "npy", "csv", "folders", "celebdf", "dfdc", "dfd"]

# Each official file of each layout, and the words that say which one it is.
OFFICIAL = [
    ("ffpp", "splits/val.json", "official list of pairs"),
    ("ffpp", "manipulated_sequences/Face2Face/c23/videos", "release's folder of videos"),
    ("celeba", "list_attr_celeba.txt", "official list of attributes"),
    ("celeba", "list_eval_partition.txt", "official partition"),
    ("celeba", "identity_CelebA.txt", "official list of identities"),
    ("celeba_zip", "img_align_celeba.zip", "folder of aligned images"),
    ("npy", "val_set/images", "folder of the npy release"),
    ("csv", "training.csv", "official list of the split train of the CSV release"),
    ("csv", "validation.csv", "official list of the split val of the CSV release"),
    ("csv", "Manually_Annotated_Images", "folder of images of the CSV release"),
    ("folders", "val", "folder of the classes of AffectNet"),
    ("celebdf", "List_of_testing_videos.txt", "official list of testing videos"),
    ("celebdf", "Celeb-synthesis", "folder of videos of the release"),
    ("dfd", "original_sequences/actors/c23/videos", "release's folder of videos"),
]


@pytest.mark.parametrize(("name", "gone", "named"), OFFICIAL)
def test_case_05_an_absent_file_is_named_with_its_key(
    tmp_path: Path, name: str, gone: str, named: str
) -> None:
    dataset, options = make(name, tmp_path / "raw")
    (tmp_path / "raw" / gone).rename(tmp_path / "elsewhere")
    wrong = fails(dataset, options, tmp_path)
    assert named in wrong
    assert f"datasets.{dataset}.root in params.yaml" in wrong
    assert Path(gone).name in wrong


def test_case_05_dfdc_without_labels(tmp_path: Path) -> None:
    dataset, options = make("dfdc", tmp_path / "raw")
    for file in (tmp_path / "raw").rglob("metadata.json"):
        file.unlink()
    wrong = fails(dataset, options, tmp_path)
    assert wrong.startswith("raw: has no metadata.json and no labels.csv, the official labels,")
    assert "datasets.dfdc.root" in wrong


@pytest.mark.parametrize("name", EVERY)
def test_case_05_a_root_that_is_none(tmp_path: Path, name: str) -> None:
    dataset, options = make(name, tmp_path / "raw")
    gone = options.model_copy(update={"root": str(tmp_path / "gone")})
    wrong = fails(dataset, gone, tmp_path)
    assert wrong == (
        f"gone: the root of {dataset} is not a folder. Set datasets.{dataset}.root in params.yaml."
    )


LISTS = [
    ("ffpp", "splits/val.json"),
    ("celeba", "list_attr_celeba.txt"),
    ("celeba", "list_eval_partition.txt"),
    ("celeba", "identity_CelebA.txt"),
    ("celeba_zip", "img_align_celeba.zip"),
    ("csv", "training.csv"),
    ("csv", "validation.csv"),
    ("npy", "train_set/annotations/9_exp.npy"),
    ("celebdf", "List_of_testing_videos.txt"),
    ("dfdc", "dfdc_train_part_0/metadata.json"),
]
IMPOSTORS = [
    (b"<!DOCTYPE html><html><title>Google Drive - Quota exceeded", "is a web page (first bytes"),
    (b"\xef\xbb\xbf\n <HTML>\n", "is a web page (first bytes"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "is a Git LFS pointer (first"),
    (b"", "is an empty file"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "problem"), IMPOSTORS, ids=["page", "page2", "lfs", "empty"])
@pytest.mark.parametrize(("name", "file"), LISTS)
def test_case_06_impostors(
    tmp_path: Path, name: str, file: str, content: bytes, problem: str
) -> None:
    dataset, options = make(name, tmp_path / "raw")
    (tmp_path / "raw" / file).write_bytes(content)
    wrong = fails(dataset, options, tmp_path)
    assert wrong.startswith(f"raw/{file}: {problem}")
    assert "again." in wrong


def test_case_06_a_page_in_place_of_an_image(tmp_path: Path) -> None:
    """The manifest rejects it, with its first bytes: no hour is spent before."""
    root = trees.celeba(tmp_path / "raw", [f"{n}.jpg" for n in range(4)], "0012", list("5678"))
    (root / "img_align_celeba/1.jpg").write_bytes(b"<!DOCTYPE html><html>")
    _, rejected = read("celeba", trees.celeba_options(root, rejects_limit=0.5), tmp_path)
    assert [(row["id"], row["reason"]) for row in rejected] == [("1.jpg", "format")]
    assert "<!DOCTYPE html>" in rejected[0]["detail"]


def rejects_of_faces(tmp_path: Path, dataset: str, options) -> list[dict]:
    steps(tmp_path, dataset, options, rejected=1)
    return read_table(tmp_path / "s.rejects.parquet", REJECTS).to_pylist()


def test_case_07_short_list(tmp_path: Path) -> None:
    """CelebA's header tells; JSON is cut within; a cut CSV ends within a row."""
    dataset, options = make("celeba", tmp_path / "celeba")
    text = (tmp_path / "celeba/list_attr_celeba.txt").read_text()
    (tmp_path / "celeba/list_attr_celeba.txt").write_text(text[: text.index("000002.jpg")])
    assert "line 1 says 2 rows, 1 follow. The list was cut or edited; fetch it again" in fails(
        dataset, options, tmp_path
    )
    for name, file in (("ffpp", "splits/train.json"), ("dfdc", "dfdc_train_part_1/metadata.json")):
        dataset, options = make(name, tmp_path / name)
        whole = (tmp_path / name / file).read_text()
        (tmp_path / name / file).write_text(whole[: len(whole) // 2])
        wrong = fails(dataset, options, tmp_path)
        assert f"{name}/{file}: is not valid JSON" in wrong
        assert "It was cut or edited; fetch it again" in wrong
    dataset, options = make("csv", tmp_path / "csv")
    text = (tmp_path / "csv/training.csv").read_text()
    (tmp_path / "csv/training.csv").write_text(text[: text.rindex(";")])
    assert "csv/training.csv:3: has 6 fields; expected are 9: " in fails(dataset, options, tmp_path)


LEAVING = ["../x.jpg", "/etc/passwd", "1/../../x.jpg", "C:\\x.jpg"]


@pytest.mark.parametrize("path", LEAVING)
def test_case_08_rows_that_leave_the_root(tmp_path: Path, path: str) -> None:
    (tmp_path / "x.jpg").touch()
    dataset, options = make("csv", tmp_path / "csv")
    file = tmp_path / "csv/validation.csv"
    file.write_text(file.read_text().replace("2/c.jpg", path))
    wrong = fails(dataset, options, tmp_path)
    assert f"csv/validation.csv:2: {path!r} is not a path below the data root. Nothing ou" in wrong
    dataset, options = make("celeba", tmp_path / "celeba")
    for file in (tmp_path / "celeba").glob("*.txt"):
        file.write_text(file.read_text().replace("000002.jpg", path))
    wrong = fails(dataset, options, tmp_path)
    assert f"celeba/list_attr_celeba.txt:4: {path!r} is not the plain name of a file" in wrong


LINKED = [
    ("ffpp", "original_sequences/youtube/c23/videos/000.mp4"),
    ("celeba", "img_align_celeba/000001.jpg"),
    ("npy", "train_set/images/9.jpg"),
    ("csv", "Manually_Annotated_Images/1/a.jpg"),
    ("folders", "train/happy/image0000000.jpg"),
    ("celebdf", "Celeb-real/id1_0007.mp4"),
    ("dfdc", "dfdc_train_part_0/aaa.mp4"),
    ("dfd", "original_sequences/actors/c23/videos/01__exit_phone_room.mp4"),
]


@pytest.mark.parametrize(("name", "file"), LINKED)
def test_case_08_links_that_leave_the_root(tmp_path: Path, name: str, file: str) -> None:
    dataset, options = make(name, tmp_path / "raw")
    place = tmp_path / "raw" / file
    place.unlink()
    place.symlink_to("/etc/hostname")
    wrong = fails(dataset, options, tmp_path)
    assert f"raw/{file}: is a link that leaves the data root, to /etc/hostname" in wrong


def test_case_08_a_folder_of_a_row_that_leads_out(tmp_path: Path) -> None:
    dataset, options = make("csv", tmp_path / "raw")
    (tmp_path / "raw/Manually_Annotated_Images/2").rename(tmp_path / "outside")
    (tmp_path / "raw/Manually_Annotated_Images/2").symlink_to(tmp_path / "outside")
    wrong = fails(dataset, options, tmp_path)
    assert "raw/validation.csv:2: '2' is a link that leaves the data root, to outside" in wrong


def test_fault_f8_links_within_the_root_and_a_root_that_is_one_are_followed(
    tmp_path: Path,
) -> None:
    dataset, options = make("celeba", tmp_path / "raw")
    images = tmp_path / "raw/img_align_celeba"
    images.rename(tmp_path / "raw/store")
    images.symlink_to("store")
    (tmp_path / "raw/store/000001.jpg").rename(tmp_path / "raw/held.jpg")
    (tmp_path / "raw/store/000001.jpg").symlink_to(tmp_path / "raw/held.jpg")
    (tmp_path / "raw").rename(tmp_path / "disk")
    (tmp_path / "raw").symlink_to("disk")
    (tmp_path / "disk/store/again").symlink_to("..")
    rows, _ = read(dataset, options, tmp_path)
    assert list(rows) == NAMES


@pytest.mark.parametrize("what", ["img_align_celeba", "list_attr_celeba.txt"])
def test_fault_f8_an_official_folder_or_list_outside_of_the_root_is_refused(
    tmp_path: Path, what: str
) -> None:
    """The digest of the tree does not read there, so that an edit would go unnoticed."""
    dataset, options = make("celeba", tmp_path / "raw")
    place = next((tmp_path / "raw").rglob(what))
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    wrong = fails(dataset, options, tmp_path)
    assert f"{what}: is a link that leaves the data root, to elsewhere. Nothing outside" in wrong


def edit(file: Path, number: int, change) -> None:
    rows = file.read_bytes().split(b"\r\n")
    rows[number - 1] = change(rows[number - 1])
    file.write_bytes(b"\r\n".join(rows))


CHANGES = [
    (3, lambda row: row.rsplit(b",", 1)[0], ":3: has 8 fields; expected are 9: subDirectory_fileP"),
    (2, lambda row: row + b",1", ":2: has 10 fields; expected are 9: subDirectory_filePath,face_x"),
    (3, lambda row: row.replace(b"1/b", b"1/\xff"), ":3: is not UTF-8 text (byte 3 of the line i"),
    (1, lambda row: b"," + row, ":1: begins with ',subDirectory_filePath,face_x,face_y,face_wid"),
    (1, lambda row: row.replace(b"arousal", b"arous"), ":1: begins with 'subDirectory_filePath,"),
    (2, lambda row: row.replace(trees.BOX.encode(), b"21,x,1,1"), ":2: box 21,x,1,1 is not of num"),
]


@pytest.mark.parametrize(("line", "change", "problem"), CHANGES)
def test_case_09_rows_of_a_csv(tmp_path: Path, line: int, change, problem: str) -> None:
    dataset, options = make("csv", tmp_path / "raw")
    edit(tmp_path / "raw/training.csv", line, change)
    wrong = fails(dataset, options, tmp_path)
    assert wrong.startswith(f"raw/training.csv{problem}")


def test_case_09_one_extra_field_in_every_row(tmp_path: Path) -> None:
    """pandas makes the first column an index and shifts all others, without a word."""
    dataset, options = make("csv", tmp_path / "raw")
    for line in (2, 3):
        edit(tmp_path / "raw/training.csv", line, lambda row: row + b",")
    assert ":2: has 10 fields; expected are 9" in fails(dataset, options, tmp_path)


@pytest.mark.parametrize(("other", "name"), [(b";", "semicolons"), (b"\t", "tabs"), (b"|", "bars")])
def test_case_09_wrong_delimiter(tmp_path: Path, other: bytes, name: str) -> None:
    dataset, options = make("csv", tmp_path / "raw")
    file = tmp_path / "raw/validation.csv"
    file.write_bytes(file.read_bytes().replace(b";", b":").replace(b",", other))
    wrong = fails(dataset, options, tmp_path)
    assert f"raw/validation.csv:1: is separated by {name}; expected are commas: subDir" in wrong


def test_case_09_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    """Blank lines and a byte order mark shift nothing, and hide no row."""
    file = tmp_path / "x.csv"
    file.write_bytes(b"\xef\xbb\xbf\r\na,b\r\n\r\n000003,NA\r\n\r\nnan,\r\n\r\n")
    assert [*lists.csv(file, ["a", "b"])] == [(4, ["000003", "NA"]), (6, ["nan", ""])]
    file.write_bytes(file.read_bytes() + b"1,2,3\r\n")
    with pytest.raises(DataError, match=r"x.csv:8: has 3 fields; expected are 2: a,b"):
        list(lists.csv(file, ["a", "b"]))


@pytest.mark.parametrize("file", ["list_attr_celeba.txt", "identity_CelebA.txt"])
def test_case_09_lists_in_another_encoding(tmp_path: Path, file: str) -> None:
    dataset, options = make("celeba", tmp_path / "raw")
    text = (tmp_path / "raw" / file).read_text()
    (tmp_path / "raw" / file).write_bytes(text.replace("000002", "00000\u00e9").encode("latin-1"))
    wrong = fails(dataset, options, tmp_path)
    line = 1 + text[: text.index("000002")].count("\n")
    assert f"raw/{file}:{line}: is not UTF-8 text (byte 6 of the line is b'\\xe9')" in wrong


def test_case_10_the_same_row_twice(tmp_path: Path) -> None:
    dataset, options = make("csv", tmp_path / "csv")
    options = options.model_copy(update={"rejects_limit": 0.5})
    file = tmp_path / "csv/training.csv"
    file.write_text(file.read_text() + file.read_text().splitlines()[1] + "\n")
    rows, rejects = read(dataset, options, tmp_path)
    assert [(row["id"], row["reason"]) for row in rejects] == [("train/1/a.jpg", "duplicate")]
    assert len(rows) == 3
    (tmp_path / "csv/training.csv").write_text(
        file.read_text() + file.read_text().splitlines()[1].replace(",1,-0.0", ",2,-0.0") + "\n"
    )
    wrong = fails(dataset, options, tmp_path)
    assert "1 ids stand twice with different content: train/1/a.jpg. Keep the right row" in wrong


def test_case_10_celebdf_lists_a_video_twice(tmp_path: Path) -> None:
    dataset, options = make("celebdf", tmp_path / "cd")
    file = tmp_path / "cd/List_of_testing_videos.txt"
    file.write_text(file.read_text() + "1 Celeb-real/id1_0007.mp4\n")
    rows, rejects = read(dataset, options.model_copy(update={"rejects_limit": 0.5}), tmp_path)
    assert [(row["id"], row["reason"]) for row in rejects] == [("Celeb-real/id1_0007", "duplicate")]
    assert len(rows) == 3


@pytest.mark.parametrize("name", ["npy", "csv"])
def test_case_11_unknown_codes_are_counted_and_the_first_named(tmp_path: Path, name: str) -> None:
    dataset, options = make(name, tmp_path / "raw")
    if name == "npy":
        trees.affectnet(tmp_path / "raw", {"train": {"9": "11", "7": "11"}, "val": {"0": "x"}})
        first = "train/7, train/9, val/0"
    else:
        for split, line in (("training", 2), ("training", 3), ("validation", 2)):
            code = b",11,-0.0" if split == "training" else b",x,-0.0"
            edit(
                tmp_path / f"raw/{split}.csv",
                line,
                lambda row, code=code: row.rsplit(b",", 3)[0] + code + b"47619,0.2",
            )
        first = "training.csv:2, training.csv:3, validation.csv:2"
    wrong = fails(dataset, options, tmp_path)
    assert f"does not have: 11 (2 times), x (1 times); first: {first}. Codes are 0 to 7" in wrong


@pytest.mark.parametrize("code", ["8", "9", "10"])
def test_case_11_known_codes_that_are_excluded(tmp_path: Path, code: str) -> None:
    named = {"8": "None", "9": "Uncertain", "10": "No-Face"}[code]
    rows = {"train": [*CSV["train"], ("3/d.jpg", "NULL,NULL,NULL,NULL", code)], "val": CSV["val"]}
    root = trees.affectnet_csv(tmp_path / "an", rows)
    found, rejects = read("affectnet", trees.affectnet_options(root), tmp_path)
    assert [(row["id"], row["reason"], row["detail"]) for row in rejects] == [
        ("train/3/d.jpg", "excluded_class", f"expression {code} {named}")
    ]
    assert len(found) == 3


def test_case_12_ids_of_the_csv_release_stay_text(tmp_path: Path) -> None:
    odd = ["000003", "NA", "nan", "null", "1e5", "-0", "inf", "NULL"]
    rows = {
        split: [(f"{odd[n]}/{split}{k}.jpg", trees.BOX, str(n)) for n in range(8) for k in range(2)]
        for split in ("train", "val")
    }
    root = trees.affectnet_csv(tmp_path / "an", rows)
    found = steps(tmp_path, "affectnet", trees.affectnet_options(root))
    wanted = sorted(f"{split}/{path}" for split, each in rows.items() for path, _, _ in each)
    assert all(ids == wanted for ids in found.values())


@pytest.mark.parametrize(("name", "file"), LINKED)
def test_case_15_an_absent_file_is_missing(tmp_path: Path, name: str, file: str) -> None:
    """All but the layouts whose list is the folder itself."""
    dataset, options = make(name, tmp_path / "raw")
    before, _ = read(dataset, options, tmp_path)
    (tmp_path / "raw" / file).unlink()
    if name in ("folders", "dfd"):
        assert len(read(dataset, options, tmp_path)[0]) == len(before) - 1
        return
    assert "rejected (" in fails(dataset, options, tmp_path)
    rows, rejects = read(dataset, options.model_copy(update={"rejects_limit": 0.9}), tmp_path)
    assert [(row["path"], row["reason"]) for row in rejects] == [(file, "missing")]
    assert set(before) - set(rows) == {rejects[0]["id"]}


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that nobody may enter and write; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


@pytest.mark.parametrize("name", EVERY)
def test_case_16_a_read_only_tree_passes(open_to_all: Path, name: str) -> None:
    dataset, options = make(name, open_to_all / "raw")
    for path in [open_to_all / "raw", *(open_to_all / "raw").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat().st_mtime_ns for path in (open_to_all / "raw").rglob("*")}
    with trees.unprivileged():
        (open_to_all / "out").mkdir()
        rows, _ = read(dataset, options, open_to_all / "out")
    assert rows
    assert {path: path.stat().st_mtime_ns for path in (open_to_all / "raw").rglob("*")} == before
    for path in [open_to_all / "raw", *(open_to_all / "raw").rglob("*")]:
        path.chmod(0o777)


CLOSED = [
    ("ffpp", "splits/val.json", "splits/val.json"),
    ("ffpp", "splits", "splits"),
    ("ffpp", "manipulated_sequences/Face2Face/c23", "manipulated_sequences/Face2Face/c23"),
    ("celeba", "img_align_celeba", "img_align_celeba"),
    ("celeba", "identity_CelebA.txt", "identity_CelebA.txt"),
    ("celeba_zip", "img_align_celeba.zip", "img_align_celeba.zip"),
    ("npy", "train_set/annotations/9_exp.npy", "train_set/annotations/9_exp.npy"),
    ("csv", "Manually_Annotated_Images/2", "Manually_Annotated_Images/2"),
    ("csv", "validation.csv", "validation.csv"),
    ("folders", "train/sad", "train/sad"),
    ("celebdf", "Celeb-real", "Celeb-real"),
    ("dfdc", "dfdc_train_part_1", "dfdc_train_part_1"),
    ("dfd", "original_sequences", "original_sequences"),
]


@pytest.mark.parametrize(("name", "closed", "named"), CLOSED)
def test_case_16_what_may_not_be_read_is_named_with_its_owner(
    open_to_all: Path, name: str, closed: str, named: str
) -> None:
    dataset, options = make(name, open_to_all / "raw")
    place = open_to_all / "raw" / closed
    place.chmod(0)
    with trees.unprivileged():
        (open_to_all / "out").mkdir()
        wrong = fails(dataset, options, open_to_all / "out")
    place.chmod(0o777)
    owner = place.stat().st_uid
    expected = f"raw/{named}: cannot be read (owner: uid {owner}). Ask the owner for permission"
    assert expected in wrong.replace(f"{open_to_all}/", "")


@pytest.mark.slow
def test_silent_error_an_unreadable_image_is_replaced_by_the_next_sample(tmp_path: Path) -> None:
    """Published loaders read the next sample, or sample 0, and keep the label of this one."""
    names = [f"{number:06}.jpg" for number in range(4)]
    root = trees.celeba(tmp_path / "raw", names, "0012", list("5678"))
    (root / "img_align_celeba/000001.jpg").write_bytes(b"\xff\xd8\xff\xe0 no image")
    rejected = rejects_of_faces(tmp_path, "celeba", trees.celeba_options(root, rejects_limit=0.5))
    assert [(row["id"], row["reason"]) for row in rejected] == [("000001.jpg", "truncated")]
    crops = np.load(tmp_path / "s.npy")
    ids = read_table(tmp_path / "s.parquet", FACES)["id"].to_pylist()
    assert ids == ["000000.jpg", "000002.jpg", "000003.jpg"]
    assert len(crops) == 3
    whole = trees.celeba(tmp_path / "whole", names, "0012", list("5678"))
    (tmp_path / "other").mkdir()
    steps(tmp_path / "other", "celeba", trees.celeba_options(whole))
    every = np.load(tmp_path / "other/s.npy")
    np.testing.assert_array_equal(crops, every[[0, 2, 3]])


def test_case_05_a_shipped_list_is_not_used_beside_others(tmp_path: Path) -> None:
    """One of three lists absent is an accident, not a tree without lists."""
    dataset, options = make("ffpp", tmp_path / "raw")
    (tmp_path / "raw/splits/train.json").unlink()
    assert "raw/splits/train.json: does not exist" in fails(dataset, options, tmp_path)
    shutil.rmtree(tmp_path / "raw/splits")
    shipped = options.model_copy(update={"rejects_limit": 1.0})
    rows, _ = read(dataset, shipped, tmp_path)
    # 000 is paired with 003 in the official lists as well.
    assert rows["Deepfakes/c23/000_003"]["group"] == "000_003"


def test_near_names_the_one_that_was_meant() -> None:
    assert tree.near("deepfake", ["Deepfakes", "FaceSwap"]) == "did you mean Deepfakes?"
    assert tree.near("xyz", ["a", "b"]) == "known: a, b"


def test_fault_f9_a_damaged_annotation_is_an_error_that_names_it(tmp_path: Path) -> None:
    dataset, options = make("npy", tmp_path / "raw")
    file = next((tmp_path / "raw").rglob("*_exp.npy"))
    whole = file.read_bytes()
    damaged = [whole[:40], whole[:-1], whole.replace(b"(1,)", b"(9,)"), whole.replace(b"{", b"(")]
    damaged += [whole.replace(b"'<U", b"'|O"), whole.replace(b"(1,)", b"(1L)"), b"\x93NUMPY"]
    for data in damaged:
        assert data != whole
        file.write_bytes(data)
        wrong = fails(dataset, options, tmp_path)
        assert f"{file.name}: is not a readable annotation (it" in wrong
        assert "Fetch the annotations again" in wrong
