"""How lists are written by people and spreadsheets: read, or told with the line and what to do."""

import csv
import os
import unicodedata
from pathlib import Path

import pytest
from helpers import sick, trees
from helpers.own import options as own
from helpers.reading import fails, read

from lssat.data import doctor, faces, media
from lssat.data.datasets import lists
from lssat.evaluation.slices import annotations
from lssat.tables import FACES, REJECTS, DataError, read_table, spelling

ROWS = [f"img/{n}.jpg,{'ab'[n % 2]},{('train', 'val', 'test')[n // 2]}" for n in range(6)]
TEXT = "\n".join(["path,label,split", *ROWS]) + "\n"


def tree(root: Path, text: str | bytes = TEXT) -> Path:
    for n in range(6):
        trees.jpeg(root / f"img/{n}.jpg", trees.face(n, 64))
    data = text.encode() if isinstance(text, str) else text
    (root / "list.csv").write_bytes(data)
    return root


def mine(root: Path, **other):
    return own(root, **{"csv": "list.csv", **other})


def said(tmp_path: Path, text: str | bytes, **other) -> str:
    """What the manifest says of a list; the doctor says the same."""
    root = tree(tmp_path / "raw", text)
    wrong = fails("mine", mine(root, **other), tmp_path)
    errors = sick.said(doctor.inspect("mine", mine(root, **other)))
    told = [line.replace(f"{tmp_path}/", "") for line in errors]
    assert wrong.removeprefix("raw/") in told
    assert "Fetch" not in wrong
    return wrong


# --- D7, F12 ---

QUOTED = "".join(
    ",".join(f'"{field}"' for field in line.split(",")) + "\n" for line in TEXT.splitlines()
)
SAME = {
    "all quoted": QUOTED,
    "some quoted": TEXT.replace("img/0.jpg", '"img/0.jpg"'),
    "quoted header": QUOTED.splitlines()[0] + "\n" + TEXT.split("\n", 1)[1],
    "byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "mark and quotes": b"\xef\xbb\xbf" + QUOTED.encode(),
    "carriage returns": TEXT.replace("\n", "\r\n"),
    "carriage returns and quotes": QUOTED.replace("\n", "\r\n"),
    "blank lines": TEXT.replace("\n", "\n\n") + "\n\n",
    "lines of blanks": TEXT + "   \n\t\n",
    "no last line end": TEXT.rstrip("\n"),
    "leading dot": TEXT.replace("img/1", "./img/1").replace("img/2", "img//./2"),
}


@pytest.mark.parametrize("form", SAME)
def test_fault_d7_d11_one_list_in_many_forms(tmp_path: Path, form: str) -> None:
    wanted = read("mine", mine(tree(tmp_path / "plain")), tmp_path)
    assert read("mine", mine(tree(tmp_path / "raw", SAME[form])), tmp_path) == wanted


BROKEN = {
    "line break": (TEXT.replace("img/3.jpg", '"img/\n3.jpg"'), ":5: has a quote that does not end"),
    "break after blank lines": (
        TEXT.replace("\n", "\n\n").replace("img/3.jpg", '"img/\r\n3.jpg"'),
        ":9: has a quote that does not end on its line",
    ),
    "open quote": (TEXT.replace("img/3.jpg", '"img/3.jpg'), ":5: has a quote that does not end on"),
    "semicolons": (TEXT.replace(",", ";"), "'path;label;split'; is separated by semicolons"),
    "short row": (TEXT + "img/0.jpg,a\n", ":8: has 2 fields; expected are 3: path,label,split. "),
    "short row after a blank one": (TEXT + "  \n\nimg/0.jpg,a\n", ":10: has 2 fields"),
    "not UTF-8": (TEXT.encode() + b"caf\xe9.jpg,a,test\n", ":8: is not UTF-8 text (byte 4"),
    "not UTF-8, too long": (TEXT.encode() + b"caf\xe9.jpg,a,test,x\n", ":8: is not UTF-8 text"),
    "not UTF-8, header": (b"path,label,spl\xef\xfft\n", ":1: is not UTF-8 text"),
    "old Mac": (TEXT.replace("\n", "\r"), ":1: has lines that end in carriage returns alone"),
    "empty": (b"", ": is an empty file. Put the list there."),
    "header alone": ("path,label,split\n", ": holds no row but its header. Write a"),
    "blanks alone": ("\n  \n", ": holds no row. Write its header and rows."),
    "one endless line": ("path" * 50_000, ":1: begins with a line of 200,000 characters; no he"),
    "page": (sick.PAGE, ": is a web page"),
    "blank in the header": (TEXT.replace(",label", ", label", 1), "has blanks around ' label'"),
    "backslash": (TEXT.replace("img/0", "img\\0"), ":2: 'img\\\\0.jpg' is not a path below the "),
    "empty path": (TEXT.replace("img/0.jpg", ""), ":2: the path is empty. Write it, or leave"),
    "empty label": (TEXT.replace("3.jpg,b", "3.jpg,"), ":5: the label is empty. Write it, or lea"),
    "blank label": (TEXT.replace("3.jpg,b", "3.jpg,\u00a0 "), ":5: the label is empty"),
    "split in capitals": (TEXT.replace("val", "Val ", 1), "the split is 'Val '. Write one of trai"),
}  # fmt: skip


