"""The doctor on every layout that the readers know: it counts what they take."""

import json
from collections import Counter
from pathlib import Path

import pytest
from helpers import sick, trees
from helpers.layouts import CSV, LAYOUTS, frames, headed, old, options

from lssat import params
from lssat.data import datasets, doctor
from lssat.data.datasets import ffpp
from lssat.data.doctor.findings import Inventory


def split_counts(inventory: Inventory) -> Counter:
    found: Counter = Counter()
    for row in inventory.counts:
        if row.split:
            found[row.split] += row.found or 0
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("asked", [True, False], ids=["of params.yaml", "of a folder alone"])
def test_what_the_reader_takes_is_counted(tmp_path: Path, layout: str, asked: bool) -> None:
    dataset, make, other = LAYOUTS[layout]
    root = make(tmp_path / "raw")
    given = options(dataset, root, **other)
    rows, rejects = datasets.reader(dataset).read(given)
    assert all(row["reason"] == "excluded_class" for row in rejects)
    given = given if asked else doctor.stand_in(dataset, root)
    inventory = doctor.inspect(dataset, given, asked)
    assert sick.said(inventory) == []
    assert split_counts(inventory) == Counter(row["split"] for row in rows)
    assert not any(row.missing for row in inventory.counts)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_page_in_place_of_a_sample_is_an_error_and_beside_them_a_warning(
    tmp_path: Path, layout: str
) -> None:
    dataset, make, other = LAYOUTS[layout]
    root = make(tmp_path / "raw")
    rows, _ = datasets.reader(dataset).read(options(dataset, root, **other))
    victim = root / rows[0]["path"].split("!/")[0]
    victim = victim / "0000.png" if victim.is_dir() else victim
    victim.write_bytes(sick.PAGE)
    # No class of AffectNet's folders and no video of DeepFakeDetection: only there is it no sample.
    beside = root / "beside.jpg"
    beside.write_bytes(sick.PAGE)
    inventory = doctor.inspect(dataset, options(dataset, root, **other))
    path = victim.relative_to(root).as_posix()
    errors, warnings = sick.said(inventory), sick.said(inventory, "warning")
    assert any(line.startswith(f"{path}: is a web page (first bytes") for line in errors)
    said_of_it = [
        line for line in errors + warnings if line.startswith("beside.jpg: is a web page")
    ]
    assert len(said_of_it) == 1


def test_c0_is_asked_for_where_the_uncompressed_release_is(tmp_path: Path) -> None:
    root = old(tmp_path / "raw")
    (root / "original_sequences/c0/videos/001.mp4").unlink()
    for spelling in ("raw", "c0"):
        inventory = doctor.inspect("ffpp", options("ffpp", root, compression=spelling))
        assert [line.split(" of the lists")[0] for line in sick.said(inventory)] == [
            "original_sequences/c0/videos: 1 file"
        ]


def test_frames_missing_and_a_folder_without_any(tmp_path: Path) -> None:
    root = frames(tmp_path / "raw")
    (root / "original_sequences/youtube/c23/images/001/0000.png").unlink()
    gone = root / "manipulated_sequences/Deepfakes/c23/images/001_870"
    (gone / "0000.png").unlink()
    gone.rmdir()
    inventory = sick.inspect("ffpp", root)
    assert sick.said(inventory) == [
        "manipulated_sequences/Deepfakes/c23/images: 1 file of the lists is missing. Fetch it, "
        "or do without the share that datasets.ffpp.rejects_limit allows; if a part is all that "
        "you have, write datasets.ffpp.partial: true.",
        ".: folders of extracted frames that hold none: 1. Extract them again.",
    ]
    last = inventory.findings[-1]
    assert last.examples == ("original_sequences/youtube/c23/images/001",)


