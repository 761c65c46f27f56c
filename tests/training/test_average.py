"""The average of weights: its formula, what it is used for, and that nothing else changes."""

from pathlib import Path

import pytest
import torch
from helpers.drawn_data import write
from helpers.training import RUN, SAME, curve, files, stop_after, view
from torch import nn

from lssat import grid
from lssat.evaluation import logits
from lssat.tables import read_record, sha256
from lssat.training import train as step
from lssat.training.average import Average
from lssat.training.loader import Crops

SEQUENCE = RUN._replace(configuration="MRGB-RRGB-thenCRGB")
NET = RUN._replace(backbone="resnet18", configuration=grid.SUPERVISED)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 48, "val": 16})
    return folder


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.9999])
def test_the_average_is_that_of_its_formula(decay: float) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    model[0].bias.requires_grad_(False)
    average = Average(model, decay)
    average.begin()
    wanted = {name: value.double().clone() for name, value in model.state_dict().items()}
    for number in range(12):
        with torch.no_grad():
            for value in model.state_dict().values():
                value.add_(torch.rand(value.shape).to(value.dtype) + 1)
        average.update(number)
        d = min(decay, (1 + number) / (10 + number))
        for name, value in model.state_dict().items():
            whole = not value.is_floating_point()
            wanted[name] = value if whole else d * wanted[name] + (1 - d) * value.double()
    own = {name: value.clone() for name, value in model.state_dict().items()}
    assert set(average.tensors) == set(own) - {"0.bias"}  # which is frozen
    with average.applied():
        for name, value in model.state_dict().items():
            if name != "0.bias":
                torch.testing.assert_close(value.double(), wanted[name].double(), rtol=1e-5, atol=0)
    assert all(torch.equal(value, own[name]) for name, value in model.state_dict().items())


def test_nothing_is_averaged_where_nobody_asked() -> None:
    model = nn.Linear(2, 2)
    average = Average(model, None)
    average.begin()
    average.update(0)
    with average.applied():
        assert average.tensors == {}


@pytest.mark.parametrize("run", [RUN, pytest.param(NET, marks=pytest.mark.slow)])
def test_validation_and_stored_weights_are_of_the_average_and_training_is_not(
    data: Path, tmp_path: Path, run: grid.Run
) -> None:
    """The losses of training are as without it; the score of validation is the stored weights'."""
    recipe = dict(epochs=2, warmup_epochs=0, early_stop=None)
    for name, ema in (("plain", None), ("average", 0.99)):
        step.train(run, files(data, tmp_path / name), view(**recipe, ema=ema))
    plain, average = curve(tmp_path / "plain"), curve(tmp_path / "average")
    for left, right in zip(plain, average, strict=True):
        assert left["loss_cls"] == right["loss_cls"]
        assert left["val_loss_cls"] != right["val_loss_cls"]
    record = read_record(tmp_path / "average/record.json")
    val = Crops(data / "splits/val.parquet", data / "faces", data / "texture")
    found = torch.from_numpy(logits.logits(logits.load_run(tmp_path / "average"), val, 16))
    loss = nn.functional.binary_cross_entropy_with_logits(found, torch.from_numpy(val.labels * 1.0))
    assert record["best_loss"] == pytest.approx(float(loss), rel=1e-4)


@pytest.mark.parametrize("updates", [2, 4])
def test_a_stopped_run_goes_on_with_its_average_in_either_phase(
    data: Path, tmp_path: Path, updates: int
) -> None:
    recipe = view(pretrain_epochs=1, epochs=1, warmup_epochs=0, ema=0.9)
    step.train(SEQUENCE, files(data, tmp_path / "whole"), recipe)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, updates)
        with pytest.raises(step.Stopped):
            step.train(SEQUENCE, files(data, tmp_path / "b"), recipe)
    step.train(SEQUENCE, files(data, tmp_path / "b"), recipe)
    for name in SAME:
        assert sha256(tmp_path / "b" / name) == sha256(tmp_path / "whole" / name), name
