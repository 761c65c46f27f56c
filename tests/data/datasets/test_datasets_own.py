"""A data set of one's own: folders and lists, from the raw tree to evaluated metrics."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, trees
from helpers.own import face, folders, listed, options, prepare
from helpers.views import changed

from lssat import grid, params, tables
from lssat.data import datasets, splits
from lssat.evaluation import evaluate
from lssat.tables import FACES, MANIFEST, SPLITS, DataError, metadata, read_table
from lssat.training import train as training


def measure(tmp_path: Path, at: dict[str, Path]) -> dict:
    """Train a tiny run on prepared data and evaluate it."""
    run = grid.Run("mine", "vit_micro", "MRGB-RLDP-CRGB", 0)
    view = params.view(str(ROOT / "params.yaml"), params.views.TrainView)
    recipe = {"epochs": 6, "batch_size": 8, "mask_ratio": 0.5, "class_weights": "none"}
    view = changed(view, train=recipe)
    out = tmp_path / "runs" / run.path
    files = training.Files(
        train=at["train"], val=at["val"], faces=at["faces"], codes=at["codes"],
        weights=out / "weights.safetensors", curve=out / "curve.csv",
        record=out / "record.json", reconstruction=out / "reconstruction.npz",
        checkpoints=tmp_path / "states",
        features=tmp_path / "features",
    )  # fmt: skip
    training.train(run, files, view)
    view = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    options = dict(resamples=100, confidence=0.95, seed=0, batch_size=32)
    view = changed(view, evaluate=options)
    where = {name: at[name] for name in (*splits.NAMES, "summary", "faces", "codes")}
    results = {"predictions": tmp_path / "p.parquet", "metrics": tmp_path / "metrics.json"}
    evaluate.evaluate("mine", evaluate.Files(runs={run.path: out}, **where, **results), view)
    return tables.read_json(results["metrics"])


def manifest(tmp_path: Path, own: params.Own) -> list[dict]:
    datasets.manifest("mine", own, tmp_path / "m.parquet", tmp_path / "r.parquet")
    return read_table(tmp_path / "m.parquet", MANIFEST).to_pylist()


@pytest.mark.slow
def test_folders_of_classes_from_raw_files_to_metrics(tmp_path: Path) -> None:
    root = folders(tmp_path / "raw", ("mid", "bright", "dusk"))
    at = prepare(tmp_path, options(root))
    task = grid.read_task(metadata(read_table(at["test"], SPLITS)), at["test"])
    assert task == ("mine", "multiclass", "top1", "image", "mine", ("bright", "dusk", "mid"))
    found = measure(tmp_path, at)
    assert (found["task"], found["kind"], found["metric"]) == ("mine", "multiclass", "top1")
    assert found["classes"] == ["bright", "dusk", "mid"]
    assert found["n"] == {"image": 24}
    assert (
        read_table(tmp_path / "p.parquet", tables.PREDICTIONS)["logits"][0].as_py().__len__() == 3
    )


def test_a_class_that_training_lacks_is_named(tmp_path: Path) -> None:
    root = folders(tmp_path / "raw", ("a", "b"), each=2)
    own = options(root, classes=["a", "b", "c"])
    with pytest.raises(DataError, match=r"classes: 2 has no crop in train \(4 crops\)"):
        prepare(tmp_path, own)


@pytest.mark.slow
def test_a_list_of_attributes_is_split_by_us_and_learnt(tmp_path: Path) -> None:
    rows = [f"all/{n:03}.jpg,{n % 2},{n % 3 % 2},p{n // 2:02}" for n in range(60)]
    root = listed(tmp_path / "raw", "path,dark,third,group", rows)
    own = options(root, csv="list.csv", kind="multilabel", title="Light", metric="auc")
    own = own.model_copy(update={"val_share": 0.1, "test_share": 0.25})
    at = prepare(tmp_path, own)
    found = measure(tmp_path, at)
    assert (found["kind"], found["metric"], found["title"]) == ("multilabel", "auc", "Light")
    assert found["classes"] == ["dark", "third"]
    summary = tables.read_json(at["summary"])
    assert summary["samples"] == {"train": 38, "val": 6, "test": 16}
    assert summary["seed"] == 0
    whole = {row["id"]: row["group"] for row in read_table(at["manifest"], MANIFEST).to_pylist()}
    split_of: dict[str, set[str]] = {}
    for name in splits.NAMES:
        for id in read_table(at[name], SPLITS)["id"].to_pylist():
            split_of.setdefault(whole[id], set()).add(name)
    # Pairs stay together, by the hash of seed and group: 15 of 60 for the test, 6 more to choose.
    order = sorted(split_of, key=lambda g: hashlib.sha256(f"0:holdout:{g}".encode()).hexdigest())
    wanted = dict(zip(order, ["test"] * 8 + ["val"] * 3 + ["train"] * 19, strict=True))
    assert split_of == {group: {name} for group, name in wanted.items()}
    (row,) = [r for r in found["table"] if r["metric"] == "auc"]
    assert row["mean"] > row["baseline"]


@pytest.mark.slow
def test_a_list_of_videos_is_detected_and_scored_as_videos(tmp_path: Path) -> None:
    rows, root = [], tmp_path / "raw"
    for n in range(18):
        path = f"v/{n}.mp4"
        trees.video(root / path, [trees.scene(n) // (1 + 2 * (n % 2))] * 3)
        split = ("train", "val", "test")[n // 6]
        rows.append(f"{path},{'fake' if n % 2 else 'real'},{split},g{n}")
    listed(root, "path,label,split,group", rows, draw=False)
    own = options(
        root, csv="list.csv", kind="binary", positive="fake", faces="detect", frames=2,
        rejects_limit=0.3,
    )  # fmt: skip
    at = prepare(tmp_path, own)
    found = measure(tmp_path, at)
    assert (found["kind"], found["level"], found["metric"]) == ("binary", "video", "auc")
    assert found["classes"] == ["real", "fake"]
    assert found["n"]["frame"] <= 2 * found["n"]["video"] <= 12
    labels = {r["id"]: r["labels"] for r in read_table(at["manifest"], MANIFEST).to_pylist()}
    assert labels["v/1.mp4"] == [1]
    assert labels["v/2.mp4"] == [0]


def test_the_positive_class_is_1_whatever_its_place_in_the_alphabet(tmp_path: Path) -> None:
    root = folders(tmp_path / "raw", ("real", "fake"), each=1)
    for positive in ("real", "fake"):
        own = options(root, kind="binary", positive=positive)
        rows = manifest(tmp_path, own)
        assert {row["path"].split("/")[1]: row["labels"] for row in rows}[positive] == [1]
        assert datasets.task("mine", own).classes[1] == positive


@pytest.mark.slow
def test_images_are_detected_where_the_section_says_so(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    for split in ("train", "val", "test"):
        for n, name in enumerate("ab"):
            trees.jpeg(root / split / name / "1.jpg", trees.scene(n))
    prepare(tmp_path, options(root, faces="detect"))
    found = read_table(tmp_path / "faces/shard-00000.parquet", FACES)
    assert min(found["score"].to_pylist()) >= 0.7
    prepare(tmp_path, options(root))
    found = read_table(tmp_path / "faces/shard-00000.parquet", FACES)
    assert np.isnan(found["score"].to_numpy()).all()
    assert found["box"].to_pylist()[0] == [0, 0, 192, 192]


def test_boxes_of_the_list_are_used(tmp_path: Path) -> None:
    rows = [
        f"{n}.jpg,{'ab'[n % 2]},{['train', 'val', 'test'][n // 2]},10,20,30,30" for n in range(6)
    ]
    root = listed(tmp_path / "raw", "path,label,split,x,y,width,height", rows)
    at = prepare(tmp_path, options(root, csv="list.csv", faces="box"))
    assert read_table(at["manifest"], MANIFEST)["box"].to_pylist()[0] == [10, 20, 30, 30]
    box = read_table(tmp_path / "faces/shard-00000.parquet", FACES)["box"].to_pylist()[0]
    assert box == [6, 16, 45, 55]  # 1.3 x 30 px around (25, 35)


def test_only_test_data_need_no_other_split(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    for n, name in enumerate(("real", "fake")):
        trees.jpeg(root / "test" / name / "1.jpg", face(n))
    own = options(root, kind="binary", positive="fake", test_only=True)
    at = prepare(tmp_path, own)
    assert tables.read_json(at["summary"])["samples"] == {"train": 0, "val": 0, "test": 2}
    with pytest.raises(DataError, match="train: does not exist; it is the folder of a split"):
        manifest(tmp_path, own.model_copy(update={"test_only": False}))
