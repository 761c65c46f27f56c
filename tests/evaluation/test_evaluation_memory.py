"""Evaluation of many runs holds no more than it needs."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lssat import tables
from lssat.evaluation import logits
from lssat.evaluation.scores import heap
from lssat.evaluation.scores.levels import Level
from lssat.tables import PREDICTIONS, parquet


class Asked(Mapping):
    """Scores of runs, that counts how often they are asked for."""

    def __init__(self, scores: dict[str, np.ndarray]):
        self.scores, self.times = scores, 0

    def __getitem__(self, run: str) -> np.ndarray:
        self.times += 1
        return self.scores[run]

    def __iter__(self):
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)


def test_scores_of_a_group_are_chosen_when_a_run_is_asked_for() -> None:
    rng = np.random.default_rng(0)
    scores = Asked({run: rng.random((6, 2)) for run in "abc"})
    labels, mask = rng.integers(2, size=(6, 2)), np.array([1, 0, 0, 1, 1, 0], bool)
    level = Level("image", "multilabel", list("123456"), labels, list("xxyyzz"), labels, scores)
    part = level.part(mask)
    assert scores.times == 0
    assert [*part.scores] == ["a", "b", "c"]
    np.testing.assert_array_equal(part.scores["b"], scores.scores["b"][[0, 3, 4]])
    assert scores.times == 1
    assert part.groups == ["x", "y", "z"]
    np.testing.assert_array_equal(part.labels, labels[[0, 3, 4]])


def test_what_is_alike_in_many_rows_is_held_once() -> None:
    n = 1000
    ids = pa.array([f"{k}" for k in range(n)])
    alike, numbers = pa.array(["x"] * n), pa.array(np.zeros(n, np.int32))
    samples = pa.table(
        dict(id=ids, frame=numbers, clip=numbers, group=alike, subset=alike, split=alike)
        | dict(labels=pa.array([[1, 0]] * n))
    )
    values = np.arange(2.0 * n).reshape(n, 2)
    one, two, other = (
        logits.as_table(run, "image", samples, values + k) for k, run in enumerate(["r", "r", "s"])
    )

    def held(table: pa.Table, name: str) -> int:
        return table[name].chunk(0).buffers()[-1].address

    assert held(one, "run") == held(two, "run") != held(other, "run")
    assert held(one, "level") == held(other, "level")
    assert [set(each["run"].to_pylist()) for each in (one, other)] == [{"r"}, {"s"}]
    assert two["logits"].to_pylist() == (values + 1).tolist()


def test_a_large_table_is_written_and_read_a_part_at_a_time(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_GROUP", 40)
    row = dict(run="r", id="1", frame=0, clip=-1, group="g", subset="", level="image")
    rows = [row | dict(split="test", labels=[1], logits=[float(k)]) for k in range(100)]
    tables.write_table(tmp_path / "p.parquet", rows, PREDICTIONS)
    assert pq.ParquetFile(tmp_path / "p.parquet").num_row_groups == 3
    assert tables.read_table(tmp_path / "p.parquet", PREDICTIONS).to_pylist() == rows


def test_free_memory_goes_back_to_the_system() -> None:
    """On glibc; elsewhere nothing happens."""

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    kept = []
    for _ in range(2000):  # too small to be mapped one by one
        block = np.ones(8000)  # 64 kB
        kept.append(block[:10].copy())
        kept.append(block)
    before = resident()
    kept = [each for each in kept if len(each) == 10]  # these lie among them
    heap.give_back()
    assert resident() < before - 64_000_000