@pytest.mark.parametrize("form", BROKEN)
def test_fault_d7_d11_d15_f12_a_wrong_list_is_one_message(
    tmp_path: Path, form: str, capfd: pytest.CaptureFixture
) -> None:
    """Python prints what goes wrong in a callback of Arrow before any message of ours."""
    text, problem = BROKEN[form]
    assert problem in said(tmp_path, text)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("img\\0.jpg", "Write img/0.jpg"),
        (".\\img\\0.jpg", "Write img/0.jpg"),
        ("img/../img/0.jpg", "Write img/0.jpg"),
        ("{root}/img/0.jpg", "Write img/0.jpg"),
        ("../raw/img/0.jpg", "Nothing outside of the data root is read: write it relative to the"),
        ("/etc/passwd", "Nothing outside of the data root is read"),
        ("C:\\raw\\0.jpg", "Nothing outside of the data root is read"),
    ],
)
def test_fault_d11_what_to_write_for_a_path(tmp_path: Path, path: str, right: str) -> None:
    path = path.replace("{root}", str(tmp_path / "raw"))
    wrong = said(tmp_path, TEXT.replace("img/0.jpg", path))
    assert f"is not a path below the data root. {right}" in wrong


def test_fault_d11_one_file_in_two_spellings_is_one_sample(tmp_path: Path) -> None:
    root = tree(tmp_path / "raw", TEXT + "./img/0.jpg,a,train\n")
    rows, rejects = read("mine", mine(root), tmp_path)
    assert len(rows) == 6
    assert [(row["id"], row["reason"]) for row in rejects] == [("img/0.jpg", "duplicate")]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            b"\xff.jpg",
            "train/a/\udcff.jpg: has a name that is not UTF-8. Rename the file",
        ),
        (
            b"a\nb.jpg",
            "'train/a/a\\nb.jpg': has a line break in its name. Rename the file",
        ),
        (
            b"a\rb.jpg",
            "'train/a/a\\rb.jpg': has a line break in its name. Rename the file",
        ),
    ],
)
def test_a_name_that_no_table_or_list_of_ids_can_hold(
    tmp_path: Path, name: bytes, problem: str
) -> None:
    for split in ("train", "val", "test"):
        for label in "ab":
            trees.jpeg(tmp_path / f"raw/{split}/{label}/{split}.jpg", trees.face(0, 64))
    folder = tmp_path / "raw/train/a"
    os.rename(folder / "train.jpg", os.fsencode(folder) + b"/" + name)
    options = own(tmp_path / "raw")
    wrong = fails("mine", options, tmp_path)
    assert wrong.startswith(problem)
    assert sick.said(doctor.inspect("mine", options)) == [wrong]


def test_a_listed_path_that_is_too_long_for_any_file_is_missing(tmp_path: Path) -> None:
    long = "a" * 300 + ".jpg"
    root = tree(tmp_path / "raw", f"{TEXT}img/{long},a,train\n")
    rows, rejects = read("mine", mine(root, rejects_limit=1.0), tmp_path)
    assert len(rows) == 6
    assert [(row["id"], row["reason"]) for row in rejects] == [(f"img/{long}", "missing")]


