"""Nearest neighbours on frozen features: scikit-learn's votes, chosen on validation alone."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from helpers import ROOT
from helpers.drawn_data import write
from helpers.training import RUN, files, view
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from lssat import grid, params, tables
from lssat.evaluation import evaluate, knn
from lssat.metrics import knn_votes
from lssat.tables import DataError
from lssat.tables.project import Splits
from lssat.training import train as step

ALONE = RUN._replace(configuration=grid.SUPERVISED)
PROBE = {"epochs": 2, "warmup_epochs": 0, "hflip": False, "tune": "linear"}


@pytest.mark.parametrize("kind", ["classes", "attributes"])
def test_votes_are_those_of_scikit_learn(kind: str) -> None:
    rng = np.random.default_rng(0)
    train, asked = rng.normal(size=(60, 5)), rng.normal(size=(1100, 5))
    labels = rng.integers(0, 3, 60)
    targets = np.eye(3)[labels] if kind == "classes" else rng.integers(0, 2, (60, 4)).astype(float)
    found = knn_votes.votes(train, targets, asked, (1, 20, 200))
    assert list(found) == [1, 20]
    for k, scores in found.items():
        own = KNeighborsClassifier(
            k, metric="cosine", weights=lambda far: np.exp((1 - far) / 0.07), algorithm="brute"
        )
        if kind == "classes":
            wanted = own.fit(train, labels).predict_proba(asked)
        else:
            wanted = np.stack([p[:, 1] for p in own.fit(train, targets).predict_proba(asked)], 1)
        assert scores == pytest.approx(wanted, abs=1e-9)


def test_fewer_samples_than_neighbours_all_vote() -> None:
    found = knn_votes.votes(np.eye(3), np.eye(3), np.eye(3), (10, 20))
    assert list(found) == [3]
    assert found[3].sum(axis=1) == pytest.approx([1, 1, 1])


def test_of_equal_similarities_the_first_samples_vote() -> None:
    rng = np.random.default_rng(0)
    similar = rng.integers(0, 5, (200, 40)) / 4  # many are equal
    for k in (1, 7, 40):
        wanted = np.argsort(-similar, axis=1, kind="stable")[:, :k]
        assert np.array_equal(knn_votes._nearest(similar, k), wanted)


def test_votes_do_not_depend_on_how_many_are_held_at_a_time(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    given = rng.normal(size=(60, 5)), np.eye(3)[rng.integers(0, 3, 60)], rng.normal(size=(50, 5))
    whole = knn_votes.votes(*given)
    monkeypatch.setattr(knn_votes, "_AT_ONCE", 7 * 60)
    for k, scores in knn_votes.votes(*given).items():
        assert scores == pytest.approx(whole[k], abs=1e-12)


@pytest.fixture(scope="module")
def probed(tmp_path_factory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("knn")
    data, out = root / "data", root / "run"
    write(data, {"train": 48, "val": 16, "test": 24})
    step.train(ALONE, files(data, out), view(**PROBE))
    return data, out


def asked(data: Path, out: Path) -> knn.Files:
    return knn.Files(
        out, Splits(data / "splits").tables, data / "faces", data / "texture", data / "features"
    )


def test_the_features_of_the_probe_are_found_and_only_tests_are_made(probed, capsys) -> None:
    data, out = probed
    before = {file: file.stat().st_mtime_ns for file in (data / "features").glob("*.npy")}
    found = knn.knn(ALONE, asked(data, out))
    assert "features of 24 samples of test" in (said := capsys.readouterr().out)
    assert "samples of train" not in said
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert set(found.val) == {10, 20}
    assert found.val[found.neighbours] == max(found.val.values())
    assert f"test, k = {found.neighbours}: " in knn.told(found)


def test_the_test_value_is_of_the_chosen_number(probed) -> None:
    data, out = probed
    found = knn.knn(ALONE, asked(data, out))
    arrays = {len(array): array for array in map(np.load, (data / "features").glob("*.npy"))}
    rows = {
        name: tables.read_table(data / f"splits/{name}.parquet", tables.SPLITS)
        for name in ("train", "test")
    }
    own = KNeighborsClassifier(
        found.neighbours, metric="cosine", weights=lambda far: np.exp((1 - far) / 0.07),
        algorithm="brute",
    )  # fmt: skip
    labels = {name: np.array(each["labels"].to_pylist())[:, 0] for name, each in rows.items()}
    own.fit(arrays[48].astype(float), labels["train"])
    scores = own.predict_proba(arrays[24].astype(float))[:, 1]
    by_id: dict[str, list] = {}
    for id, label, score in zip(
        rows["test"]["id"].to_pylist(), labels["test"], scores, strict=True
    ):
        by_id.setdefault(id, []).append((label, score))
    means = np.array([np.mean(each, axis=0) for each in by_id.values()])
    assert found.test == pytest.approx(roc_auc_score(means[:, 0], means[:, 1]))


def test_an_encoder_that_was_trained_is_refused(probed, tmp_path: Path) -> None:
    data, _ = probed
    step.train(ALONE, files(data, tmp_path / "full"), view(**PROBE | {"tune": "norm"}))
    with pytest.raises(DataError, match=r"trained its encoder \(tune: norm\), and k-NN is of a fr"):
        knn.knn(ALONE, asked(data, tmp_path / "full"))


@pytest.mark.slow
def test_the_evaluation_has_a_row_of_the_same_scores_beside_its_probes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write(data, {"train": 48, "val": 16, "test": 24}, multiclass=3)
    tables.write_json(data / "splits/summary.json", {"coverage": {"test": 1.0}})
    probes = [grid.Run("affectnet", "vit_micro", "none-none-CRGB+probe", seed) for seed in range(2)]
    full = probes[0]._replace(configuration=grid.SUPERVISED)
    for run, tune in (*((probe, "linear") for probe in probes), (full, "full")):
        step.train(run, files(data, tmp_path / run.path), view(**PROBE | {"tune": tune}))
    folders = {run.path: tmp_path / run.path for run in (*probes, full)}
    splits = Splits(data / "splits")
    metrics = tmp_path / "metrics.json"
    where = evaluate.Files(
        folders, splits.train, splits.val, splits.test, splits.summary, data / "faces",
        data / "texture", tmp_path / "predictions.parquet", metrics, features=data / "features",
    )  # fmt: skip
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    evaluate.evaluate("affectnet", where, part)
    found = tables.read_metrics(metrics)
    (row,) = found["nearest"]
    assert (row["backbone"], row["configuration"]) == ("vit_micro", "none/none/CRGB+probe")
    assert (row["metric"], row["level"], row["n"], row["groups"]) == ("top1", "image", 24, 24)
    alone = [
        knn.knn(run, knn.Files(folders[run.path], splits.tables, data / "faces", data / "texture",
                               data / "features"))
        for run in probes
    ]  # fmt: skip
    assert row["values"] == [each.test for each in alone]
    assert row["neighbours"] == [each.neighbours for each in alone]
    assert row["runs"] == [run.path for run in probes]
    assert row["mean"] == pytest.approx(np.mean(row["values"]))
    assert row["low"] < row["mean"] < row["high"]
    assert row["baseline"] == pytest.approx(1 / 3)
    evaluate.evaluate("affectnet", dataclasses.replace(where, features=None), part)
    assert "nearest" not in tables.read_metrics(metrics)


def test_manipulations_that_a_probe_left_out_do_not_vote(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write(data, {"train": 48, "val": 16, "test": 24})
    for name in ("train", "val"):
        file = data / f"splits/{name}.parquet"
        rows = tables.read_table(file, tables.SPLITS)
        subset = [["", "Deepfakes", "", "FaceSwap"][number % 4] for number in range(len(rows))]
        place = rows.schema.get_field_index("subset")
        rows = rows.set_column(place, "subset", pa.array(subset, pa.string()))
        tables.write_table(file, rows, tables.SPLITS, tables.metadata(rows))
    step.train(ALONE, files(data, tmp_path / "run"), view(**PROBE, methods=["Deepfakes"]))
    knn.knn(ALONE, asked(data, tmp_path / "run"))
    sizes = {len(np.load(file)) for file in (data / "features").glob("*.npy")}
    assert sizes == {36, 12, 24}  # of train and val without FaceSwap, of test
