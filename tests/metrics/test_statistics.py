"""The bootstrap: equal to scikit-learn in each resample, whole clusters, undefined resamples."""

import numpy as np
import pytest
from sklearn import metrics as sk

from lssat import metrics
from lssat.metrics import JUMPS, statistics

RNG = np.random.default_rng(11)


def _clustered(clusters: int, size: int, rng: np.random.Generator) -> tuple:
    """Draw a two-class problem whose samples resemble each other within a cluster."""
    groups = np.repeat([f"g{i}" for i in range(clusters)], size)
    labels = rng.permuted(np.tile(np.arange(size) % 2, (clusters, 1)), axis=1).ravel()
    shared = rng.normal(size=(clusters, 2))[np.repeat(np.arange(clusters), size), labels]
    scores = 0.8 * labels + shared + rng.normal(size=len(labels))
    return labels, metrics.probabilities("binary", scores[:, None])[:, 0].round(2), groups


def test_every_resample_equals_scikit_learn():
    labels, scores, groups = _clustered(25, 4, RNG)
    drawn = statistics.draw(groups, 60, seed=3)
    found = statistics.resampled(metrics.prepare("binary", labels, scores), drawn)
    weights, chosen = drawn.counts[:, drawn.member], (scores >= 0.5).astype(int)
    for row, weight in enumerate(weights):
        options = {"sample_weight": weight}
        assert found["auc"][row] == pytest.approx(
            sk.roc_auc_score(labels, scores, **options), abs=1e-12
        )
        assert found["ap"][row] == pytest.approx(
            sk.average_precision_score(labels, scores, **options), abs=1e-12
        )
        assert found["accuracy"][row] == pytest.approx(
            sk.accuracy_score(labels, chosen, **options), abs=1e-12
        )
        assert found["balanced_accuracy"][row] == pytest.approx(
            sk.balanced_accuracy_score(labels, chosen, **options), abs=1e-12
        )
        fpr, tpr, _ = sk.roc_curve(labels, scores, drop_intermediate=False, **options)
        fpr, tpr = fpr[np.diff(fpr + tpr, prepend=-1) > 0], tpr[np.diff(fpr + tpr, prepend=-1) > 0]
        assert found["eer"][row] == pytest.approx(np.interp(0, fpr + tpr - 1, fpr), abs=1e-12)


def test_every_resample_of_many_classes_and_attributes_equals_scikit_learn():
    n, groups = 120, [f"{i // 3}" for i in range(120)]
    labels, scores = np.arange(n) % 4, RNG.random((n, 4))
    drawn = statistics.draw(groups, 30, seed=0)
    found = statistics.resampled(metrics.prepare("multiclass", labels, scores), drawn)
    many = (RNG.random((n, 3)) < 0.4).astype(int)
    attributes = statistics.resampled(metrics.prepare("multilabel", many, scores[:, :3]), drawn)
    chosen, said = scores.argmax(axis=1), (scores[:, :3] >= 0.5).astype(int)
    for row, weight in enumerate(drawn.counts[:, drawn.member]):
        options = {"sample_weight": weight}
        macro = sk.f1_score(labels, chosen, average="macro", **options)
        assert found["macro_f1"][row] == pytest.approx(macro, abs=1e-12)
        assert found["top1"][row] == pytest.approx(sk.accuracy_score(labels, chosen, **options))
        expected = {
            "f1": sk.f1_score(many, said, average="macro", **options),
            "auc": sk.roc_auc_score(many, scores[:, :3], average="macro", **options),
            "ap": sk.average_precision_score(many, scores[:, :3], average="macro", **options),
        }
        for name, value in expected.items():
            assert attributes[name][row] == pytest.approx(value, abs=1e-12)


def test_same_seed_same_draws_whatever_the_order_of_work(monkeypatch):
    labels, scores, groups = _clustered(30, 4, RNG)
    measure = metrics.prepare("binary", labels, scores)
    drawn = [statistics.draw(groups, 500, seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(drawn[0].counts, drawn[1].counts)
    assert not np.array_equal(drawn[0].counts, drawn[2].counts)
    first = statistics.resampled(measure, drawn[0])
    monkeypatch.setattr(statistics.intervals, "_BLOCK", 512)
    again = statistics.resampled(measure, statistics.draw(groups, 500, seed=1))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_whole_clusters_are_drawn_as_many_as_there_are():
    drawn = statistics.draw(["a", "b", "a", "c"], 300, seed=0)
    assert drawn.counts.shape == (300, 3)
    assert np.all(drawn.counts.sum(axis=1) == 3)
    assert drawn.counts.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.15)
    assert drawn.member.tolist() == [0, 1, 0, 2]


def test_a_resample_without_a_class_is_undefined():
    labels, scores = np.array([0, 0] + [1] * 30), RNG.random(32)
    drawn = statistics.draw([str(i) for i in range(32)], 1000, seed=0)
    measure = metrics.prepare("binary", labels, scores)
    values = statistics.resampled(measure, drawn)
    lacking = drawn.counts[:, drawn.member][:, labels == 0].sum(axis=1) == 0
    for name in ("auc", "ap", "eer", "balanced_accuracy", "tpr_at_fpr01"):
        assert np.array_equal(np.isnan(values[name]), lacking)


def test_fault_c16_every_cluster_varies_whatever_labels_it_holds() -> None:
    labels = [0, 1, 1, 2, 0, 2, 0, 0]
    drawn = statistics.draw(list("aabbccde"), 1000, 0)
    assert len(labels) == len(drawn.member)
    assert (drawn.counts.std(axis=0) > 0.5).all()


@pytest.mark.parametrize("digits", [1, 2, 15])
def test_what_jumps_is_the_same_to_the_bit_as_by_whole_curves(digits: int) -> None:
    """With ties (few digits), and in resamples that lack a class."""
    labels, scores, groups = _clustered(12, 5, RNG)
    labels[5:] *= groups[5:] > "g4"  # some draws have no positive at all
    scores = (scores + RNG.random(len(scores)) / 10).round(digits)
    drawn = statistics.draw(groups, 3000, seed=2)
    curves = statistics.resampled(metrics.prepare("binary", labels, scores, JUMPS), drawn)
    (order,) = metrics.in_order(scores)
    found = metrics.jumps(labels, order, drawn.counts, drawn.member)
    assert set(found) == set(JUMPS)
    for name in JUMPS:
        assert np.array_equal(found[name], curves[name], equal_nan=True), name
    assert 0 < np.isnan(found["eer"]).sum() < 1500