def test_fault_d7_a_users_list_of_annotations_is_not_fetched(tmp_path: Path) -> None:
    file = tmp_path / "notes.csv"
    file.write_text('"id","glasses"\n"a.jpg","yes"\n"b.jpg","no"\n')
    assert annotations.read(file).rows == {"a.jpg": {"glasses": "yes"}, "b.jpg": {"glasses": "no"}}
    for text in ('id,glasses\n"a\n.jpg",yes\n', "id,glasses\na.jpg\n", "", sick.PAGE.decode()):
        file.write_text(text)
        with pytest.raises(DataError) as caught:
            annotations.read(file)
        assert "Fetch" not in str(caught.value)


def test_fault_d7_an_official_list_is_to_be_fetched_again(tmp_path: Path) -> None:
    root = trees.affectnet_csv(tmp_path / "raw", {"train": [("1/a.jpg", trees.BOX, "1")] * 3})
    file = root / "training.csv"
    file.write_text(file.read_text().replace("1/a.jpg", '"1/a\n.jpg"', 2))
    wrong = fails("affectnet", trees.affectnet_options(root), tmp_path)
    assert wrong.startswith("raw/training.csv:2: has a quote that does not end on its line")
    assert "or fetch the list again" in wrong


def test_lines_are_numbered_whatever_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "l.csv"
    file.write_text("\n\na,b\n\n1,2\n \n3,4\n\n")
    assert [*lists.csv(file, ["a", "b"])] == [(5, ["1", "2"]), (7, ["3", "4"])]


@pytest.mark.parametrize("line", ["a,b", '"a","b"', '"a,1",b', '"a ""b""",c', 'a"b,c', " a,,", ","])
def test_quotes_are_those_of_any_csv(tmp_path: Path, line: str) -> None:
    file = tmp_path / "l.csv"
    fields = next(csv.reader([line]))
    names = [f"column {n}" for n, _ in enumerate(fields)]
    file.write_text(f"{','.join(names)}\n{line}\n")
    assert [*lists.csv(file, names)] == [(2, fields)]
    assert [*lists.csv(file, names, names[1:])] == [(2, fields[1:])]
    file.write_text(f'{",".join(names)}\n{line}\n"a"b,c\n')
    with pytest.raises(
        DataError, match=r"l.csv:3: cannot be parsed \(.*\). Write the field on one"
    ):
        list(lists.csv(file, names))


# --- D8 ---

E = unicodedata.normalize("NFC", "img/\u00e9.jpg")
NEAR = [
    ("img/a.jpg", ["img/a.JPG"], "img/a.JPG"),
    ("img/a.JPG", ["img/a.jpg"], "img/a.jpg"),
    ("img/a.jpg", ["IMG/A.jpeg"], "IMG/A.jpeg"),
    ("img/a.jpg", ["img/img/a.jpg"], "img/img/a.jpg"),
    ("img/a.jpg", ["a.jpg"], "a.jpg"),
    ("raw/img/a.jpg", ["img/a.jpg"], "img/a.jpg"),
    ("a.jpg", ["img/a.jpg"], "img/a.jpg"),
    ("img/a.jpg", ["img/part 1/a.jpg"], "img/part 1/a.jpg"),
    (E, [unicodedata.normalize("NFD", E)], unicodedata.normalize("NFD", E)),
    (unicodedata.normalize("NFD", E), [E], E),
    ("img/a b.jpg", ["img/a\u00a0b.jpg"], "img/a\u00a0b.jpg"),
    ("img/a.jpg", ["img/a"], "img/a"),
    ("img/a", ["img/a.jpg"], "img/a.jpg"),
    ("img/a.jpg", ["img/a.jpg.jpg"], "img/a.jpg.jpg"),
    ("train", ["Train/x/1.jpg"], "Train"),
    ("Celeb-real/a.mp4", ["celeb_real/a.mp4"], "celeb_real/a.mp4"),
    ("list_attr_celeba.txt", ["Anno/list_attr_celeba.csv"], "Anno/list_attr_celeba.csv"),
    ("list.txt", ["list.txt.csv"], "list.txt.csv"),
    # The same name elsewhere is another file: another compression, person, kind.
    ("c23/000.mp4", ["c40/000.mp4"], ""),
    ("img/a.mp4", ["img/a.jpg", "img/a.json"], ""),
    ("img/a.jpg", ["img/b.jpg"], ""),
    ("img/a.jpg", ["a/img/other/b.jpg", "jpg"], ""),
]


@pytest.mark.parametrize(("missing", "there", "meant"), NEAR)
def test_fault_d8_the_likely_spelling(
    tmp_path: Path, missing: str, there: list[str], meant: str
) -> None:
    for name in there:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert spelling.Spellings(tmp_path).near(missing) == meant
    assert spelling.Spellings(tmp_path).near(missing, taken={meant}) == ""


