"""`datasets.<name>.limit`: a few groups of each split and class, chosen by a hash."""

from collections import Counter

import pytest

from lssat.data.datasets.limit import limit


def rows(kind: str) -> list[dict]:
    """Rows as the readers make them: pairs with four fakes each, persons, images by class."""
    found = []
    for split in ("train", "val", "test"):
        for number in range(30):
            who = f"{split}{number}"
            if kind == "videos":
                labels = [[0], [0], *([1] for _ in range(8))]
            elif kind == "persons":
                labels = [[0, 1]] * (1 + number % 5)
            else:
                labels = [[number % 3]]
            found += [{"split": split, "group": who, "labels": each} for each in labels]
    return found


def test_none_keeps_all() -> None:
    every = rows("videos")
    assert limit(every, None) is every
    assert limit(every, 30) == every


@pytest.mark.parametrize(
    ("kind", "groups", "samples"), [("videos", 4, 40), ("persons", 4, None), ("images", 12, 12)]
)
def test_each_split_keeps_so_many_groups_of_each_class(
    kind: str, groups: int, samples: int | None
) -> None:
    every = rows(kind)
    kept = limit(every, 4)
    for split in ("train", "val", "test"):
        mine = [row for row in kept if row["split"] == split]
        names = {row["group"] for row in mine}
        assert len(names) == groups
        # A group is kept whole: the fakes are those of the originals.
        assert len(mine) == sum(row["group"] in names for row in every)
        assert samples in (None, len(mine))


def test_what_is_added_elsewhere_changes_nothing() -> None:
    every = rows("persons")
    kept = limit(every, 4)
    more = [{"split": "other", "group": f"x{n}", "labels": [0, 1]} for n in range(50)]
    assert limit([*more, *every], 4)[-len(kept) :] == kept


def test_samples_without_a_split_are_parted_in_three_later() -> None:
    every = [{"split": "", "group": f"g{n}", "labels": [n % 2]} for n in range(100)]
    assert Counter(row["labels"][0] for row in limit(every, 5)) == {0: 15, 1: 15}
