"""Splits: official where there is one, nobody in two of them, every crop in one."""

import contextlib
import csv
import hashlib
import re
import subprocess
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from helpers import ROOT, trees
from helpers.splits import affectnet_rows, cropped, ffpp_options, ffpp_rows, sample, write

from lssat import tables
from lssat.data import splits
from lssat.tables import MANIFEST, DataError


def test_official_splits_and_every_crop_once(tmp_path: Path) -> None:
    rows = ffpp_rows()
    found, summary = write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows, 3, 2))
    assert {name: len(found[name]) for name in found} == {"train": 8, "val": 8, "test": 8}
    first = found["train"][0]
    assert (first["id"], first["frame"]) == ("Deepfakes/000_003", 0)
    assert (first["labels"], first["subset"], first["group"]) == ([1], "Deepfakes", "000_003")
    assert first["shard"] == tables.shard_of("Deepfakes/000_003", 3)
    assert first["seed"] is None
    places = {(row["shard"], row["row"]) for part in found.values() for row in part}
    assert len(places) == 24
    for part in found.values():
        assert part == sorted(part, key=lambda row: (row["id"], row["frame"]))
    assert summary["samples"] == {"train": 4, "val": 4, "test": 4}
    assert summary["crops"] == {"train": 8, "val": 8, "test": 8}
    assert summary["groups"] == {"train": 1, "val": 1, "test": 1}
    assert summary["classes"]["test"] == {"0": 4, "1": 4}
    assert summary["subsets"]["val"] == {"Deepfakes": 2, "Face2Face": 2, "original": 4}
    ids = sorted(row["id"] for row in rows if row["split"] == "test")
    text = "".join(f"{id}\n" for id in ids)
    assert summary["ids_sha256"]["test"] == hashlib.sha256(text.encode()).hexdigest()
    assert (tmp_path / "test.txt").read_text() == text
    assert summary["unused"] == {"samples": 0, "crops": 0}
    assert (tmp_path / "unused.txt").read_text() == ""


def test_methods_that_are_not_tested_leave_the_test_split_alone(tmp_path: Path) -> None:
    rows = ffpp_rows()
    options = ffpp_options(tmp_path).model_copy(update={"test_methods": ["Face2Face"]})
    found, summary = write(tmp_path, "ffpp", options, rows, cropped(rows, 3, 2))
    subsets = {name: {row["subset"] for row in part} for name, part in found.items()}
    everything = {"Deepfakes", "Face2Face", "original"}
    assert subsets == {"train": everything, "val": everything, "test": everything - {"Deepfakes"}}
    left = [row["id"] for row in rows if (row["split"], row["subset"]) == ("test", "Deepfakes")]
    assert (tmp_path / "unused.txt").read_text().split() == sorted(left)
    assert summary["unused"] == {"samples": len(left), "crops": 2 * len(left)}
    assert summary["coverage"]["test"] == 1.0
    assert {row["seed"] for part in found.values() for row in part} == {None}
    options = options.model_copy(update={"test_methods": None})
    found, _ = write(tmp_path, "ffpp", options, rows, cropped(rows, 3, 2))
    assert {row["subset"] for row in found["test"]} == everything


def test_a_method_that_is_to_be_tested_and_is_not_there_stops_the_step(tmp_path: Path) -> None:
    rows = [row for row in ffpp_rows() if (row["split"], row["subset"]) != ("test", "Face2Face")]
    options = ffpp_options(tmp_path)
    for tested, told in (["Deepfakes"], None), (["Face2Face"], "subsets: Face2Face has no crop in"):
        with contextlib.nullcontext() if told is None else pytest.raises(DataError, match=told):
            changed = options.model_copy(update={"test_methods": tested})
            write(tmp_path, "ffpp", changed, rows, cropped(rows, 2, 2))


