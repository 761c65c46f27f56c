"""One verdict: what the doctor passes, manifest and faces take; what it calls an error, they lose.

Every pair of the tools is held to one another on the same files, not to a list of messages.
"""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers import sick, trees
from helpers.layouts import LAYOUTS, options
from helpers.own import options as own
from helpers.reading import fails, read
from helpers.steps import steps
from PIL import Image

from lssat.data import datasets, doctor, faces
from lssat.data.doctor import findings
from lssat.tables import FACES, REJECTS, DataError, read_table

SUFFIXES = ["", ".jpg", ".JPEG", ".tif", ".TIFF", ".gif", ".m4v", ".mp4", ".db", ".txt"]


def image(format: str, side: int = 40, **given) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, format, **given)
    return file.getvalue()


def clip(folder: Path, suffix: str) -> bytes:
    trees.video(folder / f"clip{suffix}", [trees.picture(n, 64, 64) for n in range(3)])
    return (folder / f"clip{suffix}").read_bytes()


def contents(folder: Path) -> dict[str, bytes]:
    jpeg = image("JPEG")
    return {
        **{name: image(name) for name in ("PNG", "BMP", "WEBP", "TIFF", "GIF")},
        "JPEG": jpeg,
        "big TIFF": b"MM\0+\0\x08\0\0" + bytes(64),
        "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
        "cut JPEG": jpeg[:-700],
        "one pixel": image("PNG", 1),
        "empty": b"",
        "page": sick.PAGE,
        "pointer": sick.POINTER,
        "text": b"BMW is a car, and no bitmap: nothing to see here",
        "riff": b"RIFF\x24\0\0\0WAVEfmt " + bytes(32),
        "zip": b"PK\x03\x04" + bytes(32),
        "playlist": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "mp4": clip(folder, ".mp4"),
        "mkv": clip(folder, ".mkv"),
        "avi": clip(folder, ".avi"),
        "cut mp4": clip(folder, ".mp4")[:1500],
        "free first": b"\0\0\0\x10free" + bytes(8) + clip(folder, ".mp4"),
        "uuid first": b"\0\0\0\x10uuid" + bytes(8) + clip(folder, ".mp4"),
    }


def faulty(inventory: findings.Inventory) -> set[str]:
    """The files that errors are about."""
    found = set()
    for each in inventory.findings:
        names = each.examples or (each.path,)
        if each.severity == "error":
            found |= {Path(name).name for name in names}
    return found


@pytest.mark.slow
@pytest.mark.parametrize("media_", ["image", "video"])
def test_fault_b5_doctor_manifest_and_faces_agree_whatever_the_suffix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, media_: str
) -> None:
    """Faces really decode each content under each suffix; the doctor said before what they do."""
    monkeypatch.setattr(findings, "EXAMPLES", 1000)
    root, rows = tmp_path / "raw", []
    root.mkdir()
    for content, data in contents(tmp_path).items():
        for suffix in SUFFIXES if content in ("JPEG", "TIFF", "mp4", "text") else SUFFIXES[:2]:
            name = f"{content.replace(' ', '-')}{suffix}"
            (root / name).write_bytes(data)
            rows.append(f"{name},{'ab'[len(rows) % 2]},test")
    (root / "list.csv").write_text("\n".join(["path,label,split", *rows]) + "\n")
    frames = {"frames": 1} if media_ == "video" else {}
    mine = own(root, csv="list.csv", test_only=True, rejects_limit=1.0, **frames)
    listed, rejects = tmp_path / "m.parquet", tmp_path / "r.parquet"
    datasets.manifest("mine", mine, listed, rejects)
    early = {row["path"] for row in read_table(rejects, REJECTS).to_pylist()}
    out, table, lost = (tmp_path / f"f.{end}" for end in ("npy", "parquet", "lost"))
    faces.crop_shard(listed, "mine", mine, trees.FACES, 0, out, table, lost)
    taken = set(read_table(table, FACES)["id"].to_pylist())
    late = {row["path"]: row["reason"] for row in read_table(lost, REJECTS).to_pylist()}
    every = {row.split(",")[0] for row in rows}
    assert taken | early | late.keys() == every
    assert not taken & early
    # A glance tells all that are of a wrong kind; what is damaged within takes a decoder.
    strict = mine.model_copy(update={"rejects_limit": 0.0})
    assert faulty(doctor.inspect("mine", strict)) == early
    assert not {"format", "missing"} & set(late.values()), late
    assert faulty(doctor.inspect("mine", strict, deep=True)) == early | late.keys()
    good = {"image": {"PNG", "BMP", "WEBP", "JPEG"}, "video": {"mp4", "mkv", "avi"}}[media_]
    assert {Path(name).stem for name in taken} >= good


