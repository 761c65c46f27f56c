"""Evaluation: every sample of the test split gets one prediction, under its own id."""

import csv
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from helpers import ROOT
from helpers.drawn_data import write
from helpers.training import files, view
from helpers.views import changed
from sklearn.metrics import roc_auc_score

from lssat import params, tables
from lssat.evaluation import evaluate, logits
from lssat.grid import Run, releases
from lssat.tables import DataError
from lssat.training import train as training
from lssat.training.loader import Crops

COUNTS = {"train": 48, "val": 16, "test": 24}
ODD = ["000003", "NA", "nan", "1e5"]
RUNS = [Run("celeba", "vit_micro", name, 0) for name in ("none-none-CLDP", "MRGB-RLDP-CRGB")]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    first = COUNTS["train"] + COUNTS["val"]  # of the test split
    write(folder, COUNTS, outputs=3, odd=dict(enumerate(ODD, first)))
    summary = {"coverage": {"train": 1.0, "val": 1.0, "test": 0.96}}
    tables.write_json(folder / "splits/summary.json", summary)
    for run in RUNS:
        training.train(run, files(folder, folder / "runs" / run.path), view(epochs=1))
    return folder


def evaluated(data: Path, out: Path) -> dict:
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    part = changed(part, evaluate={"resamples": 100, "batch_size": 7})
    splits = data / "splits"
    evaluate.evaluate(
        "celeba",
        evaluate.Files(
            runs={run.path: data / "runs" / run.path for run in RUNS},
            train=splits / "train.parquet", val=splits / "val.parquet",
            test=splits / "test.parquet", summary=splits / "summary.json",
            faces=data / "faces", codes=data / "texture",
            predictions=out / "predictions.parquet", metrics=out / "metrics.json",
        ),
        part,
    )  # fmt: skip
    return tables.read_json(out / "metrics.json")


@pytest.mark.slow
def test_fault_c12_each_row_has_the_validation_loss_of_its_kept_epochs(
    data: Path, tmp_path: Path
) -> None:
    losses = {}
    for run in RUNS:
        folder = data / "runs" / run.path
        record = tables.read_json(folder / "record.json")
        with open(folder / "curve.csv", newline="") as lines:
            losses[run.path] = {
                int(row["epoch"]): float(row["val_loss_cls"]) for row in csv.DictReader(lines)
            }[record["best_epoch"]]
        assert record["best_loss"] == pytest.approx(losses[run.path])
    for row in evaluated(data, tmp_path)["table"]:
        assert row["val_loss"] == pytest.approx(np.mean([losses[run] for run in row["runs"]]))


def test_case_12_ids_reach_the_predictions_unchanged_and_no_sample_is_lost(
    data: Path, tmp_path: Path
) -> None:
    metrics = evaluated(data, tmp_path)
    table = tables.read_table(tmp_path / "predictions.parquet", tables.PREDICTIONS)
    assert len(table) == len(RUNS) * (COUNTS["val"] + COUNTS["test"])
    for run in RUNS:
        mine = table.filter(pc.equal(table["run"], run.path))
        test = mine.filter(pc.equal(mine["split"], "test"))
        wanted = tables.read_table(data / "splits/test.parquet", tables.SPLITS)
        assert test["id"].to_pylist() == wanted["id"].to_pylist()
        assert test["labels"].to_pylist() == wanted["labels"].to_pylist()
    assert test["id"].to_pylist()[:4] == ODD
    assert metrics["n"] == {"image": 24}
    assert metrics["coverage"] == 0.96
    assert {each["run"] for each in metrics["runs"]} == {run.path for run in RUNS}


def test_predictions_are_those_of_the_runs_weights_whatever_the_batch(
    data: Path, tmp_path: Path
) -> None:
    evaluated(data, tmp_path)
    table = tables.read_table(tmp_path / "predictions.parquet", tables.PREDICTIONS)
    run = RUNS[0]
    mine = table.filter(pc.equal(table["run"], run.path))
    found = np.array(mine.filter(pc.equal(mine["split"], "test"))["logits"].to_pylist())
    crops = Crops(data / "splits/test.parquet", data / "faces", data / "texture")
    model = logits.load_run(data / "runs" / run.path)
    np.testing.assert_allclose(found, logits.logits(model, crops, 24), rtol=1e-4, atol=1e-5)