def test_coverage_counts_samples_with_a_crop(tmp_path: Path) -> None:
    rows = [
        *ffpp_rows(),
        sample("original/77", "test", 0, subset="original", groups=["4"], group="4_5"),
    ]
    options = ffpp_options(tmp_path, rejects_limit=0.1)
    _, summary = write(tmp_path, "ffpp", options, rows, cropped(rows[:-1], 2, 2))
    assert summary["coverage"] == {"train": 1.0, "val": 1.0, "test": 0.8}
    assert summary["frame_coverage"] == {"train": 1.0, "val": 1.0, "test": 0.8}
    assert summary["subset_coverage"]["test"] == {
        "Deepfakes": 1.0,
        "Face2Face": 1.0,
        "original": pytest.approx(2 / 3),
    }
    assert summary["rejects"] == {"manifest": {}, "faces": {"no_face": 1}}
    with pytest.raises(DataError, match=r"faces: 1 of 13 rejected \(7.7 %, limit 0 %\)"):
        write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows[:-1], 2, 2))


def test_a_lost_frame_is_no_lost_video(tmp_path: Path) -> None:
    rows = ffpp_rows()
    crops = cropped(rows, 1, 2)
    del crops[0][0]
    _found, summary = write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, crops)
    assert summary["coverage"]["train"] == 1.0
    assert summary["frame_coverage"]["train"] == 7 / 8
    assert summary["crops"]["train"] == 7


@pytest.mark.parametrize("half", [0, 1])
def test_silent_error_a_split_looks_at_the_target_of_a_fake_only(tmp_path: Path, half: int) -> None:
    rows = ffpp_rows()
    fake = next(row for row in rows if row["id"] == "Deepfakes/4_5")
    fake["groups"] = [["003", "4"], ["4", "003"]][half]
    with pytest.raises(DataError, match=r"1 identities stand in two splits: 003 \(train and test"):
        write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows))


def test_an_empty_split_class_or_method_is_named(tmp_path: Path) -> None:
    rows = [row for row in ffpp_rows() if row["split"] != "val"]
    with pytest.raises(DataError, match="split val is empty"):
        write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows))
    rows = [row for row in ffpp_rows() if row["id"] != "Face2Face/4_5"]
    with pytest.raises(DataError, match="subsets: Face2Face has no crop in test"):
        write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows))
    rows = [row for row in ffpp_rows() if row["split"] != "test" or row["labels"] == [1]]
    with pytest.raises(DataError, match="classes: 0 has no crop in test"):
        write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows))


def test_affectnet_validation_is_halved_by_class(tmp_path: Path) -> None:
    rows = affectnet_rows(6)
    options = trees.affectnet_options(tmp_path)
    found, summary = write(tmp_path, "affectnet", options, rows, cropped(rows, 2))
    for name in ("val", "test"):
        assert Counter(row["labels"][0] for row in found[name]) == dict.fromkeys(range(8), 3)
    assert {row["id"] for row in found["train"]} == {f"train/{c}" for c in range(8)}
    ids = (tmp_path / "test.txt").read_text().splitlines()
    assert ids == [row["id"] for row in found["test"]]
    assert summary["seed"] == 0
    assert {row["seed"] for part in found.values() for row in part} == {0}


def test_affectnet_half_of_an_odd_class_rounds_up(tmp_path: Path) -> None:
    rows = affectnet_rows(5)
    found, _ = write(tmp_path, "affectnet", trees.affectnet_options(tmp_path), rows, cropped(rows))
    assert Counter(row["labels"][0] for row in found["test"]) == dict.fromkeys(range(8), 3)


def test_affectnet_half_is_pinned(tmp_path: Path) -> None:
    """The rule must give this list on every machine and for ever: results are compared by it."""
    rows = [sample(f"val/{n}", "val", n % 2) for n in range(90, 106)]
    table = pa.Table.from_pylist(rows, schema=MANIFEST)

    def chosen(seed: int, share: float = 0.5) -> list[str]:
        names = splits.halve(table, share, seed)
        return [row["id"] for row, name in zip(rows, names, strict=True) if name == "test"]

    by_hand = []
    for label in (0, 1):
        ids = [row["id"] for row in rows if row["labels"] == [label]]
        by_hand += sorted(ids, key=lambda id: hashlib.sha256(f"0:{id}".encode()).digest())[:4]
    assert sorted(chosen(0)) == sorted(by_hand) == PINNED
    assert chosen(1) != chosen(0)
    assert len(chosen(0, 0.25)) == 4
    assert set(chosen(0, 0.25)) < set(chosen(0))


