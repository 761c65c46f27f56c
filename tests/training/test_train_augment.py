"""Codes that are trained on are those of the augmented crop; a record tells what its run cost."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.drawn_data import write
from helpers.training import RUN, curve, files, view
from scipy import stats

from lssat import texture
from lssat.models.ssat import SSAT
from lssat.tables import sha256
from lssat.training import recipe as recipes
from lssat.training import sampling
from lssat.training import train as step
from lssat.training.augment import DRAWS, Policy, shares
from lssat.training.loader import Crops

FULL = dict(crop=0.6, rand_augment=9.0, erase=0.25, mixup=0.8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 48, "val": 16})
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("change", [*({key: value} for key, value in FULL.items()), FULL])
def test_codes_that_are_trained_on_are_those_of_the_augmented_crop(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict
) -> None:
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    before = SSAT.forward

    def spy(self, imgs, codes=None, noise=None, phase="joint"):
        if self.training:
            seen.append((imgs.clone(), codes.clone()))
        return before(self, imgs, codes, noise, phase)

    monkeypatch.setattr(SSAT, "forward", spy)
    step.train(RUN, files(data, tmp_path), view(epochs=1, **change))
    imgs, codes = (torch.cat(parts) for parts in zip(*seen[:3], strict=True))
    own = texture.codes(imgs.permute(0, 2, 3, 1).contiguous().numpy(), "ldp", 3)
    assert np.array_equal(codes[:, 0].numpy(), own)  # bit for bit, by another implementation
    seen.clear()
    step.train(RUN, files(data, tmp_path / "plain"), view(epochs=1, hflip=False))
    plain = torch.cat([part for part, _ in seen[:3]])
    assert not torch.equal(plain, imgs)


def test_a_mixed_crop_is_the_shares_mean_of_itself_and_the_next(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole numbers from float64, shares from scipy's quantiles of the samples' own numbers."""
    seen, losses = [], []
    before, loss = SSAT.forward, recipes.Step.forward

    def spy(self, imgs, codes=None, noise=None, phase="joint"):
        seen.append(imgs.clone())
        return before(self, imgs, codes, noise, phase)

    def told(self, *given, **more):
        losses.append(given[5:])
        return loss(self, *given, **more)

    monkeypatch.setattr(SSAT, "forward", spy)
    monkeypatch.setattr(recipes.Step, "forward", told)
    step.train(RUN, files(data, tmp_path), view(epochs=1, mixup=0.4))
    crops = Crops(data / "splits/train.parquet", data / "faces", None)
    batch = next(crops.training(16, RUN.seed, 0, True, 4, augmented=True))
    drawn = sampling.numbers(RUN.seed, 0, batch.rows, np.zeros(16, np.int64), 1 + 4 + DRAWS)
    share = stats.beta.ppf(drawn[:, -1].astype(float), 0.4, 0.4)
    own = batch.imgs.double().numpy()
    part = share[:, None, None, None]
    wanted = part * own + (1 - part) * np.roll(own, -1, axis=0)
    assert np.abs(seen[0].numpy() - wanted).max() < 0.501
    other, given = losses[0]
    assert np.array_equal(other.numpy(), np.roll(batch.labels.numpy(), -1, axis=0))
    np.testing.assert_allclose(given.numpy(), share, atol=1e-6)
    assert losses[-1] == ()  # validation mixes nothing


def test_shares_are_of_the_beta_distribution() -> None:
    draws = np.random.default_rng(0).random((4000, DRAWS), np.float32)
    for alpha in (0.2, 1.0, 3.0):
        found = shares(draws, Policy(mixup=alpha))
        assert found.dtype == np.float32
        assert stats.kstest(found, stats.beta(alpha, alpha).cdf).pvalue > 0.01


@pytest.mark.slow
def test_augmented_training_is_the_same_bytes_each_time_and_says_so(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for name in "ab":
        step.train(RUN, files(data, tmp_path / name), view(**FULL))
    step.train(RUN, files(data, tmp_path / "c"), view())
    digests = [sha256(tmp_path / name / "weights.safetensors") for name in "abc"]
    assert digests[0] == digests[1] != digests[2]
    assert curve(tmp_path / "a") == curve(tmp_path / "b")
    assert f"{RUN.path}: texture is computed from each augmented crop" in capsys.readouterr().out


def test_what_a_run_cost_stands_in_its_record(data: Path, tmp_path: Path) -> None:
    step.train(RUN, files(data, tmp_path), view(epochs=1))
    costs = json.loads((tmp_path / "record.json").read_text())["costs"]
    assert costs["flops_training"] > 2 * costs["flops_inference"] > 0
    assert "inference_imgs_per_second" not in costs  # measured alone: lssat/evaluation/speed.py
    assert costs["peak_memory"] > 50_000_000  # bytes: torch alone is more
    assert costs["energy_kwh"] is None
    assert costs["energy_note"] == "not measured"


def test_numbers_are_those_of_a_generator_made_for_each_sample() -> None:
    """The counter is set, not seeded: a fresh Philox at that counter is the oracle."""
    places, times = np.array([5, 0, 5, 2**40]), np.array([0, 0, 1, 0])
    found = sampling.numbers(3, 7, places, times, 11)
    for row, place, time in zip(found, places, times, strict=True):
        bits = np.random.Philox(key=[3, 7], counter=[0, 0, int(place), int(time)])
        assert np.array_equal(row, np.random.Generator(bits).random(11, dtype=np.float32))
    assert not np.array_equal(found[0], found[2])  # another time, other numbers
    assert np.array_equal(sampling.numbers(3, 7, places[1:2], times[1:2], 11)[0], found[1])
