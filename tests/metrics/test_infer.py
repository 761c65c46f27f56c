"""The core of the statistics: its levels in simulation, and what must not happen at its edges."""

import sys

import numpy as np
import pytest
from helpers import ROOT
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from lssat.metrics import statistics
from lssat.metrics.statistics import shrinkage as shrinking

sys.path.insert(0, str(ROOT / "benchmarks"))

import levels

FEW_ROWS = {"aucs": (0.8,) * 3}


def drawn(world: levels.World, trials: int) -> list[statistics.Inference]:
    rng = np.random.default_rng(4)
    return [levels.infer(world, world.draw(rng)) for _ in range(trials)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "least", "family"),
    [
        (levels.World(aucs=(0.8,) * 6, seeds=2, clusters=100, sds=(0.3,)), 93, 6),
        (levels.World(aucs=(0.8,) * 6, seeds=3, clusters=60, sds=(0.5,)), 93, 6),
        (levels.World(aucs=(0.8,) * 6, seeds=5, clusters=60, sds=(0.0,)), 93, 6),
        (levels.World(aucs=(0.99,) * 6, seeds=3, clusters=60), 95, 4),
        (levels.World(aucs=(0.85,) * 4, seeds=3, clusters=30, frames=6), 93, 6),
        (levels.World((0.8,) * 4, clusters=96, classes=8, metric="macro_f1"), 93, 6),
    ],
)
def test_fault_c4_intervals_cover_and_families_hold(
    world: levels.World, least: float, family: float
) -> None:
    found = levels.simulate(world, 100)
    assert least <= found["covers"]
    assert found["type I"] <= 7.5  # 6 in a long run
    assert found["family"] <= family


@pytest.mark.slow
def test_fault_c4_two_seeds_and_two_rows_hold_their_level() -> None:
    """Nothing to shrink over: with twice the degrees of freedom this is 7 to 9 %."""
    world = levels.World(aucs=(0.8,) * 2, seeds=2, clusters=60, sds=(0.5,))
    assert levels.simulate(world, 400)["type I"] <= 6


@pytest.mark.slow
def test_fault_c4_three_rows_of_two_seeds_hold_their_level() -> None:
    """Hardly anything to shrink over: were it taken as sure, this is 10 %."""
    world = levels.World(aucs=(0.8,) * 3, seeds=2, clusters=60, sds=(0.4,))
    assert levels.simulate(world, 300)["family"] <= 7  # 5 in a long run


def test_the_error_of_a_pair_is_the_spread_of_its_difference() -> None:
    """Were the diagonal counted among the pairs of seeds, it would be 1.4 times as large."""
    world = levels.World(aucs=(0.8,) * 4, seeds=3, clusters=60, sds=(0.0,))
    pairs = [found.pairs for found in drawn(world, 150)]
    spread = np.sqrt(np.mean([each.difference**2 for found in pairs for each in found]))
    error = np.sqrt(np.mean([each.error**2 for found in pairs for each in found]))
    assert error == pytest.approx(spread, rel=0.1)


@pytest.mark.slow
def test_the_first_screen_claims_nothing_where_nothing_is() -> None:
    assert levels.first_screen(2, 3, 3, 60, 60) <= 9  # 5 in a long run: benchmarks/levels.py


def test_fault_c1_p_values_have_no_floor() -> None:
    """108 pairs, a gap of 0.36: shown after Holm's correction."""
    world = levels.World(aucs=(0.6,) * 14 + (0.96,), seeds=3, clusters=300, sds=(0.05,))
    (found,) = drawn(world, 1)
    last = [pair for pair in found.pairs if pair.b == 14]
    assert all(pair.p_holm < 0.001 for pair in last)
    assert all(abs(pair.difference) < 0.1 for pair in found.pairs if pair.b < 14)


def test_fault_c3_one_seed_covers_the_test_set_alone() -> None:
    rng, world = np.random.default_rng(0), levels.World(seeds=1, sds=(0.0,), **FEW_ROWS)
    values, factors, clusters = world.draw(rng)
    found = levels.infer(world, (values, factors, clusters))
    for k, row in enumerate(found.rows):
        error = np.sqrt(factors[k, 0] @ factors[k, 0])
        assert (row.high - row.low) / (2 * 1.97) == pytest.approx(error, rel=0.05)
    pair = found.pairs[0]
    gap = factors[0, 0] - factors[1, 0]
    t = abs(pair.difference) / np.sqrt(gap @ gap)
    assert pair.p == pytest.approx(2 * stats.t.sf(t, clusters - 2), rel=1e-6)


