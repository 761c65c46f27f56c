"""The largest gap between groups: equal ones are rarely said to differ, however many they are."""

import numpy as np
import pytest
from scipy import stats

from lssat.metrics import statistics


def shares(right: list[np.ndarray], parts: np.ndarray | None = None) -> statistics.Groups:
    """Groups of a share of right samples; of each (S, M), a sample a cluster."""
    seeds, sizes = len(right[0]), [each.shape[1] for each in right]
    values = np.stack([each.mean(axis=1) for each in right], axis=1)
    factors, at = np.zeros((seeds, sum(sizes), len(right))), 0
    for g, each in enumerate(right):
        moved = (each - each.mean(axis=1, keepdims=True)) / sizes[g]
        factors[:, at : at + sizes[g], g] = moved * np.sqrt(sizes[g] / (sizes[g] - 1))
        at += sizes[g]
    n = np.array(sizes, float)
    parts = np.zeros(len(right), int) if parts is None else parts
    return statistics.Groups(values, factors, n - 2, 1 / n, parts)


def drawn(
    rng: np.random.Generator, truth: np.ndarray, size: int, seeds: int, sd: float
) -> statistics.Groups:
    """Seeds that share half of what makes a sample hard, and each a spread between groups."""
    right = []
    for share in truth:
        hard = rng.normal(size=size) / np.sqrt(2)
        own = rng.normal(size=(seeds, size)) / np.sqrt(2) + sd * rng.normal(size=(seeds, 1))
        right.append((hard + own < stats.norm.ppf(share)).astype(float))
    return shares(right)


@pytest.mark.slow
@pytest.mark.parametrize("many", [2, 5, 12])
@pytest.mark.parametrize(("seeds", "size", "share"), [(1, 30, 0.8), (3, 40, 0.8), (1, 40, 0.97)])
def test_fault_c18_equal_groups_are_not_said_to_differ(
    many: int, seeds: int, size: int, share: float
) -> None:
    """Of 60 tables; with a true rate of 5 %, more than 9 come by chance in 1 of 1,000."""
    rng = np.random.default_rng(many)
    truth = np.full(many, share)
    rows = [drawn(rng, truth, size, seeds, 0.1 * (seeds > 1)) for _ in range(60)]
    found = [statistics.largest_gaps([row])[0] for row in rows]
    assert sum(gap.p < 0.05 for gap in found) <= 9
    held = sum(gap.low == 0 for gap in found)
    assert held >= 51  # the true 0
    assert all((gap.low == 0) == (gap.p >= 0.05) for gap in found if abs(gap.p - 0.05) > 0.01)
    # Half of equal groups' gaps lie below what equal groups are said to show.
    assert 15 <= sum(gap.gap <= gap.expected for gap in found) <= 48
    assert all(gap.low <= gap.gap <= gap.high for gap in found)


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_group_that_is_worse_is_found_and_its_gap_is_held(seeds: int) -> None:
    rng = np.random.default_rng(1)
    truth = np.array([0.6, 0.9, 0.9, 0.9, 0.9])
    rows = [drawn(rng, truth, 150, seeds, 0.0) for _ in range(60)]
    found = [statistics.largest_gaps([row])[0] for row in rows]
    assert sum(gap.p < 0.05 for gap in found) >= 57
    assert sum(gap.low <= 0.3 <= gap.high for gap in found) >= 54


def test_a_small_group_without_an_error_is_not_infinitely_sure() -> None:
    rng = np.random.default_rng(2)
    right = [np.ones((1, 10)), (rng.random((1, 100)) < 0.9).astype(float)]
    (gap,) = statistics.largest_gaps([shares(right)])
    assert gap.low == 0
    assert gap.p > 0.3  # Fisher's exact test: 0.6
    (gap,) = statistics.largest_gaps([shares([np.ones((1, 10)), np.ones((1, 12))])])
    assert (gap.gap, gap.low, gap.p) == (0, 0, 1)
    assert 0.1 < gap.high < 0.5  # Clopper and Pearson's lower end of 10 of 10: 0.69
    (gap,) = statistics.largest_gaps([shares([np.ones((1, 9)), np.zeros((1, 9))])])
    assert gap.p < 0.01
    assert gap.low > 0.3


def test_two_groups_are_the_score_interval_of_newcombe() -> None:
    """Independent shares of one seed: method 10 of Newcombe 1998, but for Student's t."""
    right = [np.repeat([[1.0, 0.0]], (560, 140), axis=1), np.repeat([[1.0, 0.0]], (480, 320), 1)]
    (gap,) = statistics.largest_gaps([shares(right)])
    z, ends = stats.norm.ppf(0.975), []
    for share, n in ((0.8, 700), (0.6, 800)):
        middle, half = share + z**2 / 2 / n, z * np.sqrt(share * (1 - share) / n + z**2 / 4 / n**2)
        ends.append(((middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)))
    low = 0.2 - np.hypot(0.8 - ends[0][0], ends[1][1] - 0.6)
    high = 0.2 + np.hypot(ends[0][1] - 0.8, 0.6 - ends[1][0])
    assert (gap.low, gap.high) == pytest.approx((low, high), abs=0.001)


def test_p_values_have_no_floor() -> None:
    right = [np.repeat([[1.0, 0.0]], (9 * n, n), axis=1) for n in (100, 100, 100)]
    right[0] = 1 - right[0]
    (gap,) = statistics.largest_gaps([shares(right)])
    assert gap.p < 1e-20
    assert gap.low > 0.7


def test_only_groups_of_one_part_are_compared() -> None:
    rng = np.random.default_rng(3)
    low, high = ([(rng.random((1, 60)) < share).astype(float) for _ in range(3)]
                 for share in (0.1, 0.9))  # fmt: skip
    parts = np.repeat([0, 1], 3)
    (gap,) = statistics.largest_gaps([shares(low + high, parts)])
    (one,), (two,) = statistics.largest_gaps([shares(low)]), statistics.largest_gaps([shares(high)])
    assert gap.gap == max(one.gap, two.gap)
    assert gap.p > max(0.05, min(one.p, two.p))


def test_what_seeds_do_to_all_groups_alike_is_no_gap() -> None:
    """Trainings that are all better or all worse say nothing of groups."""
    rng = np.random.default_rng(4)
    right = [(rng.random((1, 200)) < 0.7).astype(float) for _ in range(2)]
    row = shares([np.repeat(each, 3, axis=0) for each in right])
    moved = row._replace(values=row.values + np.array([[-0.1], [0.0], [0.1]]))
    same, other = statistics.largest_gaps([row])[0], statistics.largest_gaps([moved])[0]
    assert other.p == pytest.approx(same.p, abs=0.01)
