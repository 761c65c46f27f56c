"""The order of an epoch: uniform as ever, or every class equally often."""

from collections import Counter

import numpy as np
import pytest

from lssat.training.sampling import balanced_order, order

LABELS = np.repeat([0, 1, 3], [70, 9, 24])


def test_uniform_is_a_permutation_by_seed_and_epoch() -> None:
    places, times = order(LABELS[:, None], "uniform", 3, 1)
    assert np.array_equal(places, np.random.default_rng([3, 1]).permutation(len(LABELS)))
    assert not times.any()


@pytest.mark.parametrize("epoch", range(4))
def test_every_class_is_drawn_equally_often_and_evenly_within(epoch: int) -> None:
    places = balanced_order(LABELS, 0, epoch)
    assert len(places) == len(LABELS) == 103
    counts = Counter(LABELS[places].tolist())
    assert sorted(counts.values()) == [34, 34, 35]  # 103 = 34 + 34 + 35
    for label in (0, 1, 3):
        of_class = Counter(places[LABELS[places] == label].tolist())
        seen = [of_class[int(place)] for place in np.flatnonzero(label == LABELS)]
        assert max(seen) - min(seen) <= 1


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    assert np.array_equal(balanced_order(LABELS, 5, 2), balanced_order(LABELS, 5, 2))
    for seed, epoch in ((5, 3), (6, 2)):
        assert not np.array_equal(balanced_order(LABELS, 5, 2), balanced_order(LABELS, seed, epoch))


def test_the_left_over_draws_and_the_order_favour_no_class() -> None:
    draws = [LABELS[balanced_order(LABELS, 0, epoch)] for epoch in range(300)]
    more = Counter(int(np.bincount(drawn).argmax()) for drawn in draws)
    assert all(70 < more[label] < 130 for label in (0, 1, 3))
    first_half = np.mean([(drawn[:51] == 0).mean() for drawn in draws])
    assert abs(first_half - 1 / 3) < 0.01


def test_times_tell_how_often_a_sample_was_drawn_before() -> None:
    places, times = order(LABELS[:, None], "balanced", 0, 0)
    seen: Counter = Counter()
    for place, time in zip(places.tolist(), times.tolist(), strict=True):
        assert time == seen[place]
        seen[place] += 1
    assert max(times) >= 3  # 34 draws from 9 samples


def test_several_labels_a_sample_are_refused() -> None:
    with pytest.raises(ValueError, match="balanced needs one label a sample, here are 2"):
        order(np.zeros((4, 2), int), "balanced", 0, 0)
