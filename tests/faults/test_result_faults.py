"""Results that cannot be computed or cannot be believed."""

import numpy as np
import pytest
from helpers.scored import OPTIONS, RUNS, deepfake_rows, image_rows, summarise, table

from lssat import metrics, tables
from lssat.evaluation import scores
from lssat.grid import releases


def _rows_of(found: dict) -> dict:
    return {(row["level"], row["metric"]): row for row in found["table"]}


def test_case_36_one_class_split(tmp_path):
    rows = [row for row in deepfake_rows() if row["subset"] == "Deepfakes"]
    found = summarise(rows)
    for run in found["runs"]:
        for name in ("auc", "ap", "eer", "balanced_accuracy", "tpr_at_fpr01"):
            assert run["metrics"][f"video/{name}"] is None
            assert run["notes"][f"video/{name}"] == "no sample of class 0 among 12 labels"
        assert run["metrics"]["video/accuracy"] is not None
    row = _rows_of(found)["video", "auc"]
    assert row["mean"] is row["low"] is row["high"] is row["baseline"] is None
    assert row["note"] == "no sample of class 0 among 12 labels"
    assert not row["beats_baseline"]
    assert found["roc"][0] == {"run": RUNS[0], "level": "video", "fpr": [], "tpr": [], "auc": None}
    for row in found["subsets"]:
        defined = row["metric"] == "accuracy"
        assert (row["mean"] is not None, row["baseline"] is not None) == (defined, defined)
        assert defined or row["note"] == "no sample of class 0 among 12 labels" or row["n"] == 24
    tables.write_json(tmp_path / "metrics.json", found)
    assert tables.read_json(tmp_path / "metrics.json") == found
    assert set(scores.flat(found).values()) == {None}


@pytest.mark.parametrize("label", [0, 1])
def test_case_36_one_class_is_never_a_flattering_number(label):
    labels, probabilities = np.full(9, label), np.linspace(0, 1, 9)
    found = metrics.measure("binary", labels, probabilities)
    undefined = {name for name, value in found.items() if value is None}
    assert undefined == set(metrics.NAMES["binary"]) - {"accuracy"}
    assert set(found["notes"]) == undefined


def test_case_36_absent_class():
    rows = [row for row in image_rows("affectnet") if row["labels"] != [3]]
    found = summarise(rows, "affectnet", np.array([[0], [1]]))
    for name in ("macro_f1", "balanced_accuracy"):
        row = _rows_of(found)["image", name]
        assert row["mean"] is None
        assert row["note"] == "no sample of class 3 among 36 labels"
    assert _rows_of(found)["image", "top1"]["mean"] is not None
    assert found["runs"][0]["metrics"]["image/auc"] is None


def test_case_36_all_attributes_constant():
    rows = [row | {"labels": [0, 1, 0]} for row in image_rows("celeba")]
    found = summarise(rows, "celeba", np.array([[0, 1, 0]]))
    row = _rows_of(found)["image", "balanced_accuracy"]
    assert row["mean"] is None
    assert row["note"] == "mean over 0 of 3 attributes; the others are constant here"
    assert _rows_of(found)["image", "accuracy"]["mean"] is not None


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("task", ["ffpp", "celeba", "affectnet"])
def test_case_36_scores_that_are_not_finite(task, bad):
    rows = deepfake_rows() if task == "ffpp" else image_rows(task)
    rows[3] = rows[3] | {"logits": [bad] * len(rows[3]["logits"])}
    train = np.array([[0, 1, 0]]) if task == "celeba" else np.array([[0], [1]])
    found = summarise(rows, task, train)
    broken, sound = found["runs"]
    assert set(broken["metrics"].values()) == {None}
    assert broken["collapsed"]
    assert None not in sound["metrics"].values()
    assert not sound["collapsed"]
    for row in found["table"]:
        assert row["mean"] is row["low"] is None
        assert not row["beats_baseline"]
        assert row["collapsed"]
        assert "a score that is not finite" in row["note"]


def test_case_36_one_undefined_seed_leaves_the_mean_undefined():
    rows = deepfake_rows()
    rows[0] = rows[0] | {"logits": [float("nan")]}
    row = _rows_of(summarise(rows))["video", "auc"]
    assert row["values"][0] is None
    assert row["values"][1] is not None
    assert row["mean"] is None


@pytest.mark.parametrize("task", ["ffpp", "celeba", "affectnet"])
def test_case_38_one_class_predicted(task):
    rows = deepfake_rows() if task == "ffpp" else image_rows(task)
    run = rows[0]["run"]
    ranks = [row["logits"] for row in rows]  # a good ranking, all on one side of the threshold
    if task == "affectnet":
        constant = [[logits[0] / 100 + 9, *np.array(logits[1:]) / 100] for logits in ranks]
    else:
        constant = [(np.array(logits) / 100 + 9).tolist() for logits in ranks]
    rows = [
        row | ({"logits": logits} if row["run"] == run else {})
        for row, logits in zip(rows, constant, strict=True)
    ]
    train = np.array([[0, 1, 0]]) if task == "celeba" else np.array([[0], [1]])
    found = summarise(rows, task, train)
    fallen, sound = found["runs"]
    assert fallen["collapsed"]
    assert not sound["collapsed"]
    assert fallen["notes"]["collapsed"] == "decides the same for every sample"
    for row in found["table"]:
        assert row["collapsed"]
        assert "collapsed: seed 0 decides the same for every sample" in row["note"]


@pytest.mark.parametrize("task", ["ffpp", "celeba", "affectnet"])
def test_case_38_baseline_not_beaten(task):
    rows = deepfake_rows(signal=-2) if task == "ffpp" else image_rows(task, signal=-3)
    train = np.array([[0, 1, 0]]) if task == "celeba" else np.array([[0], [1]])
    found = summarise(rows, task, train)
    for run in found["runs"]:
        assert run["collapsed"]
        assert "does not beat the trivial baseline" in run["notes"]["collapsed"]
    assert all(row["collapsed"] for row in found["table"])
    head = _rows_of(found)[found["level"], found["metric"]]
    assert head["mean"] <= head["baseline"]
    assert not head["beats_baseline"]


def test_case_38_a_score_equal_to_the_baseline_does_not_beat_it():
    rows = [  # both classes get the same scores, on both sides of the threshold
        row | {"logits": [1.0 if int(row["group"]) % 2 else -1.0]} for row in deepfake_rows()
    ]
    found = scores.summarise(
        table(rows), releases.TASKS["ffpp"], np.array([[0], [1]]), 1.0, OPTIONS
    )
    assert all(run["collapsed"] for run in found["runs"])
    row = _rows_of(found)["video", "auc"]
    assert row["mean"] == 0.5 == row["baseline"]
    assert not row["beats_baseline"]
