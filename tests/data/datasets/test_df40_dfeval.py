"""DF40 and Deepfake-Eval-2024: test sets in the layouts that their authors describe, drawn."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from PIL import Image

from lssat import params
from lssat.data import datasets, doctor
from lssat.tables import MANIFEST, REJECTS, DataError, read_table

THEIRS = "/home/authors/deepfakes_detection_datasets/"
REALS = "FaceForensics++/original_sequences/youtube/c23/frames"
CSV = "Filename,Video Ground Truth,Audio Ground Truth,Public Comments,Finetuning Set"


def options(name: str, root: Path, **other: object) -> params.Dataset:
    values = {"sets": ["simswap_ff", "blendface_cdf"]} if name == "df40" else {}
    common = {"root": str(root), "shards": 1, "rejects_limit": 0.0, "frames": 2}
    return params.SECTIONS[name](**{**common, **values, **other})


def frames(root: Path, folder: str, video: str) -> dict:
    """Draw two frames, and return what a list says of them."""
    names = [f"{folder}/{video}/{n:03}.png" for n in range(2)]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), 9, np.uint8)).save(root / name)
    return {"label": "x", "frames": [THEIRS + name for name in names]}


def df40(root: Path) -> Path:
    """Two sets; one has a compression between split and video, both name one real video."""
    real = {"000": frames(root, REALS, "000")}
    swap = {"000_003": frames(root, "DF40/simswap/ff/frames", "000_003")}
    celeb = {"id1_0007": frames(root, "Celeb-DF-v2/Celeb-real/frames", "id1_0007")}
    blend = {"id1_id0_0007": frames(root, "DF40/blendface/cdf/frames", "id1_id0_0007")}
    sets = {
        "simswap_ff": {
            "roop_Real": {"train": {}, "test": {"c23": real}},
            "roop_Fake": {"train": {"never": 1}, "test": {"c23": swap}},
        },
        "blendface_cdf": {"b_Real": {"test": celeb | real}, "b_Fake": {"test": blend}},
    }
    (root / "dataset_json").mkdir()
    for name, content in sets.items():
        (root / f"dataset_json/{name}.json").write_text(json.dumps({name: content}))
    return root


def dfeval(root: Path, *rows: str) -> Path:
    (root / "video-data").mkdir(parents=True)
    given = rows or ("a.mp4,Real,Real,,Train", 'b.mp4,Fake,Real,"lips, off",Test')
    (root / "video-metadata-publish.csv").write_text("\n".join([CSV, *given]) + "\n")
    for row in given:
        (root / "video-data" / row.split(",")[0]).write_bytes(trees.BEGINNING)
    return root


def steps(tmp_path: Path, name: str, own: params.Dataset) -> tuple[list[dict], list[dict]]:
    datasets.manifest(name, own, tmp_path / "m.parquet", tmp_path / "r.parquet")
    rows = read_table(tmp_path / "m.parquet", MANIFEST).to_pylist()
    return rows, read_table(tmp_path / "r.parquet", REJECTS).to_pylist()


def test_df40_has_each_set_as_a_subset_and_a_shared_real_once(tmp_path: Path) -> None:
    rows, rejects = steps(tmp_path, "df40", options("df40", df40(tmp_path / "raw")))
    assert not rejects
    assert {(row["subset"], *row["labels"], row["path"].split("/")[-1]) for row in rows} == {
        ("real", 0, "000"), ("real", 0, "id1_0007"),
        ("simswap_ff", 1, "000_003"), ("blendface_cdf", 1, "id1_id0_0007"),
    }  # fmt: skip
    assert {(row["split"], row["media"]) for row in rows} == {("test", "frames")}
    groups = {row["path"].split("/")[-1]: row["groups"] for row in rows}
    assert groups["000_003"] == ["ff/000", "ff/003"]
    assert groups["id1_id0_0007"] == ["cdf/id1", "cdf/id0"]
    assert groups["id1_0007"] == ["cdf/id1"]


def test_df40_misses_a_folder_and_says_which(tmp_path: Path) -> None:
    root = df40(tmp_path / "raw")
    (root / "DF40/simswap/ff/frames/000_003").rename(root / "DF40/simswap/ff/frames/other")
    with pytest.raises(DataError, match="1 of 4 rejected"):
        steps(tmp_path, "df40", options("df40", root))
    (lost,) = read_table(tmp_path / "r.parquet", REJECTS).to_pylist()
    assert (lost["reason"], lost["path"]) == ("missing", "DF40/simswap/ff/frames/000_003")


def _changed(root: Path, change: object) -> None:
    file = root / "dataset_json/simswap_ff.json"
    content = json.loads(file.read_text())
    change(content)  # type: ignore[operator]
    file.write_text(json.dumps(content))


def test_df40_lists_that_are_not_the_authors_are_refused(tmp_path: Path) -> None:
    def single(content: dict) -> None:
        fakes = content["simswap_ff"]["roop_Fake"]["test"]["c23"]
        fakes["000_004"] = fakes["000_003"]

    def strange(content: dict) -> None:
        content["simswap_ff"]["roop_Other"] = {}

    def outside(content: dict) -> None:
        content["simswap_ff"]["roop_Fake"]["test"]["c23"]["000_003"]["frames"] = ["../x.png"]

    for change, said in (
        (single, "000_004 and 000_003 share the folder .* single images and no videos"),
        (strange, "'roop_Other' ends in neither Real nor Fake"),
        (outside, "'../x.png' is not a path below the data root"),
        (dict.clear, "has no key 'simswap_ff'"),
    ):
        root = df40(tmp_path / said[:8].replace("/", "").strip("'"))
        _changed(root, change)
        with pytest.raises(DataError, match=said):
            datasets.listed("df40", options("df40", root))


def test_a_video_of_df40_without_frames_in_the_list_is_a_reject(tmp_path: Path) -> None:
    """It vanished without a row."""

    def emptied(content: dict) -> None:
        content["simswap_ff"]["roop_Fake"]["test"]["c23"]["000_003"]["frames"] = []

    root = df40(tmp_path / "raw")
    whole, _ = datasets.listed("df40", options("df40", root))
    _changed(root, emptied)
    rows, rejects = datasets.listed("df40", options("df40", root))
    assert len(rows) == len(whole) - 1
    (lost,) = rejects
    assert (lost["id"], lost["reason"]) == ("simswap_ff/000_003", "no_frames")
    assert lost["detail"] == "the list names no frame of it"


def test_a_folder_of_df40_is_real_or_fake(tmp_path: Path) -> None:
    """The first list to name it decided."""

    def both(content: dict) -> None:
        sets = content["simswap_ff"]
        fakes, (reals, *_) = sets["roop_Fake"]["test"]["c23"], _videos_of(sets)
        fakes |= reals

    def _videos_of(sets: dict) -> list[dict]:
        (name,) = (name for name in sets if name.lower().endswith("real"))
        return [*sets[name]["test"].values()]

    root = df40(tmp_path / "raw")
    _changed(root, both)
    with pytest.raises(DataError, match=r" is fake here, and real before it\. Fetch the lists"):
        datasets.listed("df40", options("df40", root))


def test_a_set_without_a_list_is_told(tmp_path: Path) -> None:
    own = options("df40", df40(tmp_path / "raw"), sets=["e4s_ff"])
    with pytest.raises(DataError, match=r"e4s_ff\.json: does not exist .* list of this set"):
        datasets.listed("df40", own)


def test_dfeval_counts_pictures_and_not_sound(tmp_path: Path) -> None:
    rows, rejects = steps(tmp_path, "dfeval", options("dfeval", dfeval(tmp_path / "raw")))
    assert not rejects
    assert {row["path"]: row["labels"] for row in rows} == {
        "video-data/a.mp4": [0], "video-data/b.mp4": [1]
    }  # fmt: skip
    assert {row["split"] for row in rows} == {"test"}


def test_dfeval_may_be_the_authors_test_part_alone(tmp_path: Path) -> None:
    own = options("dfeval", dfeval(tmp_path / "raw"), part="test")
    assert [row["path"] for row in datasets.listed("dfeval", own)[0]] == ["video-data/b.mp4"]


def test_dfeval_leaves_out_what_is_neither_real_nor_fake(tmp_path: Path) -> None:
    given = ("a.mp4,Real,Real,,Test", "b.mp4,Fake,Real,,Test", "c.mp4,Unknown,Real,,Test")
    _, rejects = steps(tmp_path, "dfeval", options("dfeval", dfeval(tmp_path / "raw", *given)))
    (row,) = rejects
    assert (row["reason"], row["detail"]) == ("excluded_class", "Video Ground Truth Unknown")


def test_dfeval_without_a_column_is_refused(tmp_path: Path) -> None:
    root = dfeval(tmp_path / "raw")
    file = root / "video-metadata-publish.csv"
    file.write_text(file.read_text().replace("Video Ground Truth", "Truth"))
    with pytest.raises(DataError, match=r"csv:1: has no column Video Ground Truth; it has File"):
        datasets.listed("dfeval", options("dfeval", root))


@pytest.mark.parametrize("name", ["df40", "dfeval"])
def test_the_doctor_finds_no_fault_in_a_whole_tree(tmp_path: Path, name: str) -> None:
    root = {"df40": df40, "dfeval": dfeval}[name](tmp_path / "raw")
    seen = doctor.inspect(name, options(name, root), configured=True)
    assert [each.problem for each in seen.findings if each.severity == "error"] == []
