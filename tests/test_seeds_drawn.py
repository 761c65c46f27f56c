"""Seeds as a level of their own: right variance, Student's t, right coverage and p-values."""

import numpy as np
import pytest
from scipy import stats

from lssat import statistics

FREE = (-np.inf, np.inf)


def _itself(mean: np.ndarray) -> np.ndarray:
    return mean


def _simulated(seeds: int, between: float, rng: np.random.Generator) -> np.ndarray:
    """(S, B) of a metric whose true value is 0, in units of its spread over test sets.

    All runs share a test set, and differ by their seed; each resample adds what another test set
    would.
    """
    runs = rng.normal() + between * rng.normal(size=(seeds, 1))
    return runs + rng.normal(size=400)


# Equal spreads, and seeds that differ twice as much as test sets; two seeds with a spread four
# times the test set's variance cannot do better than 91: one degree of freedom, itself estimated.
@pytest.mark.parametrize(
    ("seeds", "between", "least"),
    [(2, 0.5, 93), (2, 1, 93), (2, 2, 89.5), (3, 1, 93), (3, 2, 92.5), (5, 2, 93), (10, 2, 93)],
)
def test_intervals_over_few_seeds_hold_the_truth(seeds: int, between: float, least: float) -> None:
    rng = np.random.default_rng(17)
    trials, held = 1500, 0
    for trial in range(trials):
        values = _simulated(seeds, between, rng)
        found = statistics.interval(values, 0.95, trial, FREE)
        held += found.low <= 0 <= found.high
    assert least <= 100 * held / trials <= 97


def test_p_values_of_a_difference_of_two_seeds_each_are_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(19)
    found = []
    for trial in range(600):
        a, b = (_simulated(2, 1, rng) / 100 for _ in range(2))
        found.append(statistics.difference(a, b, 0.95, trial)[1])
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) < 0.05) <= 0.07


def test_drawn_means_vary_as_a_mean_of_as_many_seeds_does() -> None:
    """Many test clusters, three seeds: (S - 1) / S of 1 / S by drawing, 1 / S corrected.

    The spread of the test set is so large that Student's t is the normal distribution.
    """
    rng = np.random.default_rng(18)
    plain, corrected = [], []
    for trial in range(400):
        shared = 100 * rng.normal(size=500)
        values = rng.normal(size=(3, 1)) + shared
        plain.append((statistics.draw_seeds(values, (trial, 1)) - shared).var())
        draws = statistics.over_seeds(_itself, [values], trial, FREE)
        corrected.append((draws - shared).var())
    assert np.mean(plain) == pytest.approx(2 / 9, rel=0.12)
    assert np.mean(corrected) == pytest.approx(1 / 3, rel=0.12)


def test_where_only_seeds_differ_the_interval_is_students() -> None:
    """Many draws of a dozen seeds, no spread of the test set: mean +- t(S - 1) s / sqrt(S)."""
    points = 0.2 + stats.norm.ppf((np.arange(12) + 0.5) / 12)  # no skewness
    values = np.repeat(points[:, None], 40_000, axis=1)
    found = statistics.interval(values, 0.95, 0, FREE)
    expected = stats.t.interval(0.95, 11, points.mean(), stats.sem(points))
    assert (found.low, found.high) == pytest.approx(expected, abs=0.03)


def test_degrees_of_freedom_are_welchs_where_only_seeds_differ() -> None:
    """The difference of two groups of runs on a test set without spread is Welch's t-test."""
    rng = np.random.default_rng(4)
    a, b = 0.5 + rng.normal(size=10) / 20, 0.5 + rng.normal(size=14) / 50
    arms = [np.repeat(each[:, None], 40_000, axis=1) for each in (a, b)]
    found, p = statistics.difference(*arms, 0.95, 0)
    welch = stats.ttest_ind(a, b, equal_var=False)
    expected = welch.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=0.05)
    assert p == pytest.approx(welch.pvalue, abs=0.01)


def test_one_seed_or_equal_seeds_change_nothing() -> None:
    values = np.random.default_rng(5).random((1, 300))
    alone = statistics.over_seeds(_itself, [values], 0, (0, 1))
    assert np.array_equal(alone, values[0])
    twice = statistics.over_seeds(_itself, [values.repeat(2, axis=0)], 0, (0, 1))
    assert twice == pytest.approx(values[0])


def test_numbers_along_further_axes_share_their_seeds() -> None:
    """Two groups that each run gets equally right have no gap, whichever seeds are drawn."""
    values = np.random.default_rng(6).random((3, 200, 1)).repeat(2, axis=2)
    gaps = statistics.over_seeds(lambda means: np.ptp(means, axis=1), [values], 0, (0, 1))
    assert np.all(gaps == 0)


def test_draws_stay_between_the_bounds_of_the_metric() -> None:
    values = np.array([[0.9], [1.0]]) + np.zeros((2, 500))
    free = statistics.interval(values, 0.95, 0, FREE)
    bound = statistics.interval(values, 0.95, 0)
    assert free.high > 1
    assert (bound.low, bound.high) == (max(free.low, 0), 1)


def test_undefined_resamples_stay_undefined() -> None:
    values = np.random.default_rng(7).random((3, 400))
    values[:, :10] = np.nan
    found = statistics.over_seeds(_itself, [values], 0, (0, 1))
    assert np.array_equal(np.isnan(found), np.arange(400) < 10)
    assert np.isnan(statistics.over_seeds(_itself, [values * np.nan], 0, (0, 1))).all()