ODD = ["1/a.tif", "1/b.TIFF", "2/c.gif", "2/d"]


@pytest.mark.slow
def test_fault_b5_odd_files_of_affectnet_stop_the_manifest_not_the_splits(tmp_path: Path) -> None:
    rows = {
        split: [(f"{split}{n}/x.jpg", trees.BOX, str(n)) for n in range(8)]
        for split in ("train", "val")
    }
    rows["val"] += [(f"more{n}/x.jpg", trees.BOX, str(n)) for n in range(8)]
    rows["train"] += [(name, trees.BOX, "0") for name in ODD]
    root = trees.affectnet_csv(tmp_path / "raw", rows)
    images = root / "Manually_Annotated_Images"
    for name, format in zip(ODD, ("TIFF", "TIFF", "GIF", "JPEG"), strict=True):
        Image.fromarray(trees.scene(3)).save(images / name, format)
    (images / "1/Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(64))
    strict = trees.affectnet_options(root)
    wrong = fails("affectnet", strict, tmp_path)
    assert (
        "manifest: 3 of 28 rejected (10.7 %, limit 0 %): 3 format (train/1/a.tif: is not an"
        in wrong
    )
    said = sick.said(doctor.inspect("affectnet", strict))
    assert {line.split(": ")[0] for line in said} == {
        "Manually_Annotated_Images/1",
        "Manually_Annotated_Images/2/c.gif",
    }
    assert all("but a TIFF" in line or "but a GIF" in line for line in said)
    # Within the limit the doctor has no error, and all steps go on to their end.
    loose = trees.affectnet_options(root, rejects_limit=0.2)
    assert sick.said(doctor.inspect("affectnet", loose, deep=True)) == []
    (tmp_path / "steps").mkdir()
    found = steps(tmp_path / "steps", "affectnet", loose)
    assert len(found["splits"]) == 25


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", ".DS_Store", "ehthumbs.db"])
def test_fault_b5_what_the_system_leaves_is_no_sample(tmp_path: Path, name: str) -> None:
    root = trees.affectnet_folders(tmp_path / "raw", ["Happy", "Sad"])
    before, _ = read("affectnet", trees.affectnet_options(root), tmp_path)
    (root / "train/Happy" / name).write_bytes(b"\xd0\xcf\x11\xe0 a cache")
    after, rejects = read("affectnet", trees.affectnet_options(root), tmp_path)
    assert (after, rejects) == (before, [])
    assert sick.said(doctor.inspect("affectnet", trees.affectnet_options(root))) == []
    mine = tmp_path / "mine"
    for split in ("train", "val", "test"):
        for label in "ab":
            trees.jpeg(mine / split / label / "1.jpg", trees.face(1))
            (mine / split / label / name).write_bytes(b"\xd0\xcf\x11\xe0 a cache")
    assert len(read("mine", own(mine), tmp_path)[0]) == 6
    # Any other file there is one of the class, and said.
    (mine / "train/a/2.gif").write_bytes(image("GIF"))
    assert "1 format (train/a/2.gif: is not an image" in fails("mine", own(mine), tmp_path)


def test_fault_b5_a_member_of_the_zip_that_cannot_be_read(tmp_path: Path) -> None:
    root = sick.celeba(tmp_path / "raw")
    (root / "img_align_celeba/000003.jpg").write_bytes(image("TIFF"))
    trees.pack(root / "img_align_celeba")
    strict = trees.celeba_options(root)
    assert "1 format (000003.jpg: is not an image" in fails("celeba", strict, tmp_path)
    [line] = sick.said(doctor.inspect("celeba", strict))
    assert line.startswith("img_align_celeba.zip!/img_align_celeba/000003.jpg: is not an image")


# --- B6 ---

Damage = Callable[[Path], object]


def cut_attributes(root: Path) -> None:
    """The list says itself how many rows it has, and has them."""
    file = root / "list_attr_celeba.txt"
    sick.cut_lines(file, 2 + 4)
    file.write_text(file.read_text().replace("10\n", "4\n", 1))


def same_person(root: Path) -> None:
    sick.edit(root / "identity_CelebA.txt", "000010.jpg 9", "000010.jpg 1")


def dangling(root: Path) -> None:
    (root / "notes.jpg").symlink_to(root / "nothing")


def junk(root: Path) -> None:
    """Files that nothing asks for, under the names of lists as well."""
    for name in ("spare.csv", "metadata.json", "list_attr_celeba.txt", "val.json", "x.jpg"):
        (root / "old").mkdir(exist_ok=True)
        (root / "old" / name).write_bytes(b"")


def first(root: Path, pattern: str) -> Path:
    return min(root.rglob(pattern))


def drop_row(name: str) -> Damage:
    return lambda root: sick.cut_lines(root / name, len((root / name).read_text().splitlines()) - 1)


def video_elsewhere(root: Path) -> None:
    """An original of train in a pair of test as well."""
    (root / "splits/test.json").write_text('[["000", "071"]]')
    folder = root / "original_sequences/youtube/c23/videos"
    for method in trees.METHODS:
        videos = root / f"manipulated_sequences/{method}/c23/videos"
        for name in ("000_071", "071_000"):
            (videos / f"{name}.mp4").write_bytes(trees.BEGINNING)
        for name in ("002_071", "071_002"):
            (videos / f"{name}.mp4").unlink()
    (folder / "002.mp4").unlink()


def more_then_cut(root: Path) -> None:
    sick.more_pairs(root)
    (root / "splits/train.json").write_text(json.dumps(trees.PAIRS["train"]))


def misspelt_beside(root: Path) -> None:
    shutil.copytree(
        root / "manipulated_sequences/Deepfakes", root / "manipulated_sequences/DeepFake"
    )


def other_compression(root: Path) -> None:
    shutil.copytree(
        root / "manipulated_sequences/Deepfakes/c23", root / "manipulated_sequences/Deepfakes/c40"
    )


def dfdc_entry(change: Callable[[dict], object]) -> Damage:
    def edit(root: Path) -> None:
        file = root / "dfdc_train_part_0/metadata.json"
        entries = json.loads(file.read_text())
        change(entries)
        file.write_text(json.dumps(entries))

    return edit


def dfdc_labels(text: str) -> Damage:
    return lambda root: (root / "dfdc_train_part_0/labels.csv").write_text(text)


def twice(name: str) -> Damage:
    def repeat(root: Path) -> None:
        lines = (root / name).read_text().splitlines(keepends=True)
        (root / name).write_text("".join([*lines, lines[-1]]))

    return repeat


ANY: dict[str, Damage] = {
    "nothing": lambda root: None,
    "a link to nothing beside": dangling,
    "junk beside": junk,
}
MORE: dict[str, dict[str, Damage]] = {
    "ffpp": {
        "list cut": more_then_cut,
        "original in two splits": video_elsewhere,
        "pair twice": lambda root: (root / "splits/val.json").write_text(
            json.dumps(trees.PAIRS["val"] * 2)
        ),
        "misspelt folder beside": misspelt_beside,
        "other compression without originals": other_compression,
        "video empty": lambda root: first(root, "*.mp4").write_bytes(b""),
        "video a page": lambda root: first(root, "*.mp4").write_bytes(sick.PAGE),
    },
    "frames": {
        "folder empty": lambda root: first(root, "0000.png").unlink(),
        "folder missing": lambda root: shutil.rmtree(first(root, "0000.png").parent),
    },
    "celeba": {
        "attributes cut, count and all": cut_attributes,
        "person in two splits": same_person,
        "all lists cut": lambda root: [
            cut_attributes(root),
            sick.cut_lines(root / "list_eval_partition.txt", 4),
            sick.cut_lines(root / "identity_CelebA.txt", 4),
        ],
        "partition twice": twice("list_eval_partition.txt"),
        "image a TIFF": lambda root: first(root, "*.jpg").write_bytes(b"II*\0" + bytes(60)),
    },
    "png": {"image gone": lambda root: first(root, "*.png").unlink()},
    "affectnet": {
        "image a page": lambda root: first(root, "*.jpg").write_bytes(sick.PAGE),
        "image beside": lambda root: (root / "val_set/images/x.jpg").write_bytes(image("JPEG")),
    },
    "csv": {
        "list cut": drop_row("training.csv"),
        "row in both lists": lambda root: sick.edit(root / "validation.csv", "3/d.jpg", "1/a.jpg"),
        "row twice": twice("training.csv"),
        "image gone": lambda root: first(root, "a.jpg").unlink(),
        "image empty": lambda root: first(root, "a.jpg").write_bytes(b""),
    },
    "folders": {
        "a GIF beside": lambda root: (root / "train/Happy/x.gif").write_bytes(image("GIF")),
        "unknown class": lambda root: (root / "train/Joyful").mkdir(),
    },
    "celebdf": {
        "video gone": lambda root: (root / "Celeb-real/id1_0007.mp4").unlink(),
        "other label": lambda root: sick.edit(
            root / "List_of_testing_videos.txt", "1 Celeb-real", "0 Celeb-real"
        ),
        "row twice": twice("List_of_testing_videos.txt"),
        "list cut": drop_row("List_of_testing_videos.txt"),
    },
    "dfdc": {
        "entry gone": dfdc_entry(lambda entries: entries.popitem()),
        "no label": dfdc_entry(lambda entries: entries["aaa.mp4"].pop("label")),
        "labels of one video more": dfdc_labels("filename,label\naaa.mp4,1\nbbb.mp4,0\nx.mp4,0\n"),
        "labels of one video less": dfdc_labels("filename,label\naaa.mp4,1\n"),
        "labels that say otherwise": dfdc_labels("filename,label\naaa.mp4,0\nbbb.mp4,0\n"),
        "labels that agree": dfdc_labels("filename,label\naaa.mp4,1\nbbb.mp4,0\n"),
    },
    "dfd": {
        "odd name": lambda root: first(root, "*.mp4").rename(first(root, "*.mp4").parent / "a.mp4")
    },
}  # fmt: skip
MAKE = {name: (name, make, {}) for name, make in sick.MAKE.items()} | LAYOUTS
EVERY = [
    (layout, kind)
    for layout in MAKE
    for kind in {**ANY, **sick.DAMAGE.get(layout, {}), **MORE.get(layout, {})}
]


@pytest.mark.parametrize(("layout", "kind"), EVERY, ids=[f"{a}: {b}" for a, b in EVERY])
def test_fault_b6_doctor_and_manifest_give_one_verdict(
    tmp_path: Path, layout: str, kind: str
) -> None:
    dataset, make, other = MAKE[layout]
    root = make(tmp_path / "raw")
    {**ANY, **sick.DAMAGE.get(layout, {}), **MORE.get(layout, {})}[kind](root)
    for limit in (0.0, 0.6):
        given = options(dataset, root, rejects_limit=limit, **other)
        said = sick.said(doctor.inspect(dataset, given))
        try:
            read(dataset, given, tmp_path)
            refused = ""
        except DataError as error:
            refused = str(error)
        assert bool(said) == bool(refused), (limit, said, refused)


def test_fault_b6_rows_of_one_list_that_another_lacks_are_named(tmp_path: Path) -> None:
    root = sick.celeba(tmp_path / "raw")
    cut_attributes(root)
    wrong = fails("celeba", trees.celeba_options(root, rejects_limit=1.0), tmp_path)
    assert wrong == (
        "raw/list_attr_celeba.txt: lacks 6 of the 10 images that the lists name "
        "(000005.jpg, 000006.jpg, 000007.jpg, ...). Fetch all three lists again."
    )
    assert "list_attr_celeba.txt: lacks 6 of the 10 images that the lists name. Fetch" in " ".join(
        sick.said(sick.inspect("celeba", root))
    )
