"""Slices: values are fairlearn's and scikit-learn's, intervals come from the same resamples."""

import json

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, demographic_parity_difference, equalized_odds_difference
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score, roc_auc_score

from lssat import grid, statistics
from lssat.params import Evaluate
from lssat.scores.levels import Level
from lssat.scores.scored import by_seed
from lssat.scores.summary import draw
from lssat.slices import compare, groups

OPTIONS = Evaluate(resamples=100, confidence=0.9, seed=0, batch_size=8)
RUNS = [run.path for run in grid.runs(["ffpp"], ["vit_micro"], ["MRGB-RLDP-CRGB"], [0, 1])]


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
) -> tuple[compare.Compared, Level, np.ndarray]:
    one, group = level(kind)
    if change:
        one, group = change(one, group)
    drawn = draw(one, options)
    chosen = groups.Slice("skin", group, 3 if kind == "multilabel" else None)
    size = groups.facts(chosen, one, drawn, min_n)
    return compare.Compared(chosen, size, one, HEADLINE[kind], drawn, options), one, group


def row_of(one: compare.Compared, name: str) -> dict:
    (scored,) = by_seed(RUNS)
    (row,) = [row for row in one.rows(scored) if row["metric"] == name]
    json.dumps(row, allow_nan=False)
    return row


@pytest.mark.parametrize("kind", HEADLINE)
def test_resamples_with_weights_of_one_are_fairlearns_values(kind: str) -> None:
    one, _, _ = compared(kind)
    weights = statistics.Resamples(
        np.ones((1, 60), np.uint16), np.unique(one.level.groups, return_inverse=True)[1]
    )
    for run in RUNS:
        found = one._resampled(run, weights)
        for name, by_group in one.values[run].items():
            assert set(by_group) == set(found[name]) == {"a", "b", "c"}
            for group, value in by_group.items():
                assert found[name][group].shape == (1,)
                assert found[name][group][0] == pytest.approx(value, abs=1e-12)


def test_binary_values_and_differences_are_the_libraries_own() -> None:
    one, level, group = compared()
    (scored,) = by_seed(RUNS)
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
    for row, theirs in zip(one.disparities(scored), libraries, strict=True):
        assert row["metric"] == theirs.__name__
        wanted = [
            theirs(level.labels, level.scores[run] >= 0.5, sensitive_features=group) for run in RUNS
        ]
        assert row["values"] == pytest.approx(wanted)
        assert row["mean"] == pytest.approx(np.mean(wanted))
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


def _by_hand(one: compare.Compared, level: Level, group: np.ndarray, name: str) -> np.ndarray:
    """(2, B, 3): each run's value of each group in each resample, by copying what was drawn."""
    drawn = draw(level, OPTIONS)
    found = np.empty((2, OPTIONS.resamples, 3))
    for b in range(OPTIONS.resamples):
        rows = np.repeat(np.arange(len(group)), drawn.counts[b][drawn.member])
        for g, named in enumerate("abc"):
            of = rows[group[rows] == named]
            for s, run in enumerate(RUNS):
                said, true = level.scores[run][of], level.labels[of]
                auc = name == "auc"
                found[s, b, g] = (
                    roc_auc_score(true, said) if auc else recall_score(true, said >= 0.5)
                )
    return found


@pytest.mark.parametrize("name", ["auc", "true_positive_rate"])
def test_intervals_are_those_of_a_bootstrap_written_out(name: str) -> None:
    one, level, group = compared()
    values = _by_hand(one, level, group, name)
    row = row_of(one, name)

    def ends(statistic, within=(0, 1)):
        draws = statistics.over_seeds(statistic, [values], OPTIONS.seed, within)
        return pytest.approx(np.quantile(draws, (0.05, 0.95)))

    for at, each in enumerate(row["groups"]):
        assert [each["low"], each["high"]] == ends(lambda means, at=at: means[:, at])
    assert [row["low"], row["high"]] == ends(lambda means: np.ptp(means, axis=1))
    best, worst = ("abc".index(row[which]) for which in ("best", "worst"))
    apart = ends(lambda means: means[:, best] - means[:, worst], (-1, 1))
    assert [row["apart_low"], row["apart_high"]] == apart


def test_the_worst_group_by_a_rate_of_errors_is_the_one_with_most() -> None:
    one, _, _ = compared()
    row = row_of(one, "false_positive_rate")
    means = {each["group"]: each["mean"] for each in row["groups"]}
    assert row["worst"] == max(means, key=lambda name: means[name]) == "a"
    assert row["apart_high"] > 0
    row = row_of(one, "selection_rate")  # no group is worse for being selected more often
    assert row["worst"] is row["best"] is None
    means = [each["mean"] for each in row["groups"]]
    assert row["gap"] == pytest.approx(max(means) - min(means))
    assert means[0] not in (max(means), min(means))


def test_the_interval_of_best_minus_worst_can_reach_below_zero_and_that_of_the_gap_cannot() -> None:
    def alike(level: Level, group: np.ndarray) -> tuple[Level, np.ndarray]:
        return level, np.random.default_rng(1).permutation(group)

    one, _, _ = compared(change=alike)
    row = row_of(one, "auc")
    assert row["low"] >= 0
    assert row["apart_low"] < 0 < row["apart_high"]


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
    (scored,) = by_seed(RUNS)
    parity, odds = one.disparities(scored)
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
    (scored,) = by_seed(RUNS)
    assert [each["mean"] for each in one.disparities(scored)] == [None, None]


def test_samples_that_are_not_annotated_have_a_group_that_is_not_compared() -> None:
    def unknown(level: Level, group: np.ndarray) -> tuple[Level, np.ndarray]:
        return level, np.where(group == "a", groups.NOT_ANNOTATED, group)

    one, _, _ = compared(change=unknown)
    row = row_of(one, "auc")
    assert [each["group"] for each in row["groups"]] == ["b", "c", groups.NOT_ANNOTATED]
    assert row["groups"][2]["mean"] < row["groups"][0]["mean"]
    assert row["held"] == ["b", "c"]
    assert row["worst"] != groups.NOT_ANNOTATED


def test_where_nothing_can_be_resampled_there_is_no_interval() -> None:
    def one_person(level: Level, group: np.ndarray) -> tuple[Level, np.ndarray]:
        return level._replace(groups=["p"] * 240), group

    one, _, _ = compared(change=one_person)
    row = row_of(one, "auc")
    assert row["groups"][0]["mean"] is not None
    assert row["low"] is row["groups"][0]["low"] is None
    assert "nothing to resample" in row["note"]
