"""A run trains what `train.tune` says, goes on after a stop, and leaves a plain model."""

import json
from pathlib import Path

import pytest
import torch
from helpers.drawn_data import write
from helpers.training import RUN, SAME, files, stop_after, view
from torch import nn

from lssat import grid
from lssat.evaluation import logits
from lssat.grid import Run
from lssat.models.ssat import SSAT
from lssat.tables import sha256
from lssat.training import train as step
from lssat.training.loader import Crops

pytestmark = pytest.mark.slow

ALONE = RUN._replace(configuration=grid.SUPERVISED)
THEN = RUN._replace(configuration="MRGB-RRGB-thenCRGB")
NET = ALONE._replace(backbone="resnet18")
STILL = {"epochs": 2, "warmup_epochs": 0, "hflip": False, "lr": 1e-2}
CHOICES = [(ALONE, "linear"), (RUN, "norm"), (RUN, "lora:2"), (RUN, "blocks:1"), (NET, "norm")]
CHOICES += [(NET, "linear")]
IDS = [f"{run.backbone}-{text}" for run, text in CHOICES]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 48, "val": 16})
    return folder


@pytest.fixture(scope="module")
def done(data: Path) -> dict[tuple[Run, str], Path]:
    """A training of each choice."""
    made = {}
    for name, (run, text) in zip(IDS, CHOICES, strict=True):
        made[run, text] = data / name
        step.train(run, files(data, data / name), view(**STILL, tune=text))
    return made


def beginning(run: Run) -> SSAT:
    torch.manual_seed(run.seed)
    return SSAT(run.backbone, grid.parse(run.configuration), 40, 1, 0.5)


def moved(before: SSAT, after: SSAT) -> set[str]:
    old = before.state_dict()
    return {name for name, value in after.state_dict().items() if not torch.equal(value, old[name])}


@pytest.mark.parametrize(("run", "text"), CHOICES, ids=IDS)
def test_what_is_frozen_stays_to_the_bit_and_the_rest_moves(
    done: dict[tuple[Run, str], Path], run: Run, text: str
) -> None:
    """The statistics of BatchNorm, too, where its scale is frozen."""
    before, after = beginning(run), logits.load_run(done[run, text])
    names = moved(before, after)
    encoder = {name.removeprefix("encoder.") for name in names if name.startswith("encoder.")}
    assert {"head.weight", "head.bias"} <= names
    assert any(name.startswith("decoder.") for name in names) == (run is RUN)
    every = {name.removeprefix("encoder.") for name in before.state_dict() if "encoder." in name}
    allowed = {
        "linear": set(),
        "norm": {
            name for name in every if "norm" in name or "bn" in name or "downsample.1" in name
        },
        "lora:2": {name for name in every if ".attn." in name and name.endswith(".weight")},
        "blocks:1": {name for name in every if name.startswith(("blocks.2.", "norm."))},
    }
    assert encoder <= allowed[text]
    assert bool(encoder) == (text != "linear")
    if text == "lora:2":
        assert encoder == allowed[text]
        whole = before.state_dict(), after.state_dict()
        for name in encoder:
            change = whole[1][f"encoder.{name}"] - whole[0][f"encoder.{name}"]
            assert torch.linalg.matrix_rank(change, rtol=1e-3) == 2


def test_the_record_counts_what_is_trained(done: dict[tuple[Run, str], Path]) -> None:
    found = {}
    for key, folder in done.items():
        record = json.loads((folder / "record.json").read_text())
        found[key[0].backbone, key[1]] = record["trained_parameters"]
        model = beginning(key[0])
        encoder = sum(value.numel() for value in model.encoder.parameters())
        assert record["parameters"] == encoder + 64 + 1 if key[0] is not NET else encoder + 513
    width, depth, head = 64, 3, 65
    norms = (2 * depth + 1) * 2 * width
    block = 12 * width**2 + 13 * width
    assert found == {
        ("vit_micro", "linear"): head,
        ("vit_micro", "norm"): norms + head,
        ("vit_micro", "lora:2"): depth * 2 * (2 * width + 4 * width) + head,
        ("vit_micro", "blocks:1"): block + 2 * width + head,
        ("resnet18", "norm"): 9600 + 513,
        ("resnet18", "linear"): 513,
    }


