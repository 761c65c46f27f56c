"""Costs: operations counted by hand, energy without a network or files."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import ROOT
from helpers.drawn_data import write
from helpers.training import files, view
from torch.utils.flop_counter import FlopCounterMode

from lssat import grid, tables
from lssat.models.ssat import SSAT
from lssat.report.sections import pareto
from lssat.training import meters
from lssat.training import train as training


def model(configuration: str) -> SSAT:
    torch.manual_seed(0)
    return SSAT("vit_micro", grid.parse(configuration), 40, 1, 0.5)


def test_operations_are_those_of_the_matrix_products() -> None:
    """A ViT of width d: in each block 2 (12 d^2 t + 2 t^2 d) operations for t tokens."""
    alone = model("none-none-CRGB")
    imgs = torch.zeros(3, 3, 40, 40, dtype=torch.uint8)
    found = meters.flops(alone, imgs, None, None, "joint")
    width, depth, tokens, patch = 64, 3, 5, 20
    embed = 2 * 4 * 3 * patch**2 * width
    block = 2 * (12 * width**2 * tokens + 2 * tokens**2 * width)
    # The last block makes its queries and what follows them for the class token alone.
    saved = 2 * (10 * width**2 * (tokens - 1) + 2 * (tokens - 1) * tokens * width)
    wanted = embed + depth * block + 2 * width
    assert wanted - saved <= found["flops_inference"] <= wanted
    # Backward: twice the forward pass, but no gradient for the pixels.
    ratio = found["flops_training"] / found["flops_inference"]
    assert 2.5 < ratio < 3.0


def test_the_auxiliary_task_costs_training_not_inference_and_the_model_stays_as_it_is() -> None:
    both, alone = model("MRGB-RRGB-CRGB"), model("none-none-CRGB")
    imgs = torch.zeros(2, 3, 40, 40, dtype=torch.uint8)
    before = {name: value.clone() for name, value in both.state_dict().items()}
    of_both = meters.flops(both, imgs, None, torch.rand(2, 4), "joint")
    of_alone = meters.flops(alone, imgs, None, None, "joint")
    assert of_both["flops_inference"] == of_alone["flops_inference"]
    assert of_both["flops_training"] > 1.3 * of_alone["flops_training"]
    assert all(torch.equal(before[name], value) for name, value in both.state_dict().items())
    assert all(parameter.grad is None for parameter in both.parameters())
    encoder, decoder = meters.parameters(both)
    assert decoder > 0
    assert meters.parameters(alone) == (encoder, 0)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 32, "val": 8})
    return folder


@pytest.mark.parametrize(
    ("configuration", "epochs"),
    [
        ("MRGB-RRGB-thenCRGB", {"reconstruct": 3, "classify": 1}),
        ("MRGB-RRGB-thenCRGB", {"reconstruct": 1, "classify": 2}),
        ("MRGB-RRGB-CRGB", {"joint": 2}),
        ("none-none-CRGB", {"joint": 1}),
    ],
)
def test_fault_c22_operations_are_those_of_all_phases_weighted_by_epochs(
    prepared: Path, tmp_path: Path, configuration: str, epochs: dict[str, int]
) -> None:
    last = list(epochs)[-1]
    changes = dict(epochs=epochs[last], pretrain_epochs=epochs.get("reconstruct", 1))
    run = grid.Run("ffpp", "vit_micro", configuration, 0)
    training.train(run, files(prepared, tmp_path), view(**changes, warmup_epochs=0))
    found = tables.read_json(tmp_path / "record.json")["costs"]
    imgs = torch.zeros(2, 3, 40, 40, dtype=torch.uint8)
    each = {
        phase: meters.flops(model(configuration), imgs, None, torch.rand(2, 4), phase)
        for phase in epochs
    }
    total = sum(each[phase]["flops_training"] * count for phase, count in epochs.items())
    assert found["flops_training"] == pytest.approx(total / sum(epochs.values()), rel=0.01)
    assert found["flops_run"] == pytest.approx(total * 32, rel=0.01)
    assert found["flops_inference"] == pytest.approx(each[last]["flops_inference"], rel=0.01)


@pytest.mark.slow
def test_fault_c22_how_inference_is_counted_beside_what_papers_say() -> None:
    """17.6 G of multiplications with their additions, less the last block's patches."""
    encoder = SSAT("vit_base", grid.parse("none-none-CRGB"), 224, 1, 0.75)
    imgs = torch.zeros(1, 3, 224, 224, dtype=torch.uint8)
    encoder.requires_grad_(False)
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        encoder.eval().classify(imgs)
    with FlopCounterMode(display=False) as whole, torch.no_grad():
        encoder.encoder.forward_features(torch.zeros(1, 3, 224, 224))
    found = [round(each.get_total_flops() / 1e9, 1) for each in (counted, whole)]
    assert found == [32.7, 35.1]
    assert round(2 * 17.6) == round(found[1])
    for text in (pareto.LEAD, (ROOT / "docs/training.md").read_text()):
        assert "2 x 17.6 = 35.1 GFLOP" in text
        assert "32.7" in text


def test_memory_is_of_this_process() -> None:
    before = meters.peak_memory(torch.device("cpu"))
    held = bytearray(300_000_000)
    held[::4096] = b"x" * len(held[::4096])
    grown = meters.peak_memory(torch.device("cpu")) - before
    assert grown < 1_000_000_000
    assert meters.peak_memory(torch.device("cpu")) >= len(held)


@pytest.mark.slow
def test_memory_is_not_that_of_the_process_that_started_this_one() -> None:
    held = np.ones(150_000_000)  # 1.2 GB
    ask = "import torch; from lssat.training import meters; "
    ask += "print(meters.peak_memory(torch.device('cpu')))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert 100_000_000 < int(done.stdout) < held.nbytes


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # codecarbon's own, at its start
def test_energy_is_measured_without_network_or_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    meter = meters.Energy()
    meter.start()
    found = meter.stop()
    assert found["energy_kwh"] >= 0
    assert found["co2_kg"] is None
    assert found["energy_note"] == "no country was given, so no CO2 is estimated"
    assert list(tmp_path.iterdir()) == []


def test_energy_that_cannot_be_measured_is_null_with_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "codecarbon", None)  # as if it were not installed
    meter = meters.Energy("DEU")
    meter.start()
    found = meter.stop()
    assert found["energy_kwh"] is None
    assert found["co2_kg"] is None
    assert found["energy_note"].startswith("codecarbon could not measure: ModuleNotFoundError")