def test_the_authors_lists_are_used_where_the_tree_has_none(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    shipped = json.loads(ffpp.SHIPPED.read_text())
    for names, folder in (
        (lambda a, b: (a, b), "original_sequences/youtube"),
        (lambda a, b: (f"{a}_{b}", f"{b}_{a}"), "manipulated_sequences/Deepfakes"),
    ):
        place = root / folder / "c23/videos"
        place.mkdir(parents=True)
        for split in ffpp.SPLITS:
            for pair in shipped[split]:
                for name in names(*pair):
                    (place / f"{name}.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    inventory = sick.inspect("ffpp", root, configured=False)
    assert inventory.verdict == "whole"
    assert [(r.split, r.official, r.listed, r.found) for r in inventory.counts[:3]] == [
        ("train", 720, 720, 720),
        ("val", 140, 140, 140),
        ("test", 140, 140, 140),
    ]
    [note] = [n for n in sick.said(inventory, "note") if n.startswith(".")]
    assert "there are no lists of pairs (splits/train.json" in note


def test_celebdf_counts_all_videos_and_those_of_the_list(tmp_path: Path) -> None:
    root = headed(trees.celebdf(tmp_path / "raw"))
    (root / "YouTube-real/00170.mp4").unlink()
    inventory = doctor.inspect("celebdf", options("celebdf", root))
    assert {(row.part, row.split): (row.official, row.found) for row in inventory.counts} == {
        ("all of Celeb-real", ""): (590, 2),
        ("all of YouTube-real", ""): (300, 0),
        ("all of Celeb-synthesis", ""): (5639, 1),
        ("Celeb-real", "test"): (108, 1),
        ("YouTube-real", "test"): (70, 0),
        ("Celeb-synthesis", "test"): (340, 1),
    }
    found = sick.said(inventory)
    assert any(line.startswith("YouTube-real: 1 file of the lists is missing") for line in found)


def test_dfdc_goes_on_after_a_part_with_bad_labels(tmp_path: Path) -> None:
    root = headed(trees.dfdc(tmp_path / "raw"))
    (root / "dfdc_train_part_0/metadata.json").write_text('{"aaa.mp4": {"label": "MAYBE"}}')
    (root / "dfdc_train_part_1/cbbb.mp4").unlink()
    inventory = doctor.inspect("dfdc", options("dfdc", root))
    found = sick.said(inventory)
    assert any("aaa.mp4 has the label 'MAYBE'" in line for line in found)
    assert any(line.startswith("dfdc_train_part_1: 1 file of the lists is miss") for line in found)


def test_losses_in_many_folders_are_one_finding(tmp_path: Path) -> None:
    rows = [(f"{n}/a.jpg", trees.BOX, "0") for n in range(20)]
    root = trees.affectnet_csv(tmp_path / "raw", {"train": rows, "val": CSV["val"]})
    for n in range(12):
        (root / f"Manually_Annotated_Images/{n}/a.jpg").unlink()
    for n in range(12, 15):
        (root / f"Manually_Annotated_Images/{n}/a.jpg").write_bytes(b"")
    found = [f for f in sick.inspect("affectnet", root).findings if f.severity == "error"]
    told = {f.path: (f.count, f.problem.split(" (")[0]) for f in found}
    images = "Manually_Annotated_Images"
    assert told[images] == (12, "12 files of the lists are missing")
    assert told[f"{images}/12/a.jpg"] == (1, "is empty")
    assert next(f for f in found if f.path == images).examples[0] == "0/a.jpg"


def own(root: Path, **other) -> params.Own:
    for split in ("train", "val", "test"):
        for number, name in enumerate(("cat", "dog")):
            trees.jpeg(root / split / name / f"{split}{number}.jpg", trees.picture(number, 40, 40))
    values = {"shards": 1, "rejects_limit": 0.0, "kind": "multiclass", "faces": "aligned"}
    return params.Own(**{"root": str(root), **values, **other})


def test_a_data_set_of_your_own(tmp_path: Path) -> None:
    options_ = own(tmp_path / "raw")
    inventory = doctor.inspect("pets", options_)
    assert sick.said(inventory) == []
    assert split_counts(inventory) == {"train": 2, "val": 2, "test": 2}
    (tmp_path / "raw/train/cat/train0.jpg").write_bytes(sick.PAGE)
    (tmp_path / "raw/val/dog").rename(tmp_path / "raw/val.dog")
    assert [line.split(":")[0] for line in sick.said(doctor.inspect("pets", options_))] == [
        "train/cat/train0.jpg"
    ]
