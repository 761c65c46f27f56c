"""Crops: found by MTCNN on the installed torch, cut exactly, the same bytes on every run."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from PIL import Image
from typer.testing import CliRunner

from lssat import tables
from lssat.cli import commands as cli
from lssat.data import datasets, faces
from lssat.data.audit import phash
from lssat.tables import FACES, MANIFEST, REJECTS, metadata, open_shard, read_table
from lssat.tables.project import Project


def run(dataset: str, options, tmp_path: Path, shard: int = 0, size: int = 32):
    manifest = tmp_path / "manifest.parquet"
    if not manifest.exists():
        datasets.manifest(dataset, options, manifest, tmp_path / "manifest.rejects.parquet")
    paths = [tmp_path / f"shard-{shard}{end}" for end in (".npy", ".parquet", ".rejects.parquet")]
    settings = trees.FACES.model_copy(update={"size": size})
    faces.crop_shard(manifest, dataset, options, settings, shard, *paths)
    table = read_table(paths[1], FACES)
    crops = open_shard(paths[0], metadata(table)["sha256"], "")
    return crops, table, read_table(paths[2], REJECTS).to_pylist(), paths


@pytest.mark.slow
def test_ffpp_shard(tmp_path: Path) -> None:
    pairs = {"train": [["000", "003"]], "val": [], "test": []}
    root = trees.ffpp(tmp_path / "raw", pairs, moving=True)
    empty = [trees.scene(0), np.full((192, 192, 3), 99, np.uint8)]
    trees.video(root / "original_sequences/youtube/c23/videos/003.mp4", empty)
    trees.video(root / "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4", empty[:1])
    crops, table, rejects, paths = run("ffpp", trees.ffpp_options(root), tmp_path)
    rows = table.to_pylist()
    assert crops.shape == (10, 32, 32, 3)
    assert crops.dtype == np.uint8
    assert [(row["id"], row["frame"]) for row in rows[:4]] == [
        ("Deepfakes/c23/000_003", 0),  # a whole video of one frame: all it has
        ("Deepfakes/c23/003_000", 0),
        ("Deepfakes/c23/003_000", 1),
        ("Face2Face/c23/000_003", 0),
    ]
    assert [(row["id"], row["reason"], row["detail"][:7]) for row in rejects] == [
        ("original/c23/003", "no_face", "frame 1"),
    ]
    assert [row["n_frames"] for row in rows] == [1] + [2] * 9
    assert [row["row"] for row in rows] == list(range(10))
    assert {row["shard"] for row in rows} == {0}
    for row, crop in zip(rows, crops, strict=True):
        x0, y0, x1, y1 = row["box"]
        assert x1 - x0 == y1 - y0
        assert 100 < x1 - x0 < 220
        assert row["n_faces"] == 1
        assert row["score"] > 0.7
        points = np.reshape(row["landmarks"], (5, 2))
        assert ((points > [x0, y0]) & (points < [x1, y1])).all()
        assert row["sha256"] == hashlib.sha256(crop.tobytes()).hexdigest()
        assert row["phash"] == phash.phash(crop)
    moved = rows[2]["box"][0] - rows[1]["box"][0]
    assert 4 <= moved <= 16  # the second frame's face stands 9 px further right
    header = metadata(table)
    assert (header["size"], header["dataset"]) == ("32", "ffpp")
    settings = json.loads(header["settings"])
    assert settings["margin"] == 1.3
    assert settings["detector"].startswith("MTCNN")
    before = [path.read_bytes() for path in paths]
    run("ffpp", trees.ffpp_options(root), tmp_path)
    assert [path.read_bytes() for path in paths] == before


def test_celeba_is_cut_centrally_and_not_detected(tmp_path: Path) -> None:
    root = trees.celeba(tmp_path / "raw", ["1.jpg", "2.jpg"], "02", ["a", "b"])
    crops, table, rejects, _ = run("celeba", trees.celeba_options(root), tmp_path, size=178)
    with Image.open(root / "img_align_celeba/2.jpg") as image:
        assert np.array_equal(crops[1], np.asarray(image)[20:198])
    row = table.to_pylist()[1]
    assert row["box"] == [0, 20, 178, 198]
    assert row["landmarks"] == []
    assert np.isnan(row["score"])
    assert (row["frame"], row["n_faces"], row["n_frames"], rejects) == (0, 1, 1, [])
    assert json.loads(metadata(table)["settings"])["detector"] == "none"


def test_affectnet_is_resized_whole(tmp_path: Path) -> None:
    root = trees.affectnet(tmp_path / "raw", {"val": {"5": "1"}})
    crops, table, _, _ = run("affectnet", trees.affectnet_options(root), tmp_path, size=64)
    with Image.open(root / "val_set/images/5.jpg") as image:
        assert np.array_equal(crops[0], np.asarray(image))
    assert table["box"].to_pylist() == [[0, 0, 64, 64]]


def test_a_given_box_is_used(tmp_path: Path) -> None:
    root = trees.celeba(tmp_path / "raw", ["1.jpg", "2.jpg"], "02", ["a", "b"])
    options, manifest = trees.celeba_options(root), tmp_path / "manifest.parquet"
    datasets.manifest("celeba", options, manifest, tmp_path / "rejects.parquet")
    rows = read_table(manifest, MANIFEST).to_pylist()
    rows[0]["box"], rows[1]["box"] = [30, 40, 60, 100], [30, 40, -5, 100]
    tables.write_table(manifest, rows, MANIFEST)
    crops, table, rejects, _ = run("celeba", options, tmp_path)
    assert table["box"].to_pylist() == [[-5, 25, 125, 155]]
    assert len(crops) == 1
    assert [(row["id"], row["reason"]) for row in rejects] == [("2.jpg", "no_face")]


def test_bad_images_are_rejected_and_the_others_kept(tmp_path: Path) -> None:
    names = ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    root = trees.celeba(tmp_path / "raw", names, "0122", "abcd")
    folder = root / "img_align_celeba"
    whole = (folder / "2.jpg").read_bytes()
    (folder / "1.jpg").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (folder / "2.jpg").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (1, 1)).save(folder / "3.jpg")
    crops, table, rejects, _ = run("celeba", trees.celeba_options(root), tmp_path)
    assert table["id"].to_pylist() == ["4.jpg"]
    assert crops.shape == (1, 32, 32, 3)
    assert [row["reason"] for row in rejects] == ["unreadable", "truncated", "too_small"]


def test_shards_part_the_samples_and_may_be_empty(tmp_path: Path) -> None:
    names = ["1.jpg", "2.jpg", "3.jpg"]
    root = trees.celeba(tmp_path / "raw", names, "012", "abc")
    options = trees.celeba_options(root, shards=8)
    found = [run("celeba", options, tmp_path, shard) for shard in range(8)]
    ids = [id for _, table, _, _ in found for id in table["id"].to_pylist()]
    assert sorted(ids) == names
    empty = [crops for crops, _, _, _ in found if not len(crops)]
    assert len(empty) >= 5
    assert all(crops.shape == (0, 32, 32, 3) for crops in empty)
    for shard, (_, table, _, _) in enumerate(found):
        assert set(table["shard"].to_pylist()) <= {shard}


def test_the_command_writes_what_the_function_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the rule calls it, device and parameters included."""
    monkeypatch.setattr("gc.freeze", lambda: None)  # in a process with torch it makes noise later
    root = trees.celeba(tmp_path / "raw", ["1.jpg", "2.jpg"], "02", ["a", "b"])
    options = trees.celeba_options(root)
    _, _, _, paths = run("celeba", options, tmp_path, size=48)
    settings = trees.FACES.model_copy(update={"size": 48}).model_dump()
    text = json.dumps({"datasets": {"celeba": options.model_dump()}, "faces": settings})
    monkeypatch.chdir(tmp_path)
    again = Project().data("celeba")
    again.root.mkdir(parents=True)
    shutil.copy("manifest.parquet", again.manifest)
    line = ["faces", "--task", "celeba", "--shard", "00000", "--device", "cpu", "--params", text]
    done = CliRunner().invoke(cli.app, line)
    assert done.exit_code == 0, done.output
    out = again.faces.shard(0)
    assert [path.read_bytes() for path in out] == [path.read_bytes() for path in paths]


def test_fault_d5_few_frames_are_used_and_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = trees.ffpp(tmp_path / "raw", {"train": [["000", "003"]], "val": [], "test": []})
    videos = root / "original_sequences/youtube/c23/videos"
    trees.video(videos / "000.mp4", [trees.scene(0)] * 9)
    trees.video(videos / "003.mp4", [trees.scene(0)] * 3)
    options = trees.ffpp_options(root, frames=32)
    _, table, rejects, _ = run("ffpp", options, tmp_path)
    found = [(row["id"], row["frame"], row["n_frames"]) for row in table.to_pylist()]
    assert found == [("original/c23/000", n, 9) for n in range(9)] + [
        ("original/c23/003", n, 3) for n in range(3)
    ]
    assert not [row for row in rejects if row["id"].startswith("original")]
    said = capsys.readouterr().err
    assert "warning: 1 videos have fewer than 8 frames, original/c23/003 only 3; all are used" in (
        said
    )
