"""How large the splits are that we part by whole groups: as asked for, whatever the seed."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from helpers import ROOT
from helpers.own import SPLIT, folders, listed, options, prepare
from helpers.splits import sample

from lssat import grid, params
from lssat.data import splits
from lssat.data.splits.requirements import lacking
from lssat.tables import MANIFEST, DataError, read_json

SEEDS = range(25)
TASK = grid.Task("mine", "binary", "auc", "image", "Mine", ("real", "fake"))
LISTED = Counter([("", "", "0"), ("", "", "1")])


def table(groups: list[int], classes: int = 2, draw: int = 0) -> pa.Table:
    """A list of own data: so many samples in each group, classes at random."""
    labels = np.random.default_rng(draw).integers(classes, size=sum(groups))
    names = [f"g{number}" for number, n in enumerate(groups) for _ in range(n)]
    rows = [
        sample(f"{n:05}", "", int(label), groups=[name], group=name)
        for n, (name, label) in enumerate(zip(names, labels, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=MANIFEST)


def own(test: float = 0.2, val: float = 0.2, kind: str = "binary") -> params.Own:
    given = {"positive": "fake"} if kind == "binary" else {}
    made = options(Path("raw"), csv="list.csv", kind=kind, **given)
    return made.model_copy(update={"test_share": test, "val_share": val})


def rules(seed: int, **changes) -> params.Splits:
    return SPLIT.model_copy(update={"seed": seed, **changes})


def sizes(samples: pa.Table, seed: int, test: float = 0.2, val: float = 0.2) -> Counter:
    names = splits.assign("mine", samples, rules(seed), own(test, val))
    sides: dict[str, set[str]] = {}
    for group, name in zip(samples["group"].to_pylist(), names, strict=True):
        sides.setdefault(group, set()).add(name)
    assert all(len(side) == 1 for side in sides.values())  # nobody in two
    return Counter(names)


@pytest.mark.parametrize("classes", [1, 2, 3, 8])
@pytest.mark.parametrize("seed", SEEDS)
def test_fault_e7_one_large_group_moves_no_size(classes: int, seed: int) -> None:
    """1,000 samples, 400 of them of one person: 600, 200 and 200."""
    samples = table([400] + [1] * 600, classes)
    assert sizes(samples, seed) == {"train": 600, "val": 200, "test": 200}


@pytest.mark.parametrize(
    ("groups", "test", "val"),
    [
        ([300, 400] + [1] * 500, 0.2, 0.2),  # two that stay
        ([200] + [4] * 200, 0.2, 0.2),  # one that just fits
        ([150, 120] + [3] * 210, 0.1, 0.2),
        ([6] * 60, 0.15, 0.15),
        (list(range(1, 61)), 0.15, 0.15),
        ([90] + [7] * 130, 0.05, 0.1),
    ],
)
def test_fault_e7_sizes_are_those_asked_for_with_every_seed(
    groups: list[int], test: float, val: float
) -> None:
    samples = table(groups, classes=4)
    n = len(samples)
    for seed in SEEDS:
        found = sizes(samples, seed, test, val)
        for name, share in (("test", test), ("val", val)):
            wanted = share * n
            assert abs(found[name] - wanted) <= max(min(groups) / 2 + 1, 0.1 * wanted)
    assert (
        len({tuple(splits.assign("mine", samples, rules(s), own(test, val))) for s in (1, 2)}) > 1
    )


@pytest.mark.parametrize("draw", range(12))
def test_fault_e7_groups_of_any_sizes(draw: int) -> None:
    """Skewed sizes: none greater than what is wanted leaves train while others make it up."""
    drawn = np.random.default_rng(draw)
    groups = [int(n) for n in np.ceil(drawn.pareto(1.2, 150) * 4)] + [1] * 150
    samples = table(groups, int(drawn.integers(1, 6)), draw)
    wanted = int(0.2 * len(samples) + 0.5)
    for seed in range(4):
        names = splits.assign("mine", samples, rules(seed), own())
        found = Counter(names)
        moved = Counter(
            group
            for group, name in zip(samples["group"].to_pylist(), names, strict=True)
            if name != "train"
        )
        assert all(n <= wanted for n in moved.values())
        if sum(n for n in groups if n <= wanted / 2) >= 2 * wanted:
            assert abs(found["test"] - wanted) <= 1
            assert abs(found["val"] - wanted) <= 0.1 * wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_fault_e7_a_held_out_part_of_train_likewise(seed: int) -> None:
    samples = table([400] + [1] * 600)
    official = samples.set_column(
        samples.schema.get_field_index("split"), "split", pa.array(["train"] * 1000)
    )
    names = splits.assign(
        "celeba", official, rules(seed, selection="train_holdout", holdout=0.2), own()
    )
    assert Counter(names) == {"train": 800, "val": 200}
    assert "val" not in names[:400]


def test_fault_e7_classes_keep_their_shares_among_those_that_can_move() -> None:
    labels = [0] * 400 + [0] * 60 + [1] * 240 + [2] * 300
    rows = [sample(f"{n:04}", "", label) for n, label in enumerate(labels)]
    for row in rows[:400]:
        row |= {"groups": ["one"], "group": "one"}
    names = splits.assign("mine", pa.Table.from_pylist(rows, schema=MANIFEST), rules(0), own())
    pairs = Counter(zip(names, labels, strict=True))
    assert [pairs["test", label] for label in range(3)] == [20, 80, 100]
    assert [pairs["val", label] for label in range(3)] == [20, 80, 100]


TOO_FAR = [
    # groups; what is told: 20 % of 1,000 cannot be had
    ([500, 500], "test: 0 of 1,000 samples, and test_share 0.2 asks for 200; groups stay whole, "
     "and hold 500 to 500"),
    ([900] + [1] * 100, "val: 0 of 1,000 samples, and val_share 0.2 asks for 200;"),
    ([700] + [1] * 300, "val: 100 of 1,000 samples, and val_share 0.2 asks for 200; groups stay "
     "whole, and hold 1 to 700"),
]  # fmt: skip


@pytest.mark.parametrize(("groups", "said"), TOO_FAR)
def test_fault_e7_sizes_that_cannot_be_had_are_refused_before_any_face(
    groups: list[int], said: str
) -> None:
    samples, settings = table(groups), own()
    for seed in range(3):
        found = params.load(ROOT / "presets/sample.yaml")
        found = found.model_copy(update={"splits": rules(seed)})
        told = lacking("mine", samples, LISTED, TASK, settings, found)
        assert told is not None
        assert said in told[0]
        assert "sk for another share, part the largest groups, or name a split" in told[1]


def test_fault_e7_what_groups_cannot_give_more_nearly_is_near_enough() -> None:
    """Ten persons of ten pictures, 15 % asked for: 20 of 100 is as near as 10."""
    for groups in ([10] * 10, [50] * 6, [1] * 20):
        told = lacking("mine", table(groups), LISTED, TASK, own(0.15, 0.15))
        assert told is None or "asks for" not in told[0], groups


@pytest.mark.slow
def test_fault_e7_the_step_prints_what_was_asked_for_and_what_came(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    rows = [f"all/{n:03}.jpg,{'ab'[n % 2]},p{max(n, 16):02}" for n in range(40)]
    root = listed(tmp_path / "raw", "path,label,group", rows)
    made = options(root, csv="list.csv").model_copy(update={"val_share": 0.2, "test_share": 0.2})
    at = prepare(tmp_path, made)
    said = capsys.readouterr().out
    assert "mine: val has 8 of 40 samples; val_share 0.2 asks for 8\n" in said
    assert "mine: test has 8 of 40 samples; test_share 0.2 asks for 8\n" in said
    summary = read_json(at["summary"])
    assert summary["asked"] == {"val": 8, "test": 8}
    assert summary["samples"] == {"train": 24, "val": 8, "test": 8}
    official = prepare(tmp_path / "b", options(folders(tmp_path / "b/raw", ("a", "b"))))
    assert read_json(official["summary"])["asked"] == {}


def test_fault_e7_a_step_by_hand_is_refused_too(tmp_path: Path) -> None:
    rows = [f"all/{n:03}.jpg,{'ab'[n % 2]},p{max(n, 30):02}" for n in range(40)]
    root = listed(tmp_path / "raw", "path,label,group", rows)
    made = options(root, csv="list.csv").model_copy(update={"val_share": 0.2, "test_share": 0.2})
    with pytest.raises(DataError, match=r"val: 1 of 40 samples, and val_share 0\.2 asks for 8; gr"):
        prepare(tmp_path, made)
