"""Reading ahead: whatever the number of threads, the same results, errors and order."""

import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.drawn_data import write
from helpers.training import RUN, SAME, files, stop_after, view

from lssat.params.hardware import Hardware
from lssat.tables import DataError, sha256
from lssat.training import train as step
from lssat.training.loader import Batch, Crops, pinned
from lssat.training.prefetch import Ahead

FILE = Path("train.parquet")
MANY = (0, 1, 3)


def readers() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("reader")]


@pytest.mark.parametrize("count", MANY)
def test_results_come_in_the_order_of_the_jobs(count: int) -> None:
    def job(number: int) -> int:
        time.sleep(0.01 * (number % 3 == 0))  # some take longer than those after them
        return number

    with Ahead(count) as ahead:
        found = list(ahead((partial(job, n) for n in range(30)), FILE))
        assert len(readers()) == count
    assert found == list(range(30))
    assert readers() == []


@pytest.mark.parametrize("count", MANY)
def test_no_more_is_read_ahead_than_readers_and_one(count: int) -> None:
    begun = []
    with Ahead(count) as ahead:
        results = ahead((partial(begun.append, n) for n in range(30)), FILE)
        for used in range(10):
            next(results)
            assert len(begun) <= used + 1 + count
        results.close()
    assert len(begun) <= 10 + count
    assert readers() == []


def _fail(number: int, error: Exception) -> int:
    if number == 5:
        raise error
    return number


@pytest.mark.parametrize("count", MANY)
def test_silent_error_an_exception_in_a_reader_is_swallowed(count: int) -> None:
    error = DataError("shard-00001.npy", "has sha256 a, its table says b", "Remove it")
    seen: list[int] = []
    with pytest.raises(DataError) as caught, Ahead(count) as ahead:
        seen.extend(ahead((partial(_fail, n, error) for n in range(9)), FILE))
    assert caught.value is error
    assert seen == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (MemoryError("no 51 MB"), "Memory ran out: lower train.batch_size"),
        (OSError(5, "Input/output error"), "The disk or its mount failed"),
        (IndexError("12"), "Set `readers=0` in the profile"),
    ],
)
def test_case_33_a_reader_that_dies_is_named_with_a_likely_cause(
    error: Exception, cause: str
) -> None:
    with pytest.raises(DataError) as caught, Ahead(1) as ahead:
        list(ahead((partial(_fail, n, error) for n in range(9)), FILE))
    said = str(caught.value)
    assert said.startswith(f"train.parquet: reader_0 failed: {type(error).__name__}: {error}. ")
    assert cause in said


def reading(threads: int) -> Hardware:
    return Hardware(readers=threads, energy=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 48, "val": 16})
    step.train(RUN, files(folder, folder / "whole"), view(), reading(0))
    return folder


def test_batches_are_the_same_with_any_number_of_readers(data: Path) -> None:
    where = data / "splits/train.parquet", data / "faces", data / "texture"

    def read(count: int) -> list[list]:
        crops = Crops(*where)  # opened anew: all readers want the same shard first
        with Ahead(count) as ahead:
            batches = list(ahead(crops.jobs(5, 3, 1, True, 36, augmented=False), crops.file))
        assert len(batches) == 9
        return [content(batch) for batch in batches]

    plain = [content(batch) for batch in Crops(*where).training(5, 3, 1, True, 36)]
    assert read(0) == read(1) == read(3) == plain


def content(batch: Batch) -> list[bytes]:
    return [np.asarray(part).tobytes() for part in batch if part is not None]


@pytest.mark.parametrize("count", [1, 3])
def test_a_run_is_the_same_with_any_number_of_readers(
    data: Path, tmp_path: Path, count: int
) -> None:
    step.train(RUN, files(data, tmp_path), view(), reading(count))
    for name in SAME:
        assert sha256(tmp_path / name) == sha256(data / "whole" / name), name


def test_case_31_a_run_goes_on_with_another_number_of_readers(data: Path, tmp_path: Path) -> None:
    for count, updates in ((3, 2), (1, 2)):
        with pytest.MonkeyPatch.context() as patch:
            stop_after(patch, updates)
            with pytest.raises(step.Stopped):
                step.train(RUN, files(data, tmp_path), view(), reading(count))
        assert readers() == []
    step.train(RUN, files(data, tmp_path), view(), reading(0))
    for name in SAME:
        assert sha256(tmp_path / name) == sha256(data / "whole" / name), name


def test_case_29_a_damaged_shard_stops_a_run_whose_readers_find_it(tmp_path: Path) -> None:
    write(tmp_path, {"train": 48, "val": 16})
    shard = tmp_path / "texture/shard-00001.npy"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(DataError, match=r"shard-00001\.npy: has sha256"):
        step.train(RUN, files(tmp_path, tmp_path / "out"), view(), reading(2))
    assert readers() == []
    assert not (tmp_path / "out/weights.safetensors").exists()


def test_shards_are_verified_once_whoever_asks(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lssat.data import shards

    verified = []
    plain = shards.read

    def slow(file: Path, *rest):
        verified.append(file)
        time.sleep(0.05)
        return plain(file, *rest)

    monkeypatch.setattr(shards, "read", slow)
    crops = Crops(data / "splits/train.parquet", data / "faces", data / "texture")
    with Ahead(3) as ahead:
        for batch in ahead(crops.jobs(8, 0, 0, False, 4), crops.file):
            assert isinstance(batch.imgs, torch.Tensor)
    assert len(verified) == len(set(verified)) > 2


def test_for_a_gpu_every_tensor_of_a_batch_is_pinned(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = data / "splits/train.parquet", data / "faces", data / "texture"
    (job, *_) = Crops(*where).jobs(8, 0, 0, True, 4)
    made: list[torch.Tensor] = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: made.append(self) or self.clone())
    batch = pinned(job)
    assert [tensor.shape[0] for tensor in made] == [8] * 4
    monkeypatch.undo()
    assert content(batch) == content(job())
