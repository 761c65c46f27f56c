"""Slices: values are fairlearn's and scikit-learn's, and equal groups are not said to differ."""

import json

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, demographic_parity_difference, equalized_odds_difference
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from lssat import grid
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.run_group import by_seed
from lssat.evaluation.slices import differences, groups, measures
from lssat.params import Evaluate

OPTIONS = Evaluate(resamples=100, confidence=0.9, seed=0, batch_size=8)
RUNS = [run.path for run in grid.every_run(["ffpp"], ["vit_micro"], ["MRGB-RLDP-CRGB"], [0, 1])]


def level(kind: str = "binary", n: int = 240, seed: int = 3) -> tuple[Level, np.ndarray]:
    """Samples of 60 people in groups a, b, c: the scores of a tell less than those of the others.

    Fakes are not evenly spread, and a person's samples are of one group.
    """
    rng = np.random.default_rng(seed)
    person = np.arange(n) % 60
    group = np.array(["a", "b", "c"])[person % 3]
    skill = np.where(group == "a", 0.4, 1.5)
    scores = {}
    if kind == "multilabel":
        labels = rng.integers(0, 2, (n, 5))
        labels[:, 3] = group == "a"  # the attribute that makes the groups
        labels[group == "b", 4] = 0  # constant in b: cannot be compared
        for run in RUNS:
            logit = skill[:, None] * (2 * labels - 1) + rng.normal(0, 1, labels.shape)
            scores[run] = 1 / (1 + np.exp(-logit))
    elif kind == "multiclass":
        labels = rng.integers(0, 4, n)
        for run in RUNS:
            logit = skill[:, None] * np.eye(4)[labels] + rng.normal(0, 1, (n, 4))
            scores[run] = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)
    else:
        labels = (rng.random(n) < np.where(group == "b", 0.3, 0.6)).astype(int)
        for run in RUNS:
            logit = skill * (2 * labels - 1) + rng.normal(0, 1, n)
            scores[run] = 1 / (1 + np.exp(-logit))
    clusters = [f"p{p:02d}" for p in person]
    ids = [f"{i:04d}" for i in range(n)]
    return Level("image", kind, ids, labels, clusters, np.array([""] * n), scores), group


HEADLINE = {"binary": "auc", "multilabel": "balanced_accuracy", "multiclass": "top1"}


def compared(
    kind: str = "binary", min_n: int = 10, change=None, options: Evaluate = OPTIONS
) -> tuple[differences.Compared, Level, np.ndarray]:
    one, group = level(kind)
    if change:
        one, group = change(one, group)
    chosen = groups.Slice("skin", group, 3 if kind == "multilabel" else None)
    size = groups.facts(chosen, one, min_n)
    return differences.Compared(chosen, size, one, HEADLINE[kind], options), one, group


def row_of(one: differences.Compared, name: str) -> dict:
    (row,) = [row for row in one.rows(by_seed(RUNS)) if row["metric"] == name]
    json.dumps(row, allow_nan=False)
    return row


@pytest.mark.parametrize("kind", HEADLINE)
def test_the_influence_in_a_group_is_that_of_its_metric(kind: str) -> None:
    """Held to the change of the value when a sample is left out, which is nearly the derivative."""
    one, level, group = compared(kind)
    mask = group == "c"
    labels, scores = level.labels[mask], level.scores[RUNS[0]][mask]
    found = measures.measure(kind, labels, scores, one.names, one.columns)
    for name, (value, moved) in found.items():
        assert abs(moved.sum()) < 1e-12
        for at in (0, 7, 40):
            rest = np.delete(np.arange(len(labels)), at)
            again = measures.measure(kind, labels[rest], scores[rest], [name], one.columns)
            assert value - again[name][0] == pytest.approx(moved[at], rel=0.1, abs=1e-12), name


def test_binary_values_and_differences_are_the_libraries_own() -> None:
    one, level, group = compared()
    for name, measure in (("auc", roc_auc_score), ("accuracy", accuracy_score)):
        means = []
        for run in RUNS:
            said = level.scores[run] if name == "auc" else level.scores[run] >= 0.5
            frame = MetricFrame(
                metrics=measure, y_true=level.labels, y_pred=said, sensitive_features=group
            )
            means.append(frame.by_group)
        mean = sum(means) / 2
        row = row_of(one, name)
        for each in row["groups"]:
            assert each["mean"] == pytest.approx(mean[each["group"]])
        assert row["gap"] == pytest.approx(mean.max() - mean.min())
        assert row["worst"] == mean.idxmin() == "a"
        assert row["best"] == mean.idxmax()
    libraries = (demographic_parity_difference, equalized_odds_difference)
    for row, theirs in zip(one.disparities(by_seed(RUNS)), libraries, strict=True):
        assert row["metric"] == theirs.__name__
        wanted = [
            theirs(level.labels, level.scores[run] >= 0.5, sensitive_features=group) for run in RUNS
        ]
        assert row["values"] == pytest.approx(wanted)
        assert row["mean"] <= np.mean(wanted)  # of the groups' means: seeds may differ in which
        assert row["low"] <= row["mean"] <= row["high"]


