"""Whatever stands in a key of params.yaml is accepted or named with its line; nothing crashes."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT

from lssat.params import check, reader
from lssat.params.yaml12 import read_yaml

ODD = [None, -1, 0.5, "odd", "", [], {}, True, float("nan"), [None], ["odd"], [[]], {"odd": 1}]
RAW, LINES = read_yaml(ROOT / "params.yaml")


def keys(section: Any, where: tuple = ()) -> Iterator[tuple]:
    for key, value in section.items() if isinstance(section, dict) else ():
        yield (*where, key)
        yield from keys(value, (*where, key))


def judged(where: tuple, value: Any) -> tuple[Any, list[str], Any]:
    raw = copy.deepcopy(RAW)
    section = raw
    for key in where[:-1]:
        section = section[key]
    section[where[-1]] = value
    return reader.judge(check.Source(Path("params.yaml"), raw, LINES))


@pytest.mark.slow
@pytest.mark.parametrize("top", RAW)
def test_an_odd_value_of_any_key_is_no_crash(top: str) -> None:
    for where in [each for each in keys(RAW) if each[0] == top]:
        for value in ODD:
            params, problems, _ = judged(where, value)
            assert params or problems, (where, value)
            for line in problems:
                assert line.startswith("params.yaml:"), (where, value, line)


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("datasets", "celeba"), None, "celeba has no section datasets.celeba; add it"),
        (("datasets", "celeba"), 3, "datasets.celeba: is no section (found 3)"),
        (
            ("datasets", "celeba", "root"),
            "",
            "datasets.celeba.root: is empty; name a path (found '')",
        ),
        (("datasets", "celeba", "shards"), 10**6, "should be less than or equal to 100000"),
        (("slices", "lists", "affectnet"), " ", "slices.lists.affectnet: is empty; name a path"),
        (("slices",), ["odd"], "slices: is no section (found ['odd'])"),
        (("splits", "seed"), -1, "splits.seed: Input should be greater than or equal to 0"),
        (("evaluate", "seed"), 2**32, "evaluate.seed: Input should be less than 4294967296"),
        (("evaluate", "resamples"), 10**9, "less than or equal to 100000"),
        (("train", "threads"), 10**9, "train.threads: Input should be less than or equal to 1024"),
        (("train", "min_lr"), 3.0, "3.0 is above train.lr 0.001, where the rate begins to fall"),
        (("train", "warmup_epochs"), 9, "9 is more than train.epochs 8, so that no epoch has the"),
        (("variants", "probe", "epochs"), 1, "2 is more than train.epochs 1"),
        (("tracking", "uri"), "odd", "tracking.uri: is no address; write sqlite:///<file>, or"),
    ],
)
def test_values_that_no_step_could_use_are_named(where: tuple, value: Any, said: str) -> None:
    _, problems, _ = judged(where, value)
    assert any(said in line for line in problems), problems
