"""Where a run's jobs go and why: device, profile, partition; and what is lacking there."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lssat.data import preflight
from lssat.orchestrate.plan.rates import Machine, look, machine_of
from lssat.orchestrate.plan.totals import Plan
from lssat.params import hardware
from lssat.params.yaml12 import read_yaml
from lssat.tables import DataError
from lssat.tables.project import Project

HERE = Project()

DEFAULT = Path("profiles/default")
_ROOM = 1.1  # of the disk that is planned


@dataclass(frozen=True)
class Place:
    """A profile, and the machine that it describes."""

    profile: Path
    config: dict[str, Any]  # of its machine.yaml
    hardware: hardware.Hardware
    cluster: bool
    elsewhere: bool  # a machine that was only named: nothing of it can be looked at
    why: list[str]  # in sentences
    machine: Machine


def place(
    profile: Path = DEFAULT,
    cores: int = 8,
    gpus: int | None = None,
    gpu: str | None = None,
    rate: float | None = None,
) -> Place:
    """Read a profile as Snakemake does.

    Args:
        profile: its folder. cores: for Snakemake. gpus, gpu, rate: as of `machine_of`.

    Raises:
        DataError: no such profile, or a machine.yaml that cannot be.
    """
    options, config = _yaml(profile / "profile.yaml"), _yaml(profile / "machine.yaml")
    if problems := hardware.problems(config, here=False):
        raise DataError.of(profile / "machine.yaml", problems)
    if gpu:
        config |= {"device": "cuda"}
    known = hardware.read(config)
    cluster = bool(options.get("executor"))
    if cluster:
        cores = int(options.get("jobs", 1))
    # A cluster's profile counts GPUs by job: as many work at a time as jobs are queued.
    allowed = gpus or (cores * known.devices if cluster else _gpus(options))
    machine = machine_of(known, cores, allowed, gpu, rate, here=not cluster)
    why = _why(profile, options, known, machine, gpu)
    return Place(profile, config, known, cluster, gpu is not None, why, machine)


def _yaml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        fix = "Name the folder of a profile, such as profiles/default or profiles/slurm"
        raise DataError(file, "is not there", fix)
    raw: Any = read_yaml(file)[0]
    return raw or {}


def _gpus(options: dict[str, Any]) -> int | None:
    """Return `gpu` of a profile's resources."""
    pairs = (str(resource).partition("=") for resource in options.get("resources", []))
    return next((int(value) for name, _, value in pairs if name == "gpu"), None)


def _why(
    profile: Path,
    options: dict[str, Any],
    known: hardware.Hardware,
    machine: Machine,
    gpu: str | None,
) -> list[str]:
    file = profile / "machine.yaml"
    if options.get("executor"):
        slurm = options["executor"] == "slurm"
        parts = [("with a GPU", "gpu_partition"), ("without one", "cpu_partition")]
        where = f"{options['executor']}: `executor` in {profile / 'profile.yaml'}"
        reasons = [f"{where}, at most {machine.cores} jobs at a time"]
        for what, key in parts if slurm else []:
            name = getattr(known, key)
            spelt = f"partition {name}" if name else "the cluster's own partition"
            reasons.append(f"jobs {what}: {spelt} (`{key}` in {file})")
        if not slurm:
            image = f"`container-image` in {profile / 'profile.yaml'}"
            reasons.append(f"each job is a pod of {options.get('container-image')}: {image}")
        reasons.append(f"device {known.device} (`device` in {file})")
    elif gpu:
        reasons = [f"a machine like this one with a GPU {gpu}, as --gpu says"]
    else:
        reasons = [f"this machine, {machine.cores} cores at a time: {profile} names no cluster"]
        reasons.append(f"device {known.device}: `device` in {file}")
    if machine.device == "cuda":
        seen = "named" if gpu else "found here" if machine.seen else "assumed; --gpu names another"
        many = f"{machine.gpus} at a time, {machine.devices} for a training"
        reasons.append(f"GPU {machine.gpu}, {seen}; {many}")
    elif not options.get("executor") and (unused := look()):
        reasons.append(f"its GPU ({unused}) stays idle: write `device: cuda` in {file} to use it")
    return reasons


def lacking(where: Place, plan: Plan, params_: str, batch_size: int) -> list[str]:
    """Say what would stop a job there, a line each: parameters, weights, device, memory, disk."""
    lacks = list(preflight.problems(params_)[1])
    here = not where.cluster and not where.elsewhere
    lacks += hardware.problems(
        where.config, batch_size=batch_size, here=here, partitions=where.cluster
    )
    memory = where.machine.memory
    for row in plan.rows:
        if memory and row.memory > memory:
            need = f"{row.backbone} takes about {row.memory / 2**30:.0f} GiB of GPU memory"
            fix = "lower train.batch_size and raise train.accumulate, or use grad_checkpointing"
            lacks.append(f"{need}, and {where.machine.gpu} has {memory / 2**30:.0f}; {fix}")
    if where.elsewhere:
        return lacks
    free = shutil.disk_usage(os.getcwd()).free
    there = sum(map(_size, map(str, (HERE.prepared, HERE.runs.root, HERE.results.root))))
    if (room := _ROOM * sum(plan.disk.values()) - there) > free:
        short = f"the disk of {Path.cwd()} has {free / 1e9:.1f} GB free"
        lacks.append(f"{short}, and {room / 1e9:.1f} GB are needed; free some, or work elsewhere")
    return lacks


def _size(folder: str) -> int:
    """Return the bytes of a folder's files."""
    files = (os.path.join(top, name) for top, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(file).st_size for file in files)
