"""Comparisons of rows and calibration in metrics.json, on predictions whose truth is known."""

import numpy as np
import pytest
from helpers.scored import deepfake_rows, runs_of, signal_rows, summarise
from scipy.stats import norm

from lssat import metrics
from lssat.evaluation import scores
from lssat.evaluation.scores.comparisons import effect
from lssat.metrics import statistics

CONFIGURATIONS = ["MRGB-RLDP-CRGB", "MRGB-RRGB-CRGB", "none-none-CRGB"]


def _find(found: dict, a: str, b: str) -> dict:
    (row,) = [
        each
        for each in found["comparisons"]
        if (each["a"]["configuration"], each["b"]["configuration"]) == (a, b)
    ]
    return row


def test_what_differs_is_found_and_what_does_not_is_not() -> None:
    signals = dict(zip(CONFIGURATIONS, (4.0, 0.3, 0.3), strict=True))
    found = summarise(signal_rows(signals))
    assert len(found["comparisons"]) == 3
    differs = _find(found, "MRGB/RLDP/CRGB", "MRGB/RRGB/CRGB")
    assert differs["compared"] == "configuration"
    assert (differs["metric"], differs["level"], differs["n"]) == ("auc", "video", 90)
    assert differs["low"] > 0
    means = {row["configuration"]: row["mean"] for row in found["table"] if row["metric"] == "auc"
             and row["level"] == "video"}  # fmt: skip
    gap = means["MRGB/RLDP/CRGB"] - means["MRGB/RRGB/CRGB"]
    assert differs["difference"] == pytest.approx(gap)
    assert differs["p"] < differs["p_holm"] < 0.05
    assert 0 < differs["least"] < differs["difference"]
    alike = _find(found, "MRGB/RRGB/CRGB", "none/none/CRGB")
    assert alike["low"] < 0 < alike["high"]
    assert alike["p_holm"] > 0.05
    first, *others = found["ranks"]  # three rows of two seeds: little is known of training
    assert (first["configuration"], first["best"], first["top"]) == ("MRGB/RLDP/CRGB", 1, True)
    assert first["worst"] < 3
    assert [row["worst"] for row in others] == [3, 3]


def test_each_metric_says_what_could_have_been_shown() -> None:
    """The median pair's, at 0.05 and at Holm's first level; as its `least` in comparisons."""
    found = summarise(signal_rows(dict(zip(CONFIGURATIONS, (1.0, 0.5, 0.3), strict=True))))
    names = metrics.NAMES["binary"]
    seen = {(row["level"], row["metric"]) for row in found["power"]}
    # 90 videos are too few for a rate at 1 % false positives, and no two backbones stand here
    assert seen == {
        (level, name) for level in ("video", "frame") for name in names if name != "tpr_at_fpr01"
    }
    assert {row["compared"] for row in found["power"]} == {"configuration"}
    (head,) = [r for r in found["power"] if (r["level"], r["metric"]) == ("video", "auc")]
    pairs = sorted(found["comparisons"], key=lambda row: row["error"])
    assert (head["n"], head["groups"], head["seeds"], head["tests"]) == (
        90,
        pairs[0]["groups"],
        2,
        3,
    )
    assert (head["error"], head["least_holm"]) == (pairs[1]["error"], pairs[1]["least"])
    own = statistics.Parts(*pairs[1]["parts"])
    assert head["least"] == statistics.smallest(own, 0.05) < head["least_holm"]
    assert own.test + own.training == pytest.approx(head["error"] ** 2)


def test_backbones_are_compared_where_the_configuration_is_the_same() -> None:
    rows = [
        row
        for backbone in ("vit_micro", "vit_mini")
        for configuration in CONFIGURATIONS[:2]
        for row in deepfake_rows(runs_of(configuration, backbone))
    ]
    found = summarise(rows)["comparisons"]
    assert [row["compared"] for row in found].count("configuration") == 2
    assert [row["compared"] for row in found].count("backbone") == 2
    same = found[0]  # copies of one another: nothing to find
    assert (same["difference"], same["p"], same["p_holm"]) == (0, 1, 1)
    assert same["least"] is same["low"] is same["high"] is None
    assert same["note"] == "nothing says how much a difference varies"