def test_fault_d8_each_folder_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        (tmp_path / f"{n}").mkdir()
        (tmp_path / f"{n}/{n}.JPG").touch()
    (tmp_path / "0/loop").symlink_to(tmp_path)
    asked: list[str] = []
    entries = spelling._entries
    monkeypatch.setattr(
        spelling, "_entries", lambda folder, seen: (asked.append(folder), entries(folder, seen))[1]
    )
    there = spelling.Spellings(tmp_path)
    for n in range(20):
        assert there.near(f"{n}/{n}.jpg") == f"{n}/{n}.JPG"
    assert len(asked) == 21


def test_fault_d8_rejects_and_doctor_name_the_file_that_is_there(tmp_path: Path) -> None:
    root = tree(tmp_path / "raw")
    (root / "img/0.jpg").rename(root / "img/0.JPG")
    (root / "sub").mkdir()
    (root / "img/1.jpg").rename(root / "sub/1.jpg")
    wrong = fails("mine", mine(root), tmp_path)
    assert "2 missing (img/0.jpg: is it img/0.JPG?, img/1.jpg)" in wrong
    rejects = read("mine", mine(root, rejects_limit=1.0), tmp_path)[1]
    assert [row["detail"] for row in rejects] == ["is it img/0.JPG?", ""]
    [line] = sick.said(doctor.inspect("mine", mine(root)))
    assert line.startswith("img: 2 files of the lists are missing (0.jpg: is it img/0.JPG?)")


def moved(old: str, new: str):
    return lambda root: ((root / new).parent.mkdir(exist_ok=True), (root / old).rename(root / new))


FOUND = [
    ("celeba", moved("list_eval_partition.txt", "Eval/list_eval_partition.csv"),
     "raw/list_eval_partition.txt", "Is it raw/Eval/list_eval_partition.csv?"),
    ("celeba", moved("img_align_celeba", "Img/Img_Align_Celeba"),
     "raw: holds none of", "Is it raw/Img/Img_Align_Celeba?"),
    ("celeba", moved("identity_CelebA.txt", "identity_CelebA (1).txt"),
     "raw/identity_CelebA.txt", "Is it raw/identity_CelebA (1).txt?"),
    ("celeba", moved("img_align_celeba/000003.jpg", "img_align_celeba/000003.PNG"),
     "1 missing (000003.jpg", "is it img_align_celeba/000003.PNG?"),
    ("affectnet", moved("train_set/images", "train_set/Images"),
     "raw/train_set/images", "Is it raw/train_set/Images?"),
    ("ffpp", moved("splits/val.json", "splits/Val.JSON"),
     "raw/splits/val.json", "Is it raw/splits/Val.JSON?"),
    ("ffpp", moved("manipulated_sequences/Face2Face", "manipulated_sequences/face2face"),
     "has no folder Face2Face", "Is it raw/manipulated_sequences/face2face?"),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "move", "where", "meant"), FOUND)
def test_fault_d8_of_official_lists_folders_and_files(
    tmp_path: Path, dataset: str, move, where: str, meant: str
) -> None:
    root = sick.MAKE[dataset](tmp_path / "raw")
    move(root)
    wrong = fails(dataset, sick.OPTIONS[dataset](root), tmp_path)
    assert where in wrong
    assert meant in wrong
    inventory = sick.inspect(dataset, root)
    told = " ".join(sick.said(inventory)).replace(f"{tmp_path}/", "")
    assert meant in told or "is not a folder of the release; Face2Face is" in told


def test_fault_d8_a_split_a_csv_and_a_root_of_ones_own(tmp_path: Path) -> None:
    for split in ("Train", "val", "test"):
        trees.jpeg(tmp_path / "Raw" / split / "a/1.jpg", trees.face(1))
    assert "raw/train: does not exist" in fails("mine", own(tmp_path / "Raw"), tmp_path).lower()
    assert "Is it Raw/Train?" in fails("mine", own(tmp_path / "Raw"), tmp_path)
    wrong = fails("mine", own(tmp_path / "raw"), tmp_path)
    assert wrong.startswith("raw: the root of mine is not a folder. Is it Raw? Set datasets.mine")
    (tmp_path / "Raw/List.CSV").write_text(TEXT)
    assert "Is it Raw/List.CSV?" in fails("mine", mine(tmp_path / "Raw"), tmp_path)


