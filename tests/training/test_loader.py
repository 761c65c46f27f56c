"""What a run is fed is a function of (seed, epoch, sample), exact to the bit, and verified."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.drawn_data import crops, write

from lssat import tables, texture
from lssat.tables import DataError
from lssat.training.loader import Crops


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path, {"train": 40, "val": 11})
    return tmp_path


def opened(data: Path, split: str = "train", codes: bool = True) -> Crops:
    texture_of = data / "texture" if codes else None
    return Crops(data / f"splits/{split}.parquet", data / "faces", texture_of)


def test_batches_hold_the_crops_and_codes_of_their_samples(data: Path) -> None:
    batch = opened(data).batch(np.array([7, 2, 39]))
    wanted = crops(51)[[7, 2, 39]]
    assert np.array_equal(batch.imgs.permute(0, 2, 3, 1).numpy(), wanted)
    assert np.array_equal(batch.codes[:, 0].numpy(), texture.codes(wanted, "ldp", 3))
    assert batch.labels.tolist() == [[1], [0], [1]]


def test_codes_of_a_flipped_crop_are_computed_anew_never_flipped(data: Path) -> None:
    flip = np.array([True, False])
    batch = opened(data).batch(np.array([4, 5]), flip)
    wanted = crops(51)[[4, 5]]
    mirrored = wanted[0, :, ::-1]
    assert np.array_equal(batch.imgs[0].permute(1, 2, 0).numpy(), mirrored)
    assert np.array_equal(batch.codes[0, 0].numpy(), texture.codes(mirrored, "ldp", 3))
    cached = texture.codes(wanted, "ldp", 3)
    assert not np.array_equal(batch.codes[0, 0].numpy(), cached[0, :, ::-1])
    assert np.array_equal(batch.codes[1, 0].numpy(), cached[1])


def test_noise_and_flips_belong_to_the_sample_not_to_its_batch(data: Path) -> None:
    def seen(batch_size: int, seed: int = 3, epoch: int = 1) -> dict[int, bytes]:
        found = {}
        for batch in opened(data).training(batch_size, seed, epoch, True, 36):
            for place, row in enumerate(batch.rows):
                found[int(row)] = (
                    batch.noise[place].numpy().tobytes() + batch.imgs[place].numpy().tobytes()
                )
        return found

    assert seen(4) == seen(10)
    assert len(seen(4)) == 40
    assert seen(4) != seen(4, epoch=2)
    assert seen(4) != seen(4, seed=4)


def test_an_epoch_visits_each_sample_once_and_leaves_out_only_the_incomplete_batch(
    data: Path,
) -> None:
    rows = [batch.rows for batch in opened(data).training(16, 0, 0, False, 4)]
    assert [len(each) for each in rows] == [16, 16]
    assert len(set(np.concatenate(rows).tolist())) == 32


@pytest.mark.parametrize("world", [1, 2, 4])
def test_mates_are_the_next_of_the_whole_batch_however_many_processes_share_it(
    data: Path, world: int
) -> None:
    whole = [batch.rows for batch in opened(data).training(8, 0, 0, False, 4)]
    for rank in range(world):
        part = slice(rank, None, world)
        found = opened(data).training(8, 0, 0, False, 4, part=part, mixed=True, augmented=True)
        for rows, batch in zip(whole, found, strict=True):
            own = len(batch.mates)
            assert batch.rows[:own].tolist() == rows[part].tolist()
            assert batch.rows[batch.mates].tolist() == np.roll(rows, -1)[part].tolist()
            assert len(set(batch.rows.tolist())) == len(batch.rows) == len(batch.draws)
            assert len(batch.rows) == (8 if world == 1 else 2 * own)


def test_in_order_leaves_nothing_out(data: Path) -> None:
    rows = np.concatenate([batch.rows for batch in opened(data, "val").in_order(4)])
    assert rows.tolist() == list(range(11))
    assert all(isinstance(b.imgs, torch.Tensor) for b in opened(data, "val", False).in_order(4))


@pytest.mark.parametrize("kind", ["faces", "texture"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "swap"])
def test_case_29_a_damaged_shard_is_named_with_the_way_out(
    data: Path, kind: str, damage: str
) -> None:
    file = data / kind / "shard-00001.npy"
    whole = bytearray(file.read_bytes())
    if damage == "flip":
        whole[-100] ^= 1
    new = {"flip": whole, "cut": whole[:-50], "empty": b""}.get(damage)
    other = (data / kind / "shard-00000.npy").read_bytes()
    file.write_bytes(other if new is None else new)
    with pytest.raises(DataError, match=r"shard-00001\.npy: has sha256 .* run `snakemake"):
        opened(data).batch(np.arange(4))


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"train": 0, "val": 4})
    with pytest.raises(DataError, match="holds no sample"):
        opened(tmp_path)


def test_the_balanced_sampler_draws_every_class_equally_often_with_new_noise(
    tmp_path: Path,
) -> None:
    write(tmp_path, {"train": 40, "val": 11}, multiclass=3)
    crops = opened(tmp_path)
    rare = np.flatnonzero(crops.labels[:, 0] == 0)[:2]
    crops.labels[np.setdiff1d(np.flatnonzero(crops.labels[:, 0] == 0), rare)] = 1
    batches = list(crops.training(5, 0, 0, True, 36, "balanced"))
    labels = np.concatenate([batch.labels[:, 0].numpy() for batch in batches])
    assert len(labels) == 40
    assert sorted(np.bincount(labels)) == [13, 13, 14]
    noise = {}
    for batch in batches:
        for row, each in zip(batch.rows.tolist(), batch.noise.numpy(), strict=True):
            noise.setdefault(row, []).append(each.tobytes())
    assert {len(noise[row]) for row in rare.tolist()} <= {6, 7}
    for drawn in noise.values():
        assert len(set(drawn)) == len(drawn)


def test_a_samples_first_noise_is_the_same_with_either_sampler(data: Path) -> None:
    def first(sampler: str) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for batch in opened(data).training(4, 0, 0, False, 36, sampler):
            for row, noise in zip(batch.rows.tolist(), batch.noise.numpy(), strict=True):
                found.setdefault(row, noise.tobytes())
        return found

    uniform = first("uniform")
    balanced = first("balanced")
    assert {row: uniform[row] for row in balanced} == balanced


def test_the_frames_of_clips_are_no_samples_of_an_image_encoder(tmp_path: Path) -> None:
    write(tmp_path, {"train": 12})
    file = tmp_path / "splits/train.parquet"
    head = tables.read_table(file, tables.SPLITS)
    rows = [row | {"clip": 0 if number > 7 else -1} for number, row in enumerate(head.to_pylist())]
    tables.write_table(file, rows, tables.SPLITS, tables.metadata(head))
    crops = Crops(file, tmp_path / "faces", tmp_path / "texture")
    assert len(crops) == 8
    assert crops.table["id"].to_pylist() == [row["id"] for row in rows[:8]]
    assert sum(len(batch.rows) for batch in crops.in_order(5)) == 8
