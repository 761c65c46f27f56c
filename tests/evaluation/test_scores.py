"""From predictions to metrics.json: levels, alignment of runs, baselines, flags, subsets."""

import json

import numpy as np
import pytest
from helpers.scored import RUNS, deepfake_rows, image_rows, summarise
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from lssat.evaluation import scores
from lssat.tables import DataError


def _sigmoid(logit: float) -> float:
    return 1 / (1 + np.exp(-logit))


def _row(found: dict, level: str, metric: str) -> dict:
    (row,) = [r for r in found["table"] if (r["level"], r["metric"]) == (level, metric)]
    return row


def test_video_scores_are_means_of_frame_probabilities():
    rows = deepfake_rows()
    found = summarise(rows)
    for entry, run in zip(found["runs"], RUNS, strict=True):
        mine = [row for row in rows if row["run"] == run]
        frames = [_sigmoid(row["logits"][0]) for row in mine]
        videos: dict[str, list[float]] = {}
        for row, score in zip(mine, frames, strict=True):
            videos.setdefault(row["id"], []).append(score)
        truth = [0 if id.startswith("original") else 1 for id in videos]
        means = [np.mean(values) for values in videos.values()]
        labels = [row["labels"][0] for row in mine]
        assert entry["metrics"]["video/auc"] == pytest.approx(roc_auc_score(truth, means))
        assert entry["metrics"]["frame/auc"] == pytest.approx(roc_auc_score(labels, frames))
        said = np.array(means) >= 0.5
        assert entry["metrics"]["video/accuracy"] == pytest.approx(accuracy_score(truth, said))
    assert found["n"] == {"frame": 72, "video": 36}
    assert found["groups"] == 12
    assert (found["level"], found["metric"], found["coverage"]) == ("video", "auc", 0.98)


def test_silent_error_video_auc_keyed_on_the_parent_folder():
    """Published code took the folder `000` for the video: the fakes that share it became one."""
    rows = deepfake_rows(pairs=60, signal=1.0)
    scores: dict[str, dict[str, list[float]]] = {"whole": {}, "folder": {}}
    for row in rows:
        if row["run"] == RUNS[0]:
            made = "fake" if row["labels"] == [1] else "real"  # whose folders have other names
            keys = {"whole": row["id"], "folder": f"{made}/{row['id'].split('/')[-1]}"}
            for how, key in keys.items():
                scores[how].setdefault(key, []).append(_sigmoid(row["logits"][0]))
    truth = {how: [not key.startswith(("original", "real")) for key in scores[how]] for how in keys}
    auc = {
        how: roc_auc_score(truth[how], [np.mean(each) for each in scores[how].values()])
        for how in keys
    }
    assert auc["folder"] > auc["whole"] + 0.02  # more frames a video: less noise
    entry = summarise(rows)["runs"][0]
    assert entry["metrics"]["video/auc"] == pytest.approx(auc["whole"], abs=1e-12)


def test_table_has_a_row_for_each_level_and_metric_with_all_that_qualifies_it():
    found = summarise(deepfake_rows(signal=1.0))
    keys = [(row["level"], row["metric"]) for row in found["table"]]
    metrics = ["auc", "eer", "ap", "tpr_at_fpr01", "accuracy", "balanced_accuracy"]
    assert keys == [(level, metric) for level in ("video", "frame") for metric in metrics]
    row = _row(found, "video", "auc")
    assert row["configuration"] == "MRGB/RLDP/CRGB"
    assert row["backbone"] == "vit_micro"
    assert (row["n"], row["groups"], row["seeds"], row["runs"]) == (36, 12, [0, 1], RUNS)
    assert row["values"] == [run["metrics"]["video/auc"] for run in found["runs"]]
    assert row["mean"] == pytest.approx(np.mean(row["values"]))
    assert row["baseline"] == 0.5
    assert not row["beats_baseline"]
    # One row of two seeds that differ: nothing to learn from how much others do.
    assert row["low"] is row["high"] is None  # fault C7
    assert "2 seeds on 12 clusters are too few, it would reach from" in row["note"]
    assert not row["collapsed"]
    assert _row(found, "video", "accuracy")["baseline"] == pytest.approx(2 / 3)
    eer = _row(found, "video", "eer")
    assert not eer["beats_baseline"]
    tpr = _row(found, "video", "tpr_at_fpr01")  # fault C17
    assert tpr["low"] is tpr["high"] is None
    assert "12 negatives; a rate at 1 % false positives needs 1,000" in tpr["note"]


def test_rows_of_other_splits_do_not_count():
    rows = deepfake_rows()
    wrong = [row | {"split": "train", "logits": [9.0], "id": "no/" + row["id"]} for row in rows]
    assert summarise(rows + wrong) == summarise(rows)
    with pytest.raises(DataError, match="no rows of the test split"):
        summarise(wrong)


def test_the_order_of_rows_changes_nothing_but_the_order_of_runs():
    rows = deepfake_rows()
    order = np.random.default_rng(0).permutation(len(rows))
    mixed, found = summarise([rows[i] for i in order]), summarise(rows)
    for key in ("table", "subsets", "runs"):
        assert sorted(map(_ordered, mixed[key])) == sorted(map(_ordered, found[key]))


def _ordered(row: dict) -> str:
    pairs = {key: sorted(value) if isinstance(value, list) else value for key, value in row.items()}
    drop = {
        "mean",
        "low",
        "high",
        "beats_baseline",
    }  # depend on the order of seeds in their last bit or draw
    return json.dumps({k: v for k, v in pairs.items() if k not in drop}, sort_keys=True)


