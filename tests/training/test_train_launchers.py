"""A run has the processes that its machine says, whatever launched it or is installed there."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from helpers.drawn_data import write
from helpers.training import RUN, command, files, view

from lssat.training import train as step

pytestmark = pytest.mark.slow

# What each launcher tells its processes; of four, this would be the third.
LAUNCHERS = {
    "an srun that is only installed": {},
    "srun": {
        "SLURM_NTASKS": "4", "SLURM_NPROCS": "4", "SLURM_JOB_NAME": "train", "SLURM_PROCID": "2",
        "SLURM_LOCALID": "2", "SLURM_NODEID": "0", "SLURM_JOB_ID": "7", "SLURM_NODELIST": "n1",
    },
    "sbatch": {"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "train", "SLURM_JOB_ID": "7"},
    "torchrun": {
        "LOCAL_RANK": "2", "RANK": "2", "WORLD_SIZE": "4", "GROUP_RANK": "1", "NODE_RANK": "1",
        "MASTER_ADDR": "192.0.2.1", "MASTER_PORT": "1", "TORCHELASTIC_RUN_ID": "x",
        "TORCHELASTIC_RESTART_COUNT": "0", "LOCAL_WORLD_SIZE": "4",
    },
    "jsrun": {
        "LSB_JOBID": "7", "LSB_DJOB_RANKFILE": "absent", "JSM_NAMESPACE_LOCAL_RANK": "2",
        "JSM_NAMESPACE_SIZE": "4", "JSM_NAMESPACE_RANK": "2",
    },
    "mpirun": {
        "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2", "PMI_RANK": "2", "PMI_SIZE": "4",
    },
    "fabric run": {
        "LT_CLI_USED": "1", "LT_DEVICES": "2", "LT_ACCELERATOR": "cuda", "LT_STRATEGY": "ddp",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 48, "val": 16})
    return folder


@pytest.fixture
def srun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An `srun` stands on PATH, and must not be called."""
    program = tmp_path / "bin/srun"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("name", LAUNCHERS)
def test_fault_f15_a_run_is_one_process_under_any_launcher(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, srun: None, name: str
) -> None:
    for key, value in LAUNCHERS[name].items():
        monkeypatch.setenv(key, value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step.train(RUN, files(data, tmp_path / "run"), view(epochs=1))
    record = json.loads((tmp_path / "run/record.json").read_text())
    assert (record["device"], record["devices"]) == ("cpu", 1)
    assert not (tmp_path / "called").exists()


def test_fault_f15_two_devices_are_two_processes_under_a_launcher(
    data: Path, tmp_path: Path, srun: None
) -> None:
    told = LAUNCHERS["srun"] | LAUNCHERS["torchrun"]
    made = command(data, tmp_path / "run", "--devices", "2", "--strategy", "ddp")
    done = subprocess.run(made, env=os.environ | told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "arning" not in done.stderr
    record = json.loads((tmp_path / "run/record.json").read_text())
    assert record["devices"] == 2
    assert not (tmp_path / "called").exists()


def test_fault_f15_energy_is_measured_in_a_job_without_slurms_programs() -> None:
    """In a container of a job, say. codecarbon looks at the variable when it is imported."""
    lines = "import shutil; which = shutil.which; "
    lines += "shutil.which = lambda name, *more: None if name == 'scontrol' else which(name, *more)"
    lines += "; from lssat.training.meters import Energy; made = Energy(); made.start(); "
    lines += "made.thread.join(); print(made.stop())"
    done = subprocess.run(
        [sys.executable, "-c", lines], env=os.environ | {"SLURM_JOB_ID": "7"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "'energy_note': 'no country was given, so no CO2 is estimated'" in done.stdout, done
