"""The influence of a sample is the derivative of the metric by its weight."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, roc_auc_score

from lssat import metrics
from lssat.metrics import JUMPS, influence, statistics

STEP = 1e-6


def drawn(kind: str, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(len(kind) + ties)
    n = 40
    if kind == "binary":
        labels, scores = rng.integers(2, size=n), rng.random(n)
    elif kind == "multilabel":
        labels, scores = rng.integers(2, size=(n, 4)), rng.random((n, 4))
        labels[:, 3] = 1  # constant: enters the accuracy alone
    else:
        labels, scores = rng.integers(3, size=n), rng.dirichlet(np.ones(3), n)
    if ties:
        scores = np.round(scores, 1)
    return labels, scores


def by_scikit_learn(kind: str, labels: np.ndarray, scores: np.ndarray, w: np.ndarray) -> dict:
    """The smooth metrics with weights that are no integers, by another library."""
    if kind == "binary":
        said = scores >= 0.5
        recall = [np.average((said == labels)[labels == k], weights=w[labels == k]) for k in (0, 1)]
        return {
            "auc": roc_auc_score(labels, scores, sample_weight=w),
            "ap": average_precision_score(labels, scores, sample_weight=w),
            "accuracy": np.average(said == labels, weights=w),
            "balanced_accuracy": np.mean(recall),
        }
    if kind == "multilabel":
        each = [by_scikit_learn("binary", labels[:, a], scores[:, a], w) for a in range(3)]
        found = {name: np.mean([one[name] for one in each]) for name in each[0]}
        told = (scores >= 0.5).astype(int)
        f1 = [f1_score(labels[:, a], told[:, a], sample_weight=w) for a in range(3)]
        always = np.average(told[:, 3] == 1, weights=w)
        right = np.mean([*(one["accuracy"] for one in each), always])
        return found | {"f1": np.mean(f1), "accuracy": right}
    told, truth = scores.argmax(axis=1), metrics.one_hot(labels, 3)
    top1 = np.average(told == labels, weights=w)
    recall = [np.average((told == labels)[labels == k], weights=w[labels == k]) for k in range(3)]
    auc = [roc_auc_score(truth[:, k], scores[:, k], sample_weight=w) for k in range(3)]
    f1 = f1_score(labels, told, average=None, sample_weight=w)
    precision = precision_score(labels, told, average=None, sample_weight=w)
    found = {"top1": top1, "mean_ovr_accuracy": 1 - 2 * (1 - top1) / 3}
    found |= {"macro_f1": f1.mean(), "balanced_accuracy": np.mean(recall), "auc": np.mean(auc)}
    each = {"recall": recall, "precision": precision, "f1": f1, "auc": auc}
    return found | {f"each/{name}": np.array(value) for name, value in each.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "ties"),
    [("binary", False), ("binary", True), ("multilabel", True), ("multiclass", False)],
)
def test_influence_is_the_derivative_of_scikit_learns_metric(kind: str, ties: bool) -> None:
    labels, scores = drawn(kind, ties)
    found = influence(kind, labels, scores, each=kind == "multiclass")
    assert set(found) >= set(metrics.NAMES[kind]) - {*JUMPS}
    for at in range(0, len(labels), 3):
        moved = []
        for step in (STEP, -STEP):
            weights = np.ones(len(labels))
            weights[at] += step
            moved.append(by_scikit_learn(kind, labels, scores, weights))
        for name, value in found.items():
            slope = (moved[0][name] - moved[1][name]) / (2 * STEP)
            assert value[at] == pytest.approx(slope, abs=1e-8), name


@pytest.mark.parametrize("kind", ["binary", "multilabel", "multiclass"])
def test_influence_sums_to_zero_and_gives_the_variance_of_a_bootstrap(kind: str) -> None:
    rng = np.random.default_rng(0)
    labels, scores = drawn(kind, ties=False)
    labels, scores = np.tile(labels.T, 12).T, rng.random((480, *scores.shape[1:]))
    scores = scores / scores.sum(axis=1, keepdims=True) if kind == "multiclass" else scores
    groups = np.repeat(np.arange(160), 3)
    found = influence(kind, labels, scores)
    drawn_ = statistics.draw(groups, 3000, 0)
    again = statistics.resampled(metrics.prepare(kind, labels, scores), drawn_)
    for name, value in found.items():
        assert abs(value.sum()) < 1e-12
        factor = statistics.over_clusters(value, groups)
        error = np.sqrt(factor @ factor)
        assert error == pytest.approx(again[name].std(), rel=0.07), name


def test_the_variance_of_an_auc_is_delongs() -> None:
    labels, scores = drawn("binary", ties=True)
    other = np.random.default_rng(5).random(40)
    # Each sample its own cluster: DeLong's variance but for its divisors n - 1 of each class.
    parts = [statistics.over_clusters(influence("binary", labels, s)["auc"], np.arange(40))
             for s in (scores, other)]  # fmt: skip
    gap = parts[0] - parts[1]
    told = statistics.compare_aucs(labels, scores, other, np.arange(40))
    assert np.sqrt(gap @ gap) == pytest.approx(told.error, rel=0.02)


def test_an_undefined_metric_has_no_influence() -> None:
    labels = np.zeros(5, int)
    found = influence("binary", labels, np.linspace(0, 1, 5))
    assert np.isnan(found["auc"]).all()
    assert np.isnan(found["balanced_accuracy"]).all()
    assert np.isfinite(found["accuracy"]).all()


@pytest.mark.parametrize("kind", ["binary", "multilabel", "multiclass"])
def test_one_sort_serves_values_and_influence(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, scores = drawn(kind, ties=kind != "multiclass")
    alone = metrics.measure(kind, labels, scores), influence(kind, labels, scores)
    orders = metrics.in_order(scores)
    monkeypatch.setattr(np, "argsort", None)  # nothing is sorted again
    found = metrics.measure(kind, labels, scores, orders)
    moved = influence(kind, labels, scores, orders=orders)
    assert found == alone[0]
    assert all(np.array_equal(moved[name], alone[1][name]) for name in alone[1])