def test_a_subset_is_one_method_against_all_reals():
    """At both levels and in every metric, as if the other methods' videos were not there."""
    rows = deepfake_rows(RUNS[:1])
    found = {(r["subset"], r["level"], r["metric"]): r for r in summarise(rows)["subsets"]}
    part = summarise([row for row in rows if row["subset"] != "FaceSwap"])
    assert len(found) == 2 * len(part["table"])
    for wanted in part["table"]:
        row = found["Deepfakes", wanted["level"], wanted["metric"]]
        for key in ("values", "mean", "baseline", "n", "groups", "runs", "collapsed"):
            assert row[key] == wanted[key]
        if wanted["metric"] != "tpr_at_fpr01":
            assert row["low"] <= row["mean"] <= row["high"]
    assert (found["FaceSwap", "video", "auc"]["n"], found["FaceSwap", "frame", "auc"]["n"]) == (
        24, 48
    )  # fmt: skip
    row = found["Deepfakes", "video", "auc"]
    assert row["low"] < row["mean"] < row["high"]
    assert row["mean"] != found["FaceSwap", "video", "auc"]["mean"]


def test_roc_is_one_curve_for_each_run():
    found = summarise(deepfake_rows())
    assert [curve["run"] for curve in found["roc"]] == RUNS
    for curve, run in zip(found["roc"], found["runs"], strict=True):
        assert curve["level"] == "video"
        assert curve["auc"] == pytest.approx(run["metrics"]["video/auc"], abs=1e-12)
        assert len(curve["fpr"]) == len(curve["tpr"]) <= 200


def test_attributes():
    train = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]])
    rows = image_rows("celeba")
    found = summarise(rows, "celeba", train)
    assert (found["level"], found["n"], found["groups"]) == ("image", {"image": 48}, 24)
    row = _row(found, "image", "balanced_accuracy")
    assert row["baseline"] == 0.5
    assert row["note"] == "mean over 2 of 3 attributes; the others are constant here"
    first = [r for r in rows if r["run"].endswith("seed0")]
    truth, logits = np.array([r["labels"] for r in first]), np.array([r["logits"] for r in first])
    expected = [balanced_accuracy_score(truth[:, a], logits[:, a] >= 0) for a in (0, 1)]
    assert row["values"][0] == pytest.approx(np.mean(expected))
    baseline = np.mean([truth[:, 0] == 1, truth[:, 1] == 0, truth[:, 2] == 0])
    assert _row(found, "image", "accuracy")["baseline"] == pytest.approx(baseline)
    assert found["subsets"] == []


def test_emotion():
    found = summarise(image_rows("affectnet"), "affectnet", np.array([[2], [2], [0]]))
    metrics = ["top1", "macro_f1", "balanced_accuracy", "mean_ovr_accuracy", "auc"]
    assert [row["metric"] for row in found["table"]] == metrics
    assert _row(found, "image", "top1")["baseline"] == 0.25
    assert found["runs"][0]["metrics"]["image/auc"] == pytest.approx(
        found["roc"][0]["auc"], abs=1e-12
    )


def test_runs_that_scored_other_samples_are_refused():
    rows = deepfake_rows()
    with pytest.raises(DataError, match=r"seed1 and .*seed0 differ .*\(71 and 72 test rows\)"):
        summarise(rows[:-1])
    other = [row | ({"labels": [0]} if row["run"] == RUNS[1] else {}) for row in rows]
    with pytest.raises(DataError, match="differ in their samples or labels"):
        summarise(other)
    with pytest.raises(DataError, match="1 test rows repeat an id and frame"):
        summarise(deepfake_rows(RUNS[:1]) + deepfake_rows(RUNS[:1])[:1])


def test_frames_of_a_video_with_two_labels_and_ragged_logits_are_refused():
    rows = deepfake_rows(RUNS[:1])
    with pytest.raises(DataError, match="frames of one video have different labels"):
        summarise([rows[0] | {"labels": [1]}, *rows[1:]])
    with pytest.raises(DataError, match=r"lengths \[1, 2\]"):
        summarise([rows[0] | {"logits": [1.0, 2.0]}, *rows[1:]])


def test_flat_holds_the_headline_rows():
    found = summarise(deepfake_rows())
    row = _row(found, "video", "auc")
    key = "ffpp.vit_micro.MRGB-RLDP-CRGB.auc"
    assert scores.flat(found) == {
        key: row["mean"], f"{key}.low": row["low"], f"{key}.high": row["high"],
    }  # fmt: skip


def test_the_same_predictions_give_the_same_bytes():
    rows = deepfake_rows()
    assert json.dumps(summarise(rows)) == json.dumps(summarise(rows))


def test_frames_and_clips_of_one_task_are_summarised_apart():
    frames = deepfake_rows()
    clips = [
        row | {"run": row["run"].replace("vit_micro", "videomae_mini"), "level": "clip", "clip": 0}
        for row in deepfake_rows(pairs=10)
        if row["frame"] == 0
    ]
    found = summarise(frames + clips)
    alone = summarise(frames)
    assert found["n"] == {"clip": 30, "frame": 72, "video": 36}
    assert found["table"][: len(alone["table"])] == alone["table"]
    of_clips = [row for row in found["table"] if row["backbone"] == "videomae_mini"]
    assert {(row["level"], row["n"]) for row in of_clips} == {("video", 30), ("clip", 30)}
    assert {run["backbone"] for run in found["runs"]} == {"vit_micro", "videomae_mini"}
    assert found["level"] == "video"
    with pytest.raises(DataError, match="levels frame, image mixed"):
        summarise([*frames, frames[0] | {"level": "image"}])
