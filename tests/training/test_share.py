"""A share of the training groups: nested, seeded, stratified, whole."""

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pytest
from helpers.drawn_data import write
from helpers.training import RUN, files, view
from hypothesis import given
from hypothesis import strategies as st

from lssat.tables import SPLITS, DataError, read_table
from lssat.training import share as step
from lssat.training import train

SAMPLES = st.lists(
    st.tuples(st.integers(0, 40), st.lists(st.integers(0, 2), min_size=1, max_size=1)),
    min_size=1, max_size=120,
)  # fmt: skip
PART = st.floats(0.01, 1)


def chosen(samples: list[tuple[int, list[int]]], share: float, seed: int = 0) -> set[str]:
    names, labels = [str(group) for group, _ in samples], [own for _, own in samples]
    return step.groups(names, labels, share, seed)


def kinds(samples: list[tuple[int, list[int]]]) -> dict[str, frozenset[int]]:
    held: dict[str, set[int]] = {}
    for group, own in samples:
        held.setdefault(str(group), set()).update(own)
    return {group: frozenset(classes) for group, classes in held.items()}


@given(SAMPLES, PART, PART, st.integers(0, 3))
def test_a_smaller_share_is_a_part_of_a_larger_one(
    samples: list, one: float, other: float, seed: int
) -> None:
    small, large = sorted((one, other))
    assert chosen(samples, small, seed) <= chosen(samples, large, seed)
    assert chosen(samples, 1, seed) == {str(group) for group, _ in samples}


@given(SAMPLES, PART)
def test_each_kind_of_group_keeps_the_share_to_the_nearest_one(samples: list, part: float) -> None:
    every = kinds(samples)
    kept = Counter(every[group] for group in chosen(samples, part))
    for kind, number in Counter(every.values()).items():
        assert abs(kept[kind] - part * number) <= 0.5 + 1e-9 or kept[kind] == 1
        assert kept[kind] >= 1


@given(SAMPLES, PART, st.randoms())
def test_the_order_of_samples_does_not_matter(samples: list, part: float, random: object) -> None:
    mixed = list(samples)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert chosen(mixed, part) == chosen(samples, part)


def test_other_seeds_choose_other_groups() -> None:
    samples = [(group, [0]) for group in range(40)]
    parts = {frozenset(chosen(samples, 0.25, seed)) for seed in range(5)}
    assert len(parts) == 5
    assert {len(part) for part in parts} == {10}


def _table(samples: Collection[tuple[str, list[int]]]) -> pa.Table:
    return pa.table({"group": [g for g, _ in samples], "labels": [own for _, own in samples]})


def test_groups_stay_whole_and_samples_in_their_order() -> None:
    samples = [(f"{n % 7}", [n % 2]) for n in range(50)]
    part = step.part(_table(samples), 0.4, 3, strata=True)
    kept = set(part["group"].to_pylist())
    assert part["group"].to_pylist() == [group for group, _ in samples if group in kept]
    assert step.part(_table(samples), 1.0, 3, strata=True).num_rows == 50


def test_several_attributes_are_no_strata() -> None:
    samples = [(f"{n}", [n % 2, n % 3, n % 5]) for n in range(60)]
    assert len(set(step.part(_table(samples), 0.1, 0, strata=False)["group"].to_pylist())) == 6


def test_a_run_is_trained_on_its_share_and_names_its_groups(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write(data, {"train": 48, "val": 16})
    varied = RUN._replace(configuration=f"{RUN.configuration}+half")
    train.train(varied, files(data, tmp_path / "half"), view(share=0.5, epochs=1))
    record = json.loads((tmp_path / "half/record.json").read_text())
    samples = read_table(data / "splits/train.parquet", SPLITS)
    labels = samples["labels"].to_pylist()
    wanted = step.groups(samples["group"].to_pylist(), labels, 0.5, RUN.seed)
    assert record["train_groups"] == sorted(wanted)
    assert 0 < len(wanted) < len(set(samples["group"].to_pylist()))
    assert record["configuration"] == "MRGB/RLDP/CRGB+half"
    with pytest.raises(DataError, match="less than one batch"):
        train.train(varied, files(data, tmp_path / "few"), view(share=0.01, epochs=1))
