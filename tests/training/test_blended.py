"""Baselines on real faces alone: what they read, how a batch is made, and that they train."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.blends import repaint, write
from helpers.training import RUN, SAME, curve, files, stop_after, view
from torch.nn import functional as F

from lssat import grid
from lssat.data.shards import Shards
from lssat.evaluation import logits
from lssat.models import losses
from lssat.models.ssat import SSAT
from lssat.models.ssat.boundary import boundary_loss
from lssat.tables import DataError
from lssat.tables.project import Data
from lssat.training import train as step
from lssat.training.blended import Blended
from lssat.training.loader import Crops
from lssat.training.recipe import Step
from lssat.training.resume import Stopped

ALONE = RUN._replace(configuration=grid.SUPERVISED)
SMALL = {"epochs": 2, "batch_size": 8, "warmup_epochs": 0}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path / "data", {"train": 48, "val": 16})
    return tmp_path / "data"


def blended(data: Path, kind: str = "sbi", **options) -> Blended:
    return Blended(Data(data).splits.train, data / "faces", kind, **options)


def go(data: Path, out: Path, kind: str, **changes) -> dict:
    step.train(ALONE, files(data, out, codes=False), view(**SMALL | {"blend": kind} | changes))
    return json.loads((out / "record.json").read_text())


@pytest.mark.parametrize("kind", grid.BLENDS)
def test_no_fake_of_the_training_split_is_read(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    taken: list[tuple[Path, int, int]] = []
    take = Shards.take

    def note(self: Shards, shard: np.ndarray, row: np.ndarray) -> np.ndarray:
        taken.extend(
            (self.file, *where) for where in zip(shard.tolist(), row.tolist(), strict=True)
        )
        return take(self, shard, row)

    monkeypatch.setattr(Shards, "take", note)
    go(data, tmp_path / "run", kind)
    crops = Crops(Data(data).splits.train, data / "faces", None)
    place = {
        (int(s), int(r)): n for n, (s, r) in enumerate(zip(crops.shard, crops.row, strict=True))
    }
    read = {
        place[where]
        for file, *where in taken
        if file == Data(data).splits.train
        for where in [tuple(where)]
    }
    assert set(crops.labels[sorted(read), 0]) == {0}
    assert len(read) == 24


def test_the_pixels_of_fakes_change_nothing_that_is_trained_on(data: Path) -> None:
    for kind in grid.BLENDS:
        before = [batch.imgs for batch in blended(data, kind).training(8, 0, 0, True, 0)]
        repaint(data, seed=3)
        after = [batch.imgs for batch in blended(data, kind).training(8, 0, 0, True, 0)]
        assert all(map(torch.equal, before, after))


def test_half_of_a_batch_is_real_and_the_other_half_its_fakes(data: Path) -> None:
    crops = blended(data, "xray")
    assert len(crops) == 48
    seen = []
    for batch in crops.training(8, 1, 2, True, 0):
        assert batch.labels[:, 0].tolist() == [0] * 4 + [1] * 4
        assert batch.boundary is not None
        assert not batch.boundary[:4].any()
        for n, place in enumerate(batch.rows[:4].tolist()):
            pair = crops.reals.pair(place, 1, 2, True)
            assert (batch.imgs[n].permute(1, 2, 0).numpy() == pair.real).all()
            assert (batch.imgs[4 + n].permute(1, 2, 0).numpy() == pair.fake).all()
            assert (batch.boundary[4 + n, 0].numpy() == pair.boundary).all()
        seen += batch.rows[:4].tolist()
        assert batch.rows[4:].tolist() == batch.rows[:4].tolist()
    assert sorted(seen) == list(range(24))


def test_a_part_of_a_batch_and_a_later_start_are_the_same_samples(data: Path) -> None:
    crops = blended(data)
    whole = list(crops.training(8, 0, 0, True, 0))
    later = list(crops.training(8, 0, 0, True, 0, start=2))
    assert all(torch.equal(a.imgs, b.imgs) for a, b in zip(whole[2:], later, strict=True))
    for batch, mine in zip(
        whole, crops.training(8, 0, 0, True, 0, part=slice(1, None, 2)), strict=True
    ):
        assert torch.equal(batch.imgs[1::2], mine.imgs)
        assert mine.labels[:, 0].tolist() == [0, 0, 1, 1]


def test_a_share_holds_the_videos_that_it_holds_in_other_runs(data: Path) -> None:
    crops = Crops(Data(data).splits.train, data / "faces", None, share=(0.5, 3))
    ids = [row["id"] for row in crops.table.to_pylist() if row["labels"] == [0]]
    assert blended(data, share=(0.5, 3)).table["id"].to_pylist() == ids
    assert 8 < len(ids) < 16


@pytest.mark.parametrize("kind", grid.BLENDS)
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    go(data, tmp_path / "whole", kind)
    with monkeypatch.context() as patch:
        stop_after(patch, 8)
        with pytest.raises(Stopped):
            go(data, tmp_path / "cut", kind)
    go(data, tmp_path / "cut", kind)
    for name in SAME:
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_loss_of_xray_is_cross_entropy_and_a_hundred_times_that_of_the_boundary(
    data: Path, tmp_path: Path
) -> None:
    record = go(data, tmp_path, "xray", epochs=1, batch_size=48, lr=1e-9, min_lr=1e-9)
    batch = next(iter(blended(data, "xray").training(48, 0, 0, True, 0)))
    torch.manual_seed(0)
    model = SSAT("vit_micro", grid.parse(grid.SUPERVISED), 40, 1, boundary=True)
    with torch.no_grad():
        out = model(batch.imgs)
    assert out.logits is not None
    assert out.boundary is not None
    assert batch.boundary is not None
    small = batch.boundary.reshape(48, 2, 20, 2, 20).mean((2, 4))[:, None]
    p = torch.sigmoid(out.boundary)
    by_hand = -(small * p.log() + (1 - small) * (1 - p).log()).mean()
    assert boundary_loss(out.boundary, batch.boundary) == pytest.approx(float(by_hand), rel=1e-5)
    row = curve(tmp_path)[0]
    assert float(row["loss_rec"]) == pytest.approx(float(by_hand), rel=1e-4)
    expected = F.binary_cross_entropy_with_logits(out.logits, batch.labels.float())
    assert float(row["loss_cls"]) == pytest.approx(float(expected), rel=1e-4)
    whole = Step(model, losses.loss("binary", None, 0.0), 0.1)
    given = batch.imgs, None, None, batch.labels, "joint"
    with torch.no_grad():
        total, parts = whole(*given, boundary=batch.boundary)
    assert float(total) == pytest.approx(float(expected) + 100 * float(by_hand), rel=1e-5)
    assert parts.tolist() == pytest.approx([float(expected), float(by_hand)], rel=1e-5)
    assert record["decoder_parameters"] == sum(p.numel() for p in model.boundary.parameters())
    assert record["parameters"] == sum(
        p.numel() for name, p in model.named_parameters() if "boundary" not in name
    )


def test_a_trained_rival_predicts_from_its_file_as_other_runs_do(
    data: Path, tmp_path: Path
) -> None:
    for kind in grid.BLENDS:
        go(data, tmp_path / kind, kind)
        model = logits.load_run(tmp_path / kind)
        val = Crops(Data(data).splits.val, data / "faces", None)
        with torch.no_grad():
            assert model.classify(val.batch(np.arange(4)).imgs).shape == (4, 1)
        assert (model.boundary is not None) == (kind == "xray")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch_size": 7}, "train.batch_size: 7 is odd, and half of a batch of sbi is real"),
        ({"sampler": "balanced"}, "train.sampler: balanced does nothing: batches of sbi"),
        ({"mixup": 0.2}, "train.mixup: 0.2 is beside sbi, which has its own augmentation"),
        ({"crop": 0.5}, "train.crop: 0.5 is beside sbi"),
    ],
)
def test_a_recipe_that_does_not_go_with_blends_is_refused_by_train_too(
    data: Path, tmp_path: Path, changes: dict, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        go(data, tmp_path, "sbi", **changes)


def test_another_task_and_another_configuration_are_refused_by_train_too(tmp_path: Path) -> None:
    write(tmp_path / "data", {"train": 16, "val": 8})
    run = RUN._replace(configuration="MRGB-RRGB-CRGB")
    with pytest.raises(DataError, match=r"train.blend: .* MRGB-RRGB-CRGB is another training"):
        step.train(run, files(tmp_path / "data", tmp_path), view(**SMALL, blend="sbi"))
    from helpers.drawn_data import write as drawn

    drawn(tmp_path / "emotions", {"train": 16, "val": 8}, multiclass=4)
    with pytest.raises(DataError, match=r"train.parquet: sbi is trained on .* is multiclass"):
        blended(tmp_path / "emotions")