def test_fault_c19_backbones_are_compared_by_their_means_over_shared_configurations() -> None:
    """C19: rows of one backbone are never added up against another's."""
    has = dict.fromkeys(("vit_micro", "vit_mini"), CONFIGURATIONS) | {"resnet": CONFIGURATIONS[2:]}
    rows = [
        row
        for backbone, configurations in has.items()
        for configuration in configurations
        for row in _noisy(runs_of(configuration, backbone), 1.0)
    ]
    found = summarise(rows)
    (pair,) = found["backbones"]  # the CNN has one configuration: it is not in the core
    assert (pair["a"]["backbone"], pair["b"]["backbone"]) == ("vit_micro", "vit_mini")
    assert pair["a"]["configurations"] == 3
    means: dict[str, list] = {"vit_micro": [], "vit_mini": [], "resnet": []}
    for row in found["table"]:
        if (row["level"], row["metric"]) == ("video", "auc"):
            means[row["backbone"]].append(row["mean"])
    gap = np.mean(means["vit_micro"]) - np.mean(means["vit_mini"])
    assert pair["difference"] == pytest.approx(gap)
    assert pair["low"] < gap < pair["high"]


def _noisy(runs: list[str], signal: float) -> list[dict]:
    made = []
    for run in runs:
        rng = np.random.default_rng(list(run.encode()))
        rows = deepfake_rows([run], 30, signal)
        made += [row | {"logits": [row["logits"][0] + rng.normal()]} for row in rows]
    return made


def test_a_row_with_scores_that_are_not_finite_is_not_compared() -> None:
    rows = signal_rows(dict.fromkeys(CONFIGURATIONS[:2], 1.0))
    rows[0]["logits"] = [float("nan")]
    found = summarise(rows)
    assert found["comparisons"] == []
    assert [row["configuration"] for row in found["ranks"]] == ["MRGB/RRGB/CRGB"]


def test_the_size_of_an_effect() -> None:
    assert effect("auc", norm.cdf(1 / np.sqrt(2)), 0.5) == pytest.approx(1)  # d = 1
    assert np.isnan(effect("auc", 1.0, 0.5))
    assert effect("top1", 0.5, 0.25) == pytest.approx(np.pi / 6)  # Cohen 1988, section 6.2


def test_calibration_is_mended_by_a_temperature_of_the_validation_split() -> None:
    rng, run = np.random.default_rng(5), runs_of(CONFIGURATIONS[0])[0]
    rows = []
    for split in ("val", "test"):
        for i in range(600):
            logit = float(rng.normal() * 2)
            label = int(rng.random() < 1 / (1 + np.exp(-logit)))
            rows.append(
                dict(run=run, id=f"m{label}/c23/{split}{i}", frame=0, clip=-1,
                     group=f"{i}", subset="", level="frame", split=split, labels=[label],
                     logits=[4 * logit])
            )  # fmt: skip
    found = summarise(rows)["runs"][0]["calibration"]
    assert found["temperature"] == pytest.approx(4, rel=0.3)
    assert found["scaled"]["ece"] < 0.06 < 0.1 < found["ece"]
    assert found["scaled"]["brier"] < found["brier"]
    assert found["level"] == "video"
    alone = summarise([row for row in rows if row["split"] == "test"])["runs"][0]["calibration"]
    assert (alone["temperature"], alone["scaled"]) == (None, None)
    assert alone["ece"] == found["ece"]


@pytest.mark.parametrize("frames", [(6, 6, 6, -6), (5, 5, -4), (2, 2, 2, 2), (0.5, 0.1, -0.2, 9)])
def test_fault_c20_a_temperature_of_frames_makes_no_video_worse(frames: tuple) -> None:
    """Frames of 100 fakes, and their negatives of 100 reals; validation is like the test."""
    run = runs_of(CONFIGURATIONS[0])[0]
    rows = [
        dict(run=run, id=f"m{label}/c23/{split}{i:03}", frame=frame, clip=-1, group=f"{i}",
             subset="", level="frame", split=split, labels=[label],
             logits=[float(logit if label else -logit)])
        for split in ("val", "test") for label in (0, 1) for i in range(100)
        for frame, logit in enumerate(frames)
    ]  # fmt: skip
    np.random.default_rng(3).shuffle(rows)
    found = summarise(rows)["runs"][0]["calibration"]
    assert found["scaled"]["ece"] <= found["ece"] + 1e-9
    # the least error of all that a temperature can do: the videos' scores were all right
    able = [
        abs(1 - np.mean(1 / (1 + np.exp(-np.array(frames) / t)))) for t in np.geomspace(0.01, 100)
    ]
    assert found["scaled"]["ece"] == pytest.approx(min(able), abs=0.002)
    assert found["note"] is None if 0.0101 < found["temperature"] < 99 else "bound" in found["note"]
    assert 0 <= found["ece_if_calibrated"] < 0.1


def test_flat_keys_are_those_of_the_headline() -> None:
    found = scores.flat(summarise(deepfake_rows()))
    assert set(found) == {
        f"ffpp.vit_micro.MRGB-RLDP-CRGB.auc{end}" for end in ("", ".low", ".high")
    }