@pytest.mark.parametrize(("run", "text"), [*CHOICES[:4], (THEN, "linear"), (THEN, "norm")])
def test_a_stopped_run_goes_on_to_the_same_bytes(
    data: Path, tmp_path: Path, run: Run, text: str
) -> None:
    recipe = view(**STILL | {"epochs": 1, "clip_grad": 0.5}, pretrain_epochs=1, tune=text)
    step.train(run, files(data, tmp_path / "whole"), recipe)
    for updates in (2,) if run is not THEN else (1, 4):  # in either phase
        out = tmp_path / str(updates)
        with pytest.MonkeyPatch.context() as patch:
            stop_after(patch, updates)
            with pytest.raises(step.Stopped):
                step.train(run, files(data, out), recipe)
        step.train(run, files(data, out), recipe)
        for name in SAME:
            assert sha256(out / name) == sha256(tmp_path / "whole" / name), (updates, name)


def test_a_sequence_pretrains_the_encoder_and_then_freezes_it(data: Path, tmp_path: Path) -> None:
    """Its encoder is that of the reconstruction, whatever classification would have made of it."""
    encoders = {}
    for epochs in (1, 2):
        recipe = view(**STILL | {"epochs": epochs}, pretrain_epochs=1, tune="linear")
        step.train(THEN, files(data, tmp_path / str(epochs)), recipe)
        encoders[epochs] = logits.load_run(tmp_path / str(epochs)).encoder
    assert not moved(encoders[1], encoders[2])
    assert len(moved(beginning(THEN).encoder, encoders[1])) > 10


def test_a_frozen_encoder_of_random_weights_is_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    said = "leaves an encoder of random weights (weights: scratch), which is a control"
    for name, run, text, told in (
        ("a", ALONE, "linear", True), ("b", ALONE, "full", False), ("c", THEN, "linear", False),
    ):  # fmt: skip
        recipe = view(**STILL | {"epochs": 1}, tune=text, pretrain_epochs=1)
        step.train(run, files(data, tmp_path / name), recipe)
        assert (said in capsys.readouterr().out) == told, name


def test_costs_count_no_gradient_of_what_is_frozen(done: dict[tuple[Run, str], Path]) -> None:
    costs = {
        (run.configuration, text): json.loads((folder / "record.json").read_text())["costs"]
        for (run, text), folder in done.items()
        if run is not NET
    }
    alone = costs[grid.SUPERVISED, "linear"]
    # One pass of the encoder in two epochs, and the head both ways in each.
    wanted = alone["flops_inference"] / 2 + 4 * 64
    assert alone["flops_training"] == pytest.approx(wanted, rel=1e-3)
    assert alone["flops_run"] == pytest.approx(2 * 48 * wanted, rel=1e-3)
    both = [costs[RUN.configuration, text]["flops_training"] for text in ("blocks:1", "norm")]
    assert both[0] < both[1]


def test_validation_scores_what_the_stored_weights_score(
    data: Path, done: dict[tuple[Run, str], Path]
) -> None:
    """Adapters are merged after the best epoch was chosen by them."""
    folder = done[RUN, "lora:2"]
    record = json.loads((folder / "record.json").read_text())
    val = Crops(data / "splits/val.parquet", data / "faces", data / "texture")
    found = torch.from_numpy(logits.logits(logits.load_run(folder), val, 16))
    loss = nn.functional.binary_cross_entropy_with_logits(found, torch.from_numpy(val.labels * 1.0))
    assert record["best_loss"] == pytest.approx(float(loss), rel=1e-4)
