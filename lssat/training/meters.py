"""What a run costs beside its score: operations, memory, energy.

Energy is what codecarbon makes of the hardware's counters, or of its table of processors where
there are none; it works without a network and writes no file. Where it cannot, the value is None
and `note` says why.
"""

import copy
import logging
import resource
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lssat.models import tuning
from lssat.models.ssat import SSAT


def flops(
    model: SSAT, imgs: Tensor, codes: Tensor | None, noise: Tensor | None, phase: str
) -> dict[str, float]:
    """Count floating-point operations an image, a multiplication and an addition being two.

    Args:
        model: left as it is; a copy is run.
        imgs, codes, noise, phase: a batch, as `SSAT.forward` takes it.

    Returns:
        `flops_training` of forward and backward pass, `flops_inference` of `classify`.
    """
    # Imported here, where training is over: 0.1 s that would delay its first step.
    from torch.utils.flop_counter import FlopCounterMode

    twin = copy.deepcopy(model)
    if phase == "reconstruct":
        twin.requires_grad_(True)  # what is frozen was frozen after it
    with FlopCounterMode(display=False) as training:
        out = twin(imgs, codes, noise, phase)
        parts = [part for part in (out.logits, out.loss_rec, out.boundary) if part is not None]
        sum(part.float().sum() for part in parts).backward()  # type: ignore[union-attr]
    tuning.merge(twin)
    twin.requires_grad_(False)  # else the counter trips over a bare parameter given to a module
    with FlopCounterMode(display=False) as inference, torch.no_grad():
        twin.eval().classify(imgs, codes)
    counters = {"training": training, "inference": inference}
    totals = {name: counter.get_total_flops() for name, counter in counters.items()}
    return {f"flops_{name}": total / len(imgs) for name, total in totals.items()}


def peak_memory(device: torch.device) -> int:
    """Return the most bytes held so far: of the GPU's memory, or of the whole process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux begins ru_maxrss with the memory of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def parameters(model: nn.Module) -> tuple[int, int]:
    """Return the number of parameters without the decoder, and that of the decoder.

    A boundary head counts as one: both are gone at inference.
    """
    parts: list[Any] = [getattr(model, name, None) for name in ("decoder", "boundary")]
    of_decoder = sum(p.numel() for part in parts if part is not None for p in part.parameters())
    return sum(p.numel() for p in model.parameters()) - of_decoder, of_decoder


class Energy:
    """Measures energy from `start` to `stop`. Starting takes seconds, so a thread does it.

    Args:
        country: three letters (ISO 3166-1 alpha-3), of the grid that feeds the machine; None:
            energy is measured and CO2 is not estimated.
    """

    def __init__(self, country: str | None = None):
        self.country, self.tracker, self.note = country, None, ""
        self.thread = threading.Thread(target=self._start, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self.thread.start()

    def _start(self) -> None:
        try:
            from codecarbon import OfflineEmissionsTracker
            from codecarbon.core import util
            from codecarbon.external import ram

            if shutil.which("scontrol") is None:  # it would ask SLURM for the job, and give up
                util.SLURM_JOB_ID = ram.SLURM_JOB_ID = None
            logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
            tracker: Any = OfflineEmissionsTracker(
                country_iso_code=self.country or "USA",
                save_to_file=False,
                save_to_api=False,
                log_level="critical",
                allow_multiple_runs=True,
                tracking_mode="process",
            )
            tracker.start()
            self.tracker = tracker
        except Exception as error:  # whatever the library trips over, training goes on
            self.note = f"codecarbon could not measure: {type(error).__name__}: {error}"

    def stop(self) -> dict[str, Any]:
        """End; return `energy_kwh`, `co2_kg`, `country` and `energy_note`."""
        self.thread.join()
        nothing = dict(energy_kwh=None, co2_kg=None, country=self.country)
        if self.tracker is not None:
            self.tracker.stop()  # it swallows its own errors and then has no result
        emissions = getattr(self.tracker, "final_emissions_data", None)
        if emissions is None:
            return nothing | {"energy_note": self.note or "codecarbon gave no result"}
        co2 = float(emissions.emissions) if self.country else None
        note = "" if self.country else "no country was given, so no CO2 is estimated"
        energy = float(emissions.energy_consumed)
        return nothing | {"energy_kwh": energy, "co2_kg": co2, "energy_note": note}