def test_a_multilabel_gap_is_made_on_the_attributes_that_vary_in_every_group() -> None:
    one, level, group = compared("multilabel")
    row = row_of(one, "balanced_accuracy")
    assert row["over"] == 3  # not the attribute of the slice, nor the one that is constant in b
    for each in row["groups"]:
        of = group == each["group"]
        wanted = [
            balanced_accuracy_score(level.labels[of, k], level.scores[run][of, k] >= 0.5)
            for run in RUNS
            for k in range(3)
        ]
        assert each["mean"] == pytest.approx(np.mean(wanted))
    row = row_of(one, "accuracy")
    assert row["over"] == 4
    of = group == "b"
    wanted = [
        (level.labels[of] == (level.scores[run][of] >= 0.5))[:, [0, 1, 2, 4]].mean() for run in RUNS
    ]
    assert row["groups"][1]["mean"] == pytest.approx(np.mean(wanted))


def test_the_worst_group_by_a_rate_of_errors_is_the_one_with_most() -> None:
    one, _, _ = compared()
    row = row_of(one, "false_positive_rate")
    means = {each["group"]: each["mean"] for each in row["groups"]}
    assert row["worst"] == max(means, key=lambda name: means[name]) == "a"
    row = row_of(one, "selection_rate")  # no group is worse for being selected more often
    assert row["worst"] is row["best"] is None
    means = [each["mean"] for each in row["groups"]]
    assert row["gap"] == pytest.approx(max(means) - min(means))
    assert means[0] not in (max(means), min(means))


def test_case_36_small_groups_and_single_classes_have_no_value_and_say_why() -> None:
    def few(level: Level, group: np.ndarray) -> tuple[Level, np.ndarray]:
        group = group.copy()
        group[(group == "c")] = np.where(np.arange(80) < 9, "c", "b")
        level.labels[group == "b"] = 1
        return level, group

    one, _, _ = compared(change=few)
    row = row_of(one, "auc")
    a, b, c = row["groups"]
    assert (c["n"], c["mean"], c["low"]) == (9, None, None)
    assert c["note"] == "9 samples, fewer than slices.min_n (10)"
    assert b["mean"] is None
    assert b["note"] == "no sample of class 0 in the group"
    assert a["mean"] is not None
    assert row["gap"] is row["worst"] is None
    assert row["note"] == "1 group to compare"
    row = row_of(one, "true_positive_rate")
    assert row["held"] == ["a", "b"]  # defined without a real
    parity, odds = one.disparities(by_seed(RUNS))
    assert parity["mean"] is not None
    assert odds["mean"] is None
    assert odds["note"] == "no sample of class 0 in the group"


def test_case_36_scores_that_are_not_finite_leave_no_value() -> None:
    def broken(level: Level, group: np.ndarray) -> tuple[Level, np.ndarray]:
        level.scores[RUNS[1]][5] = np.nan
        return level, group

    one, _, _ = compared(change=broken)
    row = row_of(one, "auc")
    assert row["note"] == "seed 1: 1 of 240 samples have a score that is not finite"
    assert all(each["mean"] is None for each in row["groups"])
    assert [each["mean"] for each in one.disparities(by_seed(RUNS))] == [None, None]


def test_samples_that_are_not_annotated_have_a_group_that_is_not_compared() -> None:
    def unknown(level: Level, group: np.ndarray) -> tuple[Level, np.ndarray]:
        return level, np.where(group == "a", groups.NOT_ANNOTATED, group)

    one, _, _ = compared(change=unknown)
    row = row_of(one, "auc")
    assert [each["group"] for each in row["groups"]] == ["b", "c", groups.NOT_ANNOTATED]
    assert row["groups"][2]["mean"] < row["groups"][0]["mean"]
    assert row["held"] == ["b", "c"]
    assert row["worst"] != groups.NOT_ANNOTATED


def test_a_single_cluster_has_no_interval_and_no_test() -> None:
    def one_person(level: Level, group: np.ndarray) -> tuple[Level, np.ndarray]:
        return level._replace(groups=["p"] * 240), group

    one, _, _ = compared(change=one_person)
    row = row_of(one, "auc")
    assert row["groups"][0]["mean"] is not None
    assert row["low"] is row["groups"][0]["low"] is row["p"] is None
    assert "a: no interval: all samples are one cluster" in row["note"]
