"""Comparisons: against the definition, other libraries, and the uniform p-values of no effect."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from lssat.metrics import statistics


def _two_scores(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels = rng.permutation(np.arange(n) % 3 == 0).astype(int)
    common = rng.normal(size=n)
    a, b = (labels * k + common + rng.normal(size=n) for k in (1.2, 0.7))
    return labels, a.round(1), b.round(1)  # with ties


def _delong(labels: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Compute the difference and its variance from DeLong's definition, pair by pair."""
    kernels = []
    for scores in (a, b):
        above = scores[labels == 1][:, None] - scores[labels == 0][None, :]
        kernels.append((above > 0) + 0.5 * (above == 0))
    by_positive = np.stack([k.mean(axis=1) for k in kernels])
    by_negative = np.stack([k.mean(axis=0) for k in kernels])
    cov = np.cov(by_positive) / by_positive.shape[1] + np.cov(by_negative) / by_negative.shape[1]
    contrast = np.array([1, -1])
    return kernels[0].mean() - kernels[1].mean(), contrast @ cov @ contrast


def test_alone_in_its_cluster_it_is_delongs_test() -> None:
    labels, a, b = _two_scores(90, np.random.default_rng(0))
    found = statistics.compare_aucs(labels, a, b, [f"{i}" for i in range(90)])
    difference, variance = _delong(labels, a, b)
    assert found.difference == pytest.approx(roc_auc_score(labels, a) - roc_auc_score(labels, b))
    assert found.difference == pytest.approx(difference)
    assert found.error == pytest.approx(np.sqrt(variance))
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(difference) / np.sqrt(variance)))


def _clustered_null(rng: np.random.Generator) -> tuple:
    """Two scores of the same AUC; the samples of a cluster hang together, most within a class."""
    groups = np.repeat(np.arange(40), 6)
    labels = np.tile([0, 0, 0, 1, 1, 1], 40)
    made = []
    for _ in range(2):
        shared = rng.normal(size=40)[groups] / 2 + rng.normal(size=(40, 2))[groups, labels]
        made.append(labels + shared + rng.normal(size=240))
    return labels, *made, groups


@pytest.mark.slow
def test_p_values_of_clustered_samples_are_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(1)
    found = [_clustered_null(rng) for _ in range(600)]
    clustered = [statistics.compare_aucs(*each).p for each in found]
    assert stats.kstest(clustered, "uniform").pvalue > 0.01
    assert 0.03 < np.mean(np.array(clustered) < 0.05) < 0.075
    alone = [statistics.compare_aucs(*each[:3], np.arange(240)).p for each in found]
    assert np.mean(np.array(alone) < 0.05) > 0.1  # what comes of forgetting the clusters


def test_the_standard_error_is_the_spread_over_new_data() -> None:
    rng = np.random.default_rng(2)
    found = [statistics.compare_aucs(*_clustered_null(rng)) for _ in range(600)]
    spread = np.std([each.difference for each in found])
    assert np.mean([each.error for each in found]) == pytest.approx(spread, rel=0.08)


def test_seeds_are_averaged() -> None:
    labels, a, b = _two_scores(60, np.random.default_rng(3))
    names = [f"{i // 2}" for i in range(60)]
    alone = statistics.compare_aucs(labels, a, b, names)
    twice = statistics.compare_aucs(labels, np.stack([a, a], 1), np.stack([b, b], 1), names)
    assert twice == pytest.approx(alone)
    both = statistics.compare_aucs(labels, np.stack([a, b], 1), np.stack([b, a], 1), names)
    assert (both.difference, both.p) == (pytest.approx(0), 1)


def test_no_test_where_there_is_one_class_and_none_needed_where_nothing_differs() -> None:
    scores = np.arange(6.0)
    assert np.isnan(statistics.compare_aucs(np.ones(6), scores, -scores, np.arange(6)).p)
    assert statistics.compare_aucs(np.arange(6) % 2, scores, scores, np.arange(6)).p == 1


def test_mcnemar_alone_in_its_cluster_is_statsmodels() -> None:
    rng = np.random.default_rng(4)
    right_a, right_b = rng.random(200) < 0.8, rng.random(200) < 0.7
    table = [[np.sum((right_a == i) & (right_b == j)) for j in (1, 0)] for i in (1, 0)]
    expected = mcnemar(table, exact=False, correction=False).pvalue
    found = statistics.clustered_mcnemar(right_a, right_b, np.arange(200))
    assert found == pytest.approx(expected)
    assert statistics.clustered_mcnemar(right_a, right_a, np.arange(200)) == 1


def test_mcnemar_of_clusters_is_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(60), 4)
    clustered, alone = [], []
    for _ in range(800):
        right = [rng.random(240) < rng.uniform(0.3, 1, 60)[groups] for _ in range(2)]
        clustered.append(statistics.clustered_mcnemar(*right, groups))
        alone.append(statistics.clustered_mcnemar(*right, np.arange(240)))
    assert 0.03 < np.mean(np.array(clustered) < 0.05) < 0.075
    assert np.mean(np.array(alone) < 0.05) > 0.085


def test_holm_is_statsmodels() -> None:
    p = [0.01, 0.04, 0.03, 0.005, 0.5]
    assert statistics.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    with_gap = statistics.holm([0.01, np.nan, *p[1:]])
    assert np.isnan(with_gap[1])
    assert [with_gap[0], *with_gap[2:]] == pytest.approx(statistics.holm(p))
    assert statistics.holm([]) == []


def test_delongs_p_values_are_uniform_where_nothing_differs() -> None:
    """Independent samples: DeLong's test itself."""
    rng = np.random.default_rng(11)
    labels = np.arange(160) % 2
    found = []
    for _ in range(600):
        common = rng.normal(size=160)
        a, b = (labels + common + rng.normal(size=160) for _ in range(2))
        found.append(statistics.compare_aucs(labels, a, b, np.arange(160)).p)
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_mcnemars_p_values_are_uniform_where_nothing_differs() -> None:
    """Enough discordant pairs, so that the steps of a count are smaller than the test sees."""
    rng = np.random.default_rng(12)
    found = [
        statistics.clustered_mcnemar(*(rng.random((2, 4000)) < 0.5), np.arange(4000))
        for _ in range(400)
    ]
    assert stats.kstest(found, "uniform").pvalue > 0.01


@pytest.mark.parametrize("n", [2, 3, 50])
def test_fault_c9_no_variance_is_no_certainty(n: int) -> None:
    """A perfect score against a constant one: nothing says how much the difference varies."""
    labels = np.arange(2 * n) % 2
    found = statistics.compare_aucs(labels, labels, np.zeros(2 * n), np.arange(2 * n))
    assert found.difference == 0.5
    assert np.isnan(found.p)
    same = statistics.compare_aucs(labels, labels, labels + 1, np.arange(2 * n))
    assert (same.difference, same.p) == (0, 1)


@pytest.mark.parametrize(("one", "other"), [(5, 0), (0, 4), (7, 2), (12, 12)])
def test_fault_c23_mcnemar_is_exact_below_25_discordant_pairs(one: int, other: int) -> None:
    a = np.repeat([1, 0, 1], [one, other, 50 - one - other])
    b = np.repeat([0, 1, 1], [one, other, 50 - one - other])
    expected = mcnemar([[50 - one - other, one], [other, 0]], exact=True).pvalue
    found = statistics.clustered_mcnemar(a == 1, b == 1, np.arange(50))
    assert found == pytest.approx(expected)
