"""What a machine does in a second: stated rates, of a core in multiples of the reference core's.

Everything here is an estimate, and the plan says which. `lssat plan --measure` replaces the rate
of training by steps that were made.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass, field, replace

from lssat.orchestrate.plan.core_speed import REFERENCE, Core, core
from lssat.params.hardware import Hardware

# GPU: dense TFLOP/s in bfloat16 (float16 of older ones) and in float32, GiB, watts. Data sheets.
GPUS = {
    "H200": (989.0, 67.0, 141, 700),
    "H100": (989.0, 67.0, 80, 700),
    "A100": (312.0, 19.5, 80, 400),
    "L40S": (362.0, 91.6, 48, 350),
    "L4": (121.0, 30.3, 24, 72),
    "A40": (150.0, 37.4, 48, 300),
    "A10": (125.0, 31.2, 24, 150),
    "V100": (125.0, 15.7, 32, 300),
    "T4": (65.0, 8.1, 16, 70),
    "RTX 4090": (165.0, 82.6, 24, 450),
    "RTX 3090": (71.0, 35.6, 24, 350),
}
ASSUMED = "A100"  # where a GPU is asked for and none can be looked at
SHARE = 0.4  # of the stated rate that training of a ViT reaches
CPU_RATE = 66e9  # operations a second of the reference core in a training's products
CPU_WATTS = 25.0  # of a busy core, with its share of the machine: as codecarbon found
HOST_WATTS = 100.0  # beside a GPU
_BLOCK = {"cpu": 0.0053, "cuda": 0.0012}  # seconds that a block's calls take in an update
_DECODED = {"cpu": 0.0053, "cuda": 0.0012}  # besides, where there is a masked branch


@dataclass(frozen=True)
class Machine:
    """Where jobs run, and how fast that is."""

    device: str = "cpu"  # or cuda
    cores: int = 1  # that work at a time
    gpus: int = 0  # that work at a time
    devices: int = 1  # of one training
    gpu: str = ""  # its name, as in GPUS; "" for a CPU
    seen: bool = True  # the GPU was looked at; else it is assumed
    rate: float | None = None  # operations a second of a device, if stated
    core: Core = REFERENCE  # each of its cores
    measured: dict[str, float] = field(default_factory=dict)  # row -> seconds of an update
    memories: dict[str, float] = field(default_factory=dict)  # row -> bytes on the device

    def operations(self, precision: str) -> float:
        """Return the operations that one device, or one core, makes in a second."""
        if self.rate:
            return self.rate
        if self.device == "cpu":
            return CPU_RATE / self.core.products
        return 1e12 * SHARE * GPUS[self.gpu][precision == "32-true"]

    @property
    def at_once(self) -> int:
        """How many trainings run at a time."""
        return self.cores if self.device == "cpu" else max(1, self.gpus // self.devices)

    @property
    def memory(self) -> float | None:
        """Bytes of a GPU's memory."""
        return GPUS[self.gpu][2] * 2.0**30 if self.device != "cpu" else None

    def calls(self, blocks: int, masked: bool) -> float:
        """Return the seconds of an update that calls take, whatever their size."""
        kind = "cpu" if self.device == "cpu" else "cuda"
        return self.core.rest * (blocks * _BLOCK[kind] + masked * _DECODED[kind])

    def watts(self) -> float:
        """Return the power of what works at a time."""
        if self.device == "cpu":
            return CPU_WATTS * self.cores
        return HOST_WATTS + self.at_once * self.devices * GPUS[self.gpu][3]


def machine_of(
    hardware: Hardware,
    cores: int,
    gpus: int | None = None,
    gpu: str | None = None,
    rate: float | None = None,
    here: bool = True,
) -> Machine:
    """Return the machine of a profile.

    Args:
        cores: that Snakemake is given. gpus: that may work at a time; None: those of one job.
        gpu: a name of `GPUS`; None: the one that `nvidia-smi` names, or `ASSUMED`.
        rate: operations a second of a device.
        here: jobs run on this machine, which has so many cores and no more; they are measured.
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = min(cores, there or 1) if here else cores
    machine = Machine(
        cores=cores, devices=hardware.devices, rate=rate, core=core() if here else REFERENCE
    )
    if hardware.device == "cpu":
        return machine
    name = gpu or (look() if here else None)
    gpus = gpus or hardware.devices
    return replace(machine, device="cuda", gpus=gpus, gpu=name or ASSUMED, seen=name is not None)


def look() -> str | None:
    """Return which of `GPUS` this machine has, without torch."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    words = answer.stdout.partition("\n")[0].replace("-", " ").split()
    named = [name for name in GPUS if name.split()[-1] in words]
    return named[0] if named else None
