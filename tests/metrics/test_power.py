"""Power, smallest differences and rank sets: against other programs and the project's own test."""

import itertools

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2, nct, norm, t
from statsmodels.stats.power import TTestPower

from lssat.metrics import statistics
from lssat.metrics.statistics import Parts


@pytest.mark.parametrize("freedom", [4, 9, 60, 2000])
@pytest.mark.parametrize("level", [0.05, 0.05 / 36])
def test_with_one_part_it_is_the_noncentral_t_of_others(freedom: int, level: float) -> None:
    limit = t.ppf(1 - level / 2, freedom)
    solved = brentq(lambda far: nct.sf(limit, freedom, far) - 0.8, 1, 20)  # other side: nothing
    for parts in (Parts(4e-4, freedom, 0.0, 1.0), Parts(0.0, 50.0, 4e-4, freedom)):
        found = statistics.smallest(parts, level)
        assert found == pytest.approx(0.02 * solved, rel=2e-4)
        if level == 0.05:  # statsmodels has no answer far out
            far = TTestPower().solve_power(nobs=freedom + 1, alpha=level, power=0.8)
            assert found == pytest.approx(0.02 * far * np.sqrt(freedom + 1), rel=2e-4)
        assert statistics.power(found, parts, level) == pytest.approx(0.8, abs=1e-6)
        assert statistics.power(0.0, parts, level) == pytest.approx(level, rel=0.02)


def test_two_parts_are_those_of_drawn_repetitions() -> None:
    """Also where training is known from few seeds, so that Satterthwaite's t would mislead."""
    rng, level = np.random.default_rng(0), 0.05 / 6
    for parts in (Parts(1e-4, 60.0, 1e-4, 4.0), Parts(1e-4, 200.0, 3e-5, 9.0)):
        wanted = statistics.smallest(parts, level)
        limits = [
            t.ppf(1 - level / 2, df) ** 2 * v * chi2.rvs(df, size=200_000, random_state=rng) / df
            for v, df in (parts[:2], parts[2:])
        ]
        seen = norm.rvs(wanted, np.sqrt(parts.test + parts.training), 200_000, random_state=rng)
        assert (np.abs(seen) > np.sqrt(sum(limits))).mean() == pytest.approx(0.8, abs=0.004)


def test_nothing_known_is_nothing_said() -> None:
    for parts in (Parts(0.0, 9.0, 0.0, 1.0), Parts(float("nan"), 9.0, 1e-4, 1.0)):
        assert np.isnan(statistics.smallest(parts))


def _world(
    rng: np.random.Generator, truths: np.ndarray, seeds: int = 4, clusters: int = 100
) -> statistics.Inference:
    """Draw a test set and trainings of rows whose truths are known, and infer what they show."""
    rows = len(truths)
    shape = (rows, seeds, clusters)
    samples = 0.3 * rng.normal(size=(1, 1, clusters)) + 0.2 * rng.normal(size=(rows, 1, clusters))
    samples = samples + 0.2 * rng.normal(size=shape)
    trained = 0.01 * rng.normal(size=(rows, seeds))
    values = truths[:, None] + trained + samples.mean(axis=2)
    factors = (samples - samples.mean(axis=2, keepdims=True)) / np.sqrt(clusters * (clusters - 1))
    flat = factors.reshape(rows * seeds, clusters)
    covariance = (flat @ flat.T).reshape(rows, seeds, rows, seeds)
    return statistics.infer(values, covariance, clusters)


@pytest.mark.slow
def test_at_the_smallest_difference_the_projects_own_test_shows_four_in_five() -> None:
    """The parts as one repetition in the middle has them; rows 0 and 1 of six differ by it."""
    rng, level = np.random.default_rng(1), 0.05 / 15
    alike = [_world(rng, np.full(6, 0.7)).pairs[0].parts for _ in range(200)]
    parts = Parts(*np.median(np.array(alike), axis=0))
    assert parts.test > 0 < parts.training
    wanted = statistics.smallest(parts, level)
    truths = np.full(6, 0.7) + np.eye(6)[0] * wanted
    shown = [_world(rng, truths).pairs[0].p < level for _ in range(600)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.05)


def _true_ranks(truths: np.ndarray, lower: bool) -> np.ndarray:
    sign = 1 if lower else -1
    return np.array([1 + (sign * truths < sign * one).sum() for one in truths])


@pytest.mark.slow
@pytest.mark.parametrize(
    "gaps", [(0, 0, 0, 0, 0), (0, 0, 0, 0.06, 0.06), (0, 0.03, 0.06, 0.09, 0.3)]
)
@pytest.mark.parametrize("seeds", [2, 4])
def test_all_ranks_hold_together(gaps: tuple[float, ...], seeds: int) -> None:
    """In 95 % of test sets and trainings, of equal rows, of rows far apart and of close ones."""
    rng, truths, held, trials = np.random.default_rng(2), 0.5 + np.array(gaps), 0, 400
    wide = []
    for trial in range(trials):
        pairs, lower = _world(rng, truths, seeds).pairs, trial % 2 == 0
        sets = np.array(statistics.rank_sets(len(truths), pairs, lower))
        true = _true_ranks(truths, lower)
        held += bool(((sets[:, 0] <= true) & (true <= sets[:, 1])).all())
        wide.append((sets[:, 1] - sets[:, 0]).mean())
    assert held / trials >= 0.95 - 2.5 * np.sqrt(0.95 * 0.05 / trials)
    assert np.mean(wide) > 3.9 if not any(gaps) else np.mean(wide) < 3.9 or seeds == 2


def test_rank_sets_are_counts_of_what_is_shown() -> None:
    """By hand: of three rows the first is shown to beat the last, its p Holm's first of six."""
    p = {(0, 1): 0.4, (0, 2): 0.016, (1, 2): 0.3}
    nothing = (0.0, 0.0, 0.0, 0.0), Parts(1.0, 9.0, 0.0, 1.0)

    def sets(lower: bool = False, **more: float) -> list[tuple[int, int]]:
        pairs = [
            statistics.Pair(a, b, 0.1, *nothing[0], more.get(f"p{a}{b}", p[a, b]), 1.0, nothing[1])
            for a, b in itertools.combinations(range(3), 2)
        ]
        return statistics.rank_sets(3, pairs, lower)

    assert sets() == [(1, 2), (1, 3), (2, 3)]
    assert sets(lower=True) == [(2, 3), (1, 3), (1, 2)]
    assert sets(p02=0.017) == [(1, 3)] * 3
    # after one decision five one-sided hypotheses are left, not four: 0.05 / 5 of each side
    assert sets(p02=0.001, p01=0.019) == [(1, 1), (2, 3), (2, 3)]
    assert sets(p02=0.001, p01=0.021) == [(1, 2), (1, 3), (2, 3)]
    assert sets(p02=float("nan")) == [(1, 3)] * 3
    assert statistics.rank_sets(1, []) == [(1, 1)]
