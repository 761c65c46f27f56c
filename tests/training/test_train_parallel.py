"""Several processes give the numbers of one, whichever way they share the work (gloo, CPUs)."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from helpers.training import RUN, command, curve, files, stop_after, view

from lssat import grid
from lssat.models.checkpoint import load_weights
from lssat.params.hardware import Hardware
from lssat.tables import DataError
from lssat.training import train as step

pytestmark = pytest.mark.slow

LOSSES = ("loss_cls", "loss_rec", "val_loss_cls")


@pytest.fixture(scope="module")
def data(sample_data: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in sample's videos, as the other tests of training find their data."""
    folder, made = tmp_path_factory.mktemp("data"), sample_data["ffpp"]
    for name, part in (("splits", "splits"), ("faces", "faces"), ("texture", "texture/ldp")):
        (folder / name).symlink_to(made / part)
    return folder


def line(data: Path, out: Path, strategy: str, configuration: str, recipe) -> list[str]:
    """Return the command that trains in two processes."""
    run = RUN._replace(configuration=configuration)
    made = command(data, out, "--devices", "2", "--strategy", strategy, run=run)
    made[made.index("--params") + 1] = json.dumps(
        {k: v.model_dump() for k, v in vars(recipe).items()}
    )
    return made


def check_same(one: Path, two: Path) -> None:
    """Sums come in another order: tolerances, not bytes."""
    for left, right in zip(curve(one), curve(two), strict=True):
        for name in LOSSES:
            assert bool(left[name]) == bool(right[name])
            if left[name]:
                assert float(left[name]) == pytest.approx(float(right[name]), rel=1e-3)
    for a, b in zip(weights(one).items(), weights(two).items(), strict=True):
        assert a[0] == b[0]
        torch.testing.assert_close(a[1], b[1], rtol=1e-2, atol=2e-3)


def weights(out: Path) -> dict[str, torch.Tensor]:
    record = json.loads((out / "record.json").read_text())
    return load_weights(out / "weights.safetensors", record["weights_sha256"])[0]


RECIPES = {
    "joint": dict(mixup=0.5, clip_grad=0.5, lambda_cls="learned", accumulate=2, batch_size=8)
    | dict(ema=0.9, tune="lora"),
    "then": dict(pretrain_epochs=1, warmup_epochs=0, grad_checkpointing=True, layer_decay=0.7)
    | dict(tune="blocks:1"),
}


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("kind", RECIPES)
def test_two_processes_give_the_numbers_of_one(
    data: Path, tmp_path: Path, kind: str, strategy: str
) -> None:
    recipe = view(**RECIPES[kind])
    configuration = (
        RUN.configuration.replace("-C", "-thenC") if kind == "then" else RUN.configuration
    )
    made = line(data, tmp_path / "two", strategy, configuration, recipe)
    done = subprocess.run(made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    step.train(RUN._replace(configuration=configuration), files(data, tmp_path / "one"), recipe)
    check_same(tmp_path / "one", tmp_path / "two")
    with_costs = json.loads((tmp_path / "two/record.json").read_text())
    assert with_costs["devices"] == 2
    assert with_costs["costs"]["flops_training"] > 0


def test_a_probe_in_two_processes_reads_features_that_one_has_made(
    data: Path, tmp_path: Path
) -> None:
    recipe, name = view(tune="linear", hflip=False), grid.SUPERVISED
    made = line(data, tmp_path / "two", "ddp", name, recipe)
    done = subprocess.run(made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("of train") == 1
    step.train(RUN._replace(configuration=name), files(data, tmp_path / "one"), recipe)
    check_same(tmp_path / "one", tmp_path / "two")


def test_a_run_goes_on_under_another_strategy(data: Path, tmp_path: Path) -> None:
    """One process, then two that hold the weights in parts, then one again."""
    out, recipe = tmp_path / "parts", view(epochs=8, clip_grad=1.0)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(step.Stopped):
            step.train(RUN, files(data, out), recipe)
    old = {file.name for file in (out / "states").rglob("state-*.json")}
    made = line(data, out, "fsdp", RUN.configuration, recipe)
    with subprocess.Popen(made, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as two:
        assert two.stdout
        seen = ""
        while "epoch 3 of 8" not in seen:
            seen = two.stdout.readline()
            assert seen or two.poll() is None
        two.send_signal(signal.SIGTERM)
        _, said = two.communicate()
    assert two.returncode == 143, said
    assert "its state is saved, the same command resumes it" in said
    new = {file.name for file in (out / "states").rglob("state-*.json")}
    assert new - old
    step.train(RUN, files(data, out), recipe)
    assert json.loads((out / "record.json").read_text())["resumed"] == 2
    step.train(RUN, files(data, tmp_path / "one"), recipe)
    check_same(tmp_path / "one", out)


def test_a_batch_that_devices_cannot_share_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="batch_size 16 is no multiple of 3 devices"):
        step.train(
            RUN, files(data, tmp_path), view(), Hardware(devices=3, strategy="ddp", energy=False)
        )


def test_a_strategy_that_cannot_be_is_refused(data: Path, tmp_path: Path) -> None:
    """One that does not exist is no value of `Hardware`."""
    said = "strategy fsdp parts the weights among devices, and there is 1. Give it more"
    with pytest.raises(DataError, match=said):
        step.train(RUN, files(data, tmp_path), view(), Hardware(strategy="fsdp", energy=False))
