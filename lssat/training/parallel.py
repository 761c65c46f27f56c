"""Several devices: whole copies that share each batch (DDP), or weights in parts as well (FSDP).

FSDP is torch's second one (`fully_shard`): each process holds a part of every parameter, of its
gradient and of the optimizer's moments, and gathers a block's parameters only while it runs. What
is saved is whole, so a run goes on, or is used, under any other strategy.
"""

import os
import re
from itertools import chain
from typing import Any

from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.strategies import DDPStrategy, ModelParallelStrategy, Strategy
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from lssat import grid
from lssat.tables import DataError

# What launchers (torchrun, srun, jsrun, mpirun, Fabric's own command) say to their processes and
# Fabric, or torch below it, would take for its own.
_OF_LAUNCHERS = re.compile(
    "((LOCAL|NODE|GROUP)_)?RANK|WORLD_SIZE|MASTER_(ADDR|PORT)|STANDALONE_PORT|LT_.*"
)
_PARENT = "LSSAT_PROCESSES_OF"  # the process that started this one beside itself


class Processes(LightningEnvironment):
    """One process, which starts the others itself: what the machine says decides, and only that.

    Left to itself Fabric looks for SLURM, LSF, MPI and torchrun: it warns of an `srun` that is
    merely installed, and takes its number of processes from a job that was given for something
    else.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started = not is_first()
        if not self._started:
            for name in filter(_OF_LAUNCHERS.fullmatch, list(os.environ)):
                del os.environ[name]

    @property
    def creates_processes_externally(self) -> bool:
        """Say whether another process of this run started this one."""
        return self._started


def is_first() -> bool:
    """Say whether no other process of this run started this one."""
    return os.environ.get(_PARENT) != str(os.getppid())


def launch(fabric: Fabric) -> None:
    """Start the other processes of a run, or join the one that started this."""
    os.environ[_PARENT] = str(os.getpid())
    try:
        fabric.launch()
    finally:
        del os.environ[_PARENT]


def strategy(run: grid.Run, name: str, devices: int) -> str | Strategy:
    """Return Fabric's strategy of a name.

    Raises:
        DataError: FSDP where nothing can be shared out.
    """
    if name == "ddp":
        # A sequential configuration uses the decoder, or the head, in one of its phases only.
        parted = grid.parse(run.configuration).sequential
        return DDPStrategy(find_unused_parameters=parted)
    if name == "fsdp" and devices == 1:
        problem = "strategy fsdp parts the weights among devices, and there is 1"
        raise DataError(run.path, problem, "Give it more devices, or write auto in the profile")
    if name == "fsdp":
        return ModelParallelStrategy(_shard, data_parallel_size=devices, tensor_parallel_size=1)
    return name


def _shard(step: Any, mesh: DeviceMesh) -> nn.Module:
    """Shard each block of encoder and decoder by itself, and the rest together."""
    model = step.model
    blocks = (getattr(part, "blocks", ()) for part in (model.encoder, model.decoder))
    # Parted again after each pass, the outermost too: what lies between two passes is always parts.
    options: Any = dict(mesh=mesh["data_parallel"], reshard_after_forward=True)
    for block in chain.from_iterable(blocks):
        fully_shard(block, **options)
    return fully_shard(step, **options)


def whole(value: Tensor) -> Tensor:
    """Gather a tensor from its parts, on the CPU; every process must call it.

    A tensor that is whole stays what it is.
    """
    return value.full_tensor().cpu() if isinstance(value, DTensor) else value


def parted(value: Tensor, like: Tensor) -> Tensor:
    """Part a whole tensor as another one is; every process must call it."""
    if not isinstance(like, DTensor):
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)