PINNED = ["val/100", "val/101", "val/105", "val/90", "val/91", "val/92", "val/94", "val/95"]


def test_affectnet_half_does_not_depend_on_crops_or_order(tmp_path: Path) -> None:
    rows = affectnet_rows()
    options = trees.affectnet_options(tmp_path, rejects_limit=0.5)
    _, whole = write(tmp_path, "affectnet", options, rows, cropped(rows))
    ids = (tmp_path / "test.txt").read_text()
    kept = [row for row in rows if row["id"] not in ("val/03", "val/11", "val/72")]
    _, less = write(tmp_path, "affectnet", options, rows[::-1], cropped(kept))
    assert (tmp_path / "test.txt").read_text() == ids
    assert less["ids_sha256"] == whole["ids_sha256"]


def test_attributes_may_be_constant(tmp_path: Path) -> None:
    rows = [
        sample(f"{n}.jpg", split, 0, labels=[1, 0, int(split == "val")], groups=[str(n)])
        for n, split in enumerate(["train", "train", "val", "test"])
    ]
    options = trees.celeba_options(tmp_path)
    found, summary = write(tmp_path, "celeba", options, rows, cropped(rows))
    assert found["val"][0]["labels"] == [1, 0, 1]
    positives = {"train": [2, 0, 0], "val": [1, 0, 1], "test": [1, 0, 0]}
    assert summary["attributes"]["positives"] == positives
    assert "classes" not in summary
    assert "subsets" not in summary


def test_labels_of_the_test_split_stand_in_its_file_alone(tmp_path: Path) -> None:
    rows = affectnet_rows()
    found, _ = write(tmp_path, "affectnet", trees.affectnet_options(tmp_path), rows, cropped(rows))
    test = {row["id"] for row in found["test"]}
    assert not test & {row["id"] for name in ("train", "val") for row in found[name]}
    assert {row["split"] for row in found["test"]} == {"test"}


def test_crops_of_an_older_manifest_are_refused(tmp_path: Path) -> None:
    rows = ffpp_rows()
    older = cropped([*rows, sample("original/9", "train", 0)])
    with pytest.raises(DataError, match="has no sample 'original/9', of which there is a crop"):
        write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, older)


def test_affectnet_halves_by_hand_as_the_page_says(tmp_path: Path) -> None:
    """The shell lines of docs/splits.md, run as they stand, give the test list and its hash."""
    page = (ROOT / "docs/splits.md").read_text()
    lines = re.findall(r"```sh\n(.*?)```", page, flags=re.S)
    rows = affectnet_rows(5) + [sample(f"val/ü {c}", "val", c) for c in range(4)]
    chosen = []
    for label in range(8):
        ids = [row["id"] for row in rows if row["labels"] == [label] and row["split"] == "val"]
        (tmp_path / "class.txt").write_text("".join(f"{id}\n" for id in ids))
        done = subprocess.run(
            ["sh", "-c", lines[0]], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        chosen += done.stdout.splitlines()
    _, summary = write(
        tmp_path, "affectnet", trees.affectnet_options(tmp_path), rows, cropped(rows)
    )
    assert (tmp_path / "test.txt").read_text().splitlines() == sorted(chosen)
    told = subprocess.run(
        ["sha256sum", "test.txt"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout.split()[0] == summary["ids_sha256"]["test"]


def test_what_another_program_can_score_is_listed(tmp_path: Path) -> None:
    rows = ffpp_rows()
    found, _ = write(tmp_path, "ffpp", ffpp_options(tmp_path), rows, cropped(rows, 1, 2))
    with open(tmp_path / "samples.csv", newline="") as file:
        listed = [(row["id"], int(row["frame"]), row["split"]) for row in csv.DictReader(file)]
    wanted = [(row["id"], row["frame"], name) for name in ("test", "val") for row in found[name]]
    assert listed == wanted
    assert {name for *_, name in listed} == {"test", "val"}
