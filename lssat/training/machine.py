"""The machine that a run is trained on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """What the machine decides, and no result depends on but in its last bits."""

    device: str = "cpu"  # cpu or cuda; there is no fallback from one to the other
    devices: int = 1
    strategy: str = "auto"  # auto | ddp | fsdp: the weights are parted among the devices too
    compile: bool = False  # torch.compile of the step
    minutes: float = 10.0  # between two saved states
    readers: int | None = None  # threads that read ahead; None: 2 for a GPU, none for a CPU
    energy: bool = False  # measured
    country: str | None = None  # of the machine, three letters; None: no CO2 is estimated
