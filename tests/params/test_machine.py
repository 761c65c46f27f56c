"""A profile's words about the machine reach `lssat train`, and no rule's parameters."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from lssat.cli import commands as cli
from lssat.params import hardware
from lssat.tables import DataError


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set here reaches no other test's processes."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("LSSAT_")}
    monkeypatch.setattr(os, "environ", others)


def test_what_a_profile_says_becomes_variables_that_train_reads() -> None:
    os.environ["LSSAT_STRATEGY"] = "fsdp"  # of an earlier day
    hardware.tell({"devices": 2, "compile": True, "device": "cuda"}, {"experiment": "x"})
    read = {param.envvar for param in command("train").params if param.envvar}
    assert read == {f"LSSAT_{key.upper()}" for key in (*hardware.KEYS, "tracking")}
    environment = os.environ
    assert environment["LSSAT_DEVICES"] == "2"
    assert environment["LSSAT_COMPILE"] == "True"
    assert "LSSAT_STRATEGY" not in environment
    assert json.loads(environment["LSSAT_TRACKING"]) == {"experiment": "x"}


def test_every_key_reaches_a_step_or_the_plan() -> None:
    assert {*hardware.Hardware.model_fields} == {
        *hardware.KEYS, "device", "gpu_partition", "cpu_partition"
    }  # fmt: skip


CPU, WHOLE = "write cpu or cuda", "write a whole number from 1"
SAVED, THREADS = "write a number from 0, between", "write a whole number of threads, 0 or more"
UNUSABLE = [
    ("device", "gpu", "no such device; write cuda"),
    ("device", "CUDA", "no such device; write cuda"),
    ("device", "CPU", "no such device; write cpu"),
    ("device", "cpu:0", "no such device; write cpu"),
    ("device", "cuda:1", "write cuda (and CUDA_VISIBLE_DEVICES=1 before the command)"),
    ("device", "mps", CPU),
    ("device", None, CPU),
    ("device", 0, CPU),
    ("devcie", "cpu", "unknown key; did you mean device?"),
    ("Readers", 2, "unknown key; did you mean readers?"),
    ("lr", 0.1, "unknown key; known: device, devices, strategy, compile"),
    ("devices", -1, WHOLE),
    ("devices", 0, WHOLE),
    ("devices", "two", WHOLE),
    ("devices", 1.5, WHOLE),
    ("devices", True, WHOLE),
    ("minutes", "abc", SAVED),
    ("minutes", -1, SAVED),
    ("minutes", float("nan"), SAVED),
    ("minutes", float("inf"), SAVED),
    ("readers", -3, THREADS),
    ("readers", "many", THREADS),
    ("strategy", "dpd", "write auto, ddp or fsdp"),
    ("strategy", "fsdp", "parts the weights among devices, and there is 1"),
    ("compile", "maybe", "write true or false"),
    ("energy", 7, "write true or false"),
    ("country", "Germany", "write DEU"),
    ("country", "deu", "write DEU"),
    ("country", "DE", "write DEU"),
    ("country", "Mordor", "no such country; write three letters (ISO 3166-1), such as DEU"),
    ("gpu_partition", "", "write a partition's name"),
]


@pytest.mark.parametrize(("key", "value", "said"), UNUSABLE)
def test_fault_a7_what_cannot_be_is_named_with_the_way_out(
    key: str, value: object, said: str
) -> None:
    (found,) = hardware.problems({key: value})
    assert found.startswith(f"{key}={'' if value is None else value}: ")
    assert said in found


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"device": "cpu", "devices": "1", "minutes": 0, "readers": 0, "compile": "true"},
        {"country": "DEU", "energy": False, "strategy": "ddp", "readers": None},
        {"gpu_partition": "a100,h100", "cpu_partition": None},
    ],
)
def test_what_can_be_is_taken(config: dict) -> None:
    assert hardware.problems(config) == []


def test_fault_a7_all_problems_of_a_machine_stand_in_one_list() -> None:
    config = {"device": "gpu", "devcie": 1, "minutes": "abc", "country": "Germany", "readers": -3}
    assert len(hardware.problems(config)) == len(config)


def test_fault_a7_devices_are_held_to_those_there_and_to_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hardware, "count_gpus", lambda: 2)
    assert hardware.problems({"device": "cuda", "devices": 2}, batch_size=8) == []
    (many,) = hardware.problems({"device": "cuda", "devices": 4}, batch_size=8)
    assert many == "devices=4: torch finds 2 on this machine; write at most 2"
    (uneven,) = hardware.problems({"devices": 3}, batch_size=8, here=False)
    assert "train.batch_size 8 of params.yaml is no multiple of it" in uneven
    monkeypatch.setattr(hardware, "count_gpus", lambda: 0)
    assert "torch finds no GPU" in hardware.problems({"device": "cuda"})[0]
    assert hardware.problems({"device": "cuda"}, here=False) == []  # jobs run elsewhere
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert "this machine has 2 processors" in hardware.problems({"devices": 4})[0]


def test_fault_f14_partitions_are_held_to_those_of_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sinfo = tmp_path / "sinfo"
    sinfo.write_text("#!/bin/sh\nprintf 'batch\\nlong\\n'\n")
    sinfo.chmod(0o755)
    monkeypatch.setitem(os.environ, "PATH", f"{tmp_path}:{os.environ['PATH']}")
    named = {"gpu_partition": "gpu", "cpu_partition": "batch"}
    (found,) = hardware.problems(named, partitions=True)
    assert found == "gpu_partition=gpu: this cluster has batch, long; write one of them"
    assert hardware.problems({"gpu_partition": "long,batch"}, partitions=True) == []
    sinfo.write_text("#!/bin/sh\nexit 1\n")  # installed, and no cluster: as on many machines
    assert hardware.problems(named, partitions=True) == []


def test_training_offers_each_key_with_its_default_and_says_what_may_stand_there() -> None:
    options = {param.name.rstrip("_"): param for param in command("train").params}
    for key in ("device", *hardware.KEYS):
        field = hardware.Hardware.model_fields[key]
        assert options[key].default == field.default, key
        assert options[key].help == f"{field.title}: {field.description}.", key


def command(name: str) -> click.Command:
    group = typer.main.get_command(cli.app)
    assert isinstance(group, typer.core.TyperGroup)
    return group.commands[name]


def commands() -> dict[str, click.Command]:
    group = typer.main.get_command(cli.app)
    assert isinstance(group, typer.core.TyperGroup)
    every = group.commands.items()
    return {name: each for name, each in every if any(p.name == "device" for p in each.params)}


def test_fault_a7_every_command_with_a_device_checks_it_first() -> None:
    names = {"train", "evaluate", "robustness", "cross", "explain", "faces", "variant", "predict"}
    assert commands().keys() >= names
    for name, each in commands().items():
        given = [f"--{p.name}".replace("_", "-") for p in each.params if p.required]
        line = [name, "--device", "gpu", "x"] if name == "predict" else [name, "--device", "gpu"]
        line += [word for option in given if name != "predict" for word in (option, "0")]
        told = CliRunner().invoke(cli.app, line)
        assert isinstance(told.exception, DataError), (name, told.output)
        assert "--device gpu: no such device; write cuda" in str(told.exception)


@pytest.mark.slow
def test_fault_a7_a_gpu_that_is_not_there_ends_a_command_with_one_message() -> None:
    line = [sys.executable, "-m", "lssat", "predict", "--device", "cuda", "--task", "x", "y.png"]
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=hidden)
    assert done.returncode == 1
    assert "--device cuda: torch finds no GPU on this machine" in done.stderr
    assert "Traceback" not in done.stderr


def test_fault_a7_training_names_all_that_cannot_be_of_its_machine(tmp_path: Path) -> None:
    options = ["--devices=-1", "--strategy=dpd", "--country=Germany", "--minutes=nan"]
    options.append("--readers=-3")
    told = CliRunner().invoke(
        cli.app, ["train", "--run=a/b/c/seed0", f"--project={tmp_path}", *options]
    )
    assert isinstance(told.exception, DataError)
    for said in ("--devices -1: ", "--strategy dpd: ", "--country Germany: write DEU", "nan: "):
        assert said in str(told.exception)
    assert "--readers -3: write a whole number of threads" in str(told.exception)