def test_fault_c17_at_the_edge_the_interval_is_made_for_it() -> None:
    ones, nothing = np.ones((1, 1)), np.zeros((1, 1, 1, 1))
    (auc,) = statistics.infer(ones, nothing, 100, edge=statistics.auc_edge(50, 50)).rows
    assert (auc.low, auc.high) == (pytest.approx(0.960, abs=0.002), 1)  # Newcombe 2006, method 5
    (share,) = statistics.infer(ones, nothing, 100).rows
    assert share.low == pytest.approx(proportion_confint(100, 100, method="beta")[0], abs=0.003)
    assert share.low == pytest.approx(proportion_confint(100, 100, method="wilson")[0], abs=0.002)
    (none,) = statistics.infer(1 - ones, nothing, 100).rows
    assert (none.low, none.high) == (0, pytest.approx(1 - share.low))


def test_a_share_of_right_clusters_has_wilsons_interval() -> None:
    right = np.arange(80) < 60
    factor = statistics.over_clusters((right - right.mean()) / 80, np.arange(80))
    covariance = np.reshape(factor @ factor, (1, 1, 1, 1))
    (row,) = statistics.infer(np.array([[0.75]]), covariance, 80).rows
    # t for z, and the unbiased variance: a little wider.
    assert (row.low, row.high) == pytest.approx(
        proportion_confint(60, 80, method="wilson"), abs=0.005
    )


def test_intervals_of_values_away_from_the_edge_are_alike_if_turned_around() -> None:
    rng, world = np.random.default_rng(1), levels.World(**FEW_ROWS)
    values, factors, clusters = world.draw(rng)
    one = levels.infer(world, (values, factors, clusters))
    two = levels.infer(world, (1 - values, -factors, clusters))
    for a, b in zip(one.rows, two.rows, strict=True):
        assert (a.low, a.high) == pytest.approx((1 - b.high, 1 - b.low))
    assert [a.p for a in one.pairs] == pytest.approx([b.p for b in two.pairs])


def test_fault_c9_a_difference_without_variance_has_no_p_value() -> None:
    values, nothing = np.array([[1.0], [0.5], [0.5]]), np.zeros((3, 1, 3, 1))
    found = statistics.infer(values, nothing, 6)
    assert [np.isnan(pair.p) for pair in found.pairs] == [True, True, False]
    assert found.pairs[2].p == 1
    assert found.pairs[2].p_holm == 1


def test_a_difference_without_variance_has_no_interval() -> None:
    """Rows that were right on the same samples: [0, 0] would say so of every test set."""
    for value in (1.0, 0.7):
        (pair,) = statistics.infer(np.full((2, 3), value), np.zeros((2, 3, 2, 3)), 24).pairs
        assert (pair.difference, pair.p) == (0, 1)
        assert np.isnan([pair.low, pair.high]).all()


def test_rows_may_lack_seeds() -> None:
    rng, world = np.random.default_rng(2), levels.World(**FEW_ROWS)
    values, factors, clusters = world.draw(rng)
    values[1, 2] = values[2, :] = np.nan
    found = levels.infer(world, (values, np.nan_to_num(factors), clusters))
    assert np.isnan(found.rows[2].low)
    assert found.rows[1].mean == pytest.approx(values[1, :2].mean())
    pair = found.pairs[0]
    assert pair.difference == pytest.approx((values[0, :2] - values[1, :2]).mean())
    assert np.isnan(found.pairs[1].p)


def test_shrinking_is_limmas() -> None:
    """Smyth 2004: of draws from the prior it finds degrees of freedom and scale again."""
    rng = np.random.default_rng(3)
    true = 0.04 * 8 / rng.chisquare(8, size=4000)
    seen = true * rng.chisquare(2, size=4000) / 2
    pulled, freedom = shrinking.shrink(seen, np.full(4000, 2.0), 1e9)
    assert freedom[0] - 2 == pytest.approx(8 / 2, rel=0.25)
    assert np.mean((pulled - true) ** 2) < np.mean((seen - true) ** 2) / 2
    few, same = shrinking.shrink(seen[:2], np.full(2, 2.0), 1e9)
    assert np.array_equal(few, seen[:2])
    assert same.tolist() == [2, 2]
    assert shrinking.trigamma_inverse(stats.norm.pdf(0)) > 0


@pytest.mark.parametrize("x", [1e-9, 0.01, 0.5, 3.0, 1e4, 1e8])
def test_the_inverse_of_the_trigamma_function(x: float) -> None:
    from scipy.special import polygamma

    assert shrinking.trigamma_inverse(float(polygamma(1, x))) == pytest.approx(x, rel=1e-3)