def test_evaluating_again_gives_the_same_bytes(data: Path, tmp_path: Path) -> None:
    for name in "ab":
        evaluated(data, tmp_path / name)
    for file in ("predictions.parquet", "metrics.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_crops_of_another_size_than_the_runs_are_refused(data: Path, tmp_path: Path) -> None:
    run = data / "runs" / RUNS[0].path
    model = logits.load_run(run)
    model.img_size = 60
    crops = Crops(data / "splits/test.parquet", data / "faces", data / "texture")
    with pytest.raises(DataError, match="has crops of 40 px, the run wants 60"):
        logits.logits(model, crops, 8)


def test_runs_are_tested_on_a_data_set_that_they_were_not_trained_on(tmp_path: Path) -> None:
    """Everything but the training labels is the other data set's; AUC against scikit-learn."""
    own, other = tmp_path / "own", tmp_path / "other"
    write(own, {"train": 41, "val": 16})  # 21 of label 0, 20 of label 1
    write(other, {"test": 30})
    test = other / "splits/test.parquet"
    for file in (test, *other.glob("faces/*.parquet"), *other.glob("texture/*.parquet")):
        table = pq.read_table(file)
        rows = table.to_pylist()
        for row in rows:  # videos of two frames, more fakes than reals
            video, frame = divmod(int(row["id"]), 2)
            row |= {"id": f"v/{video:03}", "frame": frame}
            row |= {"labels": [int(video % 3 > 0)]} if file == test else {}
        head = releases.CROSS["celebdf"].header() if file == test else tables.metadata(table)
        tables.write_table(file, rows, table.schema.remove_metadata(), head)
    rows = pq.read_table(test).to_pylist()
    tables.write_json(other / "summary.json", {"coverage": {"test": 0.75, "train": None}})
    run = Run("ffpp", "vit_micro", "MLDP-RRGB-CLDP", 0)
    training.train(run, files(own, own / run.path), view(epochs=1))
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    part = changed(part, evaluate={"resamples": 100})
    where = evaluate.Files(
        runs={run.path: own / run.path}, train=own / "splits/train.parquet", val=None, test=test,
        summary=other / "summary.json", faces=other / "faces", codes=other / "texture",
        predictions=tmp_path / "p.parquet", metrics=tmp_path / "m.json",
    )  # fmt: skip
    evaluate.evaluate("celebdf", where, part)
    found = tables.read_json(tmp_path / "m.json")
    assert (found["task"], found["dataset"], found["title"]) == ("ffpp", "celebdf", "Celeb-DF v2")
    assert (found["n"], found["coverage"]) == ({"frame": 30, "video": 15}, 0.75)
    predictions = tables.read_table(tmp_path / "p.parquet", tables.PREDICTIONS)
    assert set(predictions["split"].to_pylist()) == {"test"}
    assert predictions["id"].to_pylist() == [row["id"] for row in rows]
    at = {(row["level"], row["metric"]): row for row in found["table"]}
    scores = 1 / (1 + np.exp(-np.array(predictions["logits"].to_pylist())[:, 0].astype(float)))
    truth = np.array(predictions["labels"].to_pylist())[:, 0]
    assert at["frame", "auc"]["mean"] == pytest.approx(roc_auc_score(truth, scores))
    videos = scores.reshape(15, 2).mean(axis=1)
    assert at["video", "auc"]["mean"] == pytest.approx(roc_auc_score(truth[::2], videos))
    # The trivial answer is the majority of ffpp's training labels, real, and not of these, fake.
    assert at["video", "accuracy"]["baseline"] == pytest.approx(np.mean(truth[::2] == 0))


def test_a_data_set_of_another_kind_is_refused(data: Path, tmp_path: Path) -> None:
    write(tmp_path, {"train": 8, "test": 8})
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    where = evaluate.Files(
        runs={}, train=data / "splits/train.parquet", val=None,
        test=tmp_path / "splits/test.parquet", summary=tmp_path, faces=tmp_path, codes=tmp_path,
        predictions=tmp_path / "p", metrics=tmp_path / "m",
    )  # fmt: skip
    with pytest.raises(DataError, match=r"is binary, and celeba is multilabel\. Map its classes"):
        evaluate.evaluate("ffpp", where, part)