def test_fault_d8_of_a_file_that_is_read_by_its_path(tmp_path: Path) -> None:
    """As `lssat predict` reads what is typed."""
    (tmp_path / "Videos").mkdir()
    (tmp_path / "Videos/a.MP4").touch()
    with pytest.raises(media.Unreadable) as caught:
        list(media.read(tmp_path / "videos/a.mp4", "video", media.Plan()))
    assert caught.value.detail == f"no such file; is it {tmp_path}/Videos/a.MP4?"
    (tmp_path / "link.mp4").symlink_to(tmp_path / "nothing")
    with pytest.raises(media.Unreadable) as caught:
        list(media.read(tmp_path / "link.mp4", "video", media.Plan()))
    assert caught.value.detail == "a link that leads to nothing"


# --- D15 ---


def test_fault_d15_classes_that_differ_by_next_to_nothing_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    rows = [row.replace(",b,", ",B ,") for row in ROWS[:2]] + ROWS[2:] + ["img/5.jpg,b\u00a0x,test"]
    root = tree(tmp_path / "raw", "\n".join(["path,label,split", *rows[:5], rows[6]]) + "\n")
    read("mine", mine(root), tmp_path)
    wanted = "classes that differ only by case or blanks count as different: 'B ' and 'b'"
    assert capsys.readouterr().err == f"warning: datasets.mine: {wanted}\n"
    [warning] = sick.said(doctor.inspect("mine", mine(root)), "warning")
    assert wanted in warning
    groups = "\n".join(["path,label,split,group", *(f"{r},{g}" for r, g in zip(
        ROWS, ["Anna", "Ben", "anna", "Cleo", "Ben\u00a0", "Dan"], strict=True))])  # fmt: skip
    read("mine", mine(tree(tmp_path / "raw", groups)), tmp_path)
    assert "groups that differ only by case or blanks" in capsys.readouterr().err
    read("mine", mine(tree(tmp_path / "raw")), tmp_path)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["spare.csv", "old/list.csv", "notes.json", "a.txt"])
def test_fault_d15_lists_that_are_not_named_are_not_looked_at(tmp_path: Path, name: str) -> None:
    root = tree(tmp_path / "raw")
    (root / name).parent.mkdir(exist_ok=True)
    for data in (b"", sick.PAGE, b"\0\1", b"PK\x03\x04"):
        (root / name).write_bytes(data)
        found = doctor.inspect("mine", mine(root))
        assert sick.said(found) + sick.said(found, "warning") == []


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (
            "100,10,20,20",
            "the box x 100, y 10, 20 x 20 lies outside of the image of 64 x 64 pixels",
        ),
        ("-30,0,20,20", "the box x -30, y 0, 20 x 20 lies outside of the image of 64 x 64 pixels"),
        ("0,0,200,9", "the box x 0, y 0, 200 x 9 is twice as large as the image of 64 x 64 pixels"),
    ],
)
def test_fault_d15_a_box_outside_of_the_image_is_named(
    tmp_path: Path, box: str, words: str
) -> None:
    rows = [f"{row},{box if n == 2 else '2,2,50,50'}" for n, row in enumerate(ROWS)]
    text = "\n".join(["path,label,split,x,y,width,height", *rows]) + "\n"
    boxed = mine(tree(tmp_path / "raw", text), faces="box")
    read("mine", boxed, tmp_path)
    out, table, lost = (tmp_path / f"f.{end}" for end in ("npy", "parquet", "lost"))
    faces.crop_shard(tmp_path / "manifest.parquet", "mine", boxed, trees.FACES, 0, out, table, lost)
    found = [(row["id"], row["detail"]) for row in read_table(lost, REJECTS).to_pylist()]
    assert found == [("img/2.jpg", words)]
    assert read_table(table, FACES).num_rows == 5


@pytest.mark.parametrize("box", ["0,0,0,9", "0,0,9,-1"])
def test_fault_d15_a_box_without_a_size_is_told_by_its_line(tmp_path: Path, box: str) -> None:
    rows = [f"{row},{box if n == 2 else '2,2,50,50'}" for n, row in enumerate(ROWS)]
    text = "\n".join(["path,label,split,x,y,width,height", *rows]) + "\n"
    assert ":4: the box is " in said(tmp_path, text, faces="box")
