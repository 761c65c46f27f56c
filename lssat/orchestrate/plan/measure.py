"""A few steps of each kind of training on this machine's device: seconds and memory of an update.

The model, the optimizer and the precision are the run's; images are drawn, since their content
costs nothing. The one module of the plan that imports torch.
"""

import dataclasses
import time
from typing import Any

import torch
from lightning_fabric import Fabric

from lssat import grid
from lssat.models import losses, tuning
from lssat.models.ssat import SSAT, kind_of
from lssat.orchestrate.plan.job_seconds import Costs
from lssat.orchestrate.plan.rates import Machine
from lssat.training import meters as hardware
from lssat.training import recipe as recipes
from lssat.training.parallel import Processes

_WARM, _LEAST, _MOST, _SECONDS = 1, 3, 20, 2.0  # steps before, steps measured, and for how long
_TOO_LONG = 4.0  # seconds of an update, as planned: then fewer images are measured
_CLASSES = 8
# On a CPU an update of a training takes longer than a step alone, by this share of its calls: for
# its batch, and since others are at work on the same caches (docs/run.md).
_BESIDE = 0.4


def measured(costs: Costs, quiet: bool = False) -> Machine:
    """Return the machine of a plan with the seconds and memory of updates that were made.

    Each backbone and configuration is measured once, on one device; what several devices share is
    divided by their number.
    """
    torch.set_num_threads(costs.values.train.threads)
    fabric = Fabric(
        accelerator=costs.machine.device,
        devices=1,
        precision=costs.values.train.precision,
        plugins=[Processes()],
    )
    rows = {costs.row(run): run for run in costs.runs}
    seconds: dict[str, float] = {}
    memories: dict[str, float] = {}
    for name, run in rows.items():
        seconds[name] = _row(costs, run, fabric)
        if fabric.device.type == "cuda":  # of a CPU's process it is that of all rows so far
            memories[name] = hardware.peak_memory(fabric.device)
        if not quiet:
            print(f"{name}: {seconds[name]:.3g} s an update", flush=True)
    return dataclasses.replace(costs.machine, measured=seconds, memories=memories)


def _row(costs: Costs, run: grid.Run, fabric: Fabric) -> float:
    """Return the seconds of an update of a run on all its devices."""
    recipe, machine = costs.values.recipe(run.configuration), costs.machine
    share = max(1, recipe.batch_size // machine.devices)  # of a batch, on one device
    planned = costs.update(run)
    images = max(1, min(share, int(share * _TOO_LONG / planned)))
    if fabric.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    model = _model(costs, run)
    step = recipes.Step(model, losses.loss("multiclass", None, 0.0), recipe.lambda_cls)
    optimizer: Any = recipes.optimizer(step, recipe)
    module, optimizer = fabric.setup(step, optimizer)
    phase = "classify" if grid.parse(run.configuration).sequential else "joint"
    batch = _batch(model, images, fabric.device)
    edges = batch[0][:, :1] / 255 if model.boundary is not None else None
    seconds: list[float] = []
    # Of one thread its own time, whatever other programs do meanwhile.
    alone = fabric.device.type == "cpu" and recipe.threads == 1
    clock = time.thread_time if alone else time.perf_counter
    for number in range(_WARM + _MOST):
        started = clock()
        loss, _ = module(*batch, phase, boundary=edges)
        fabric.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        if fabric.device.type == "cuda":
            torch.cuda.synchronize()
        seconds += [clock() - started] if number >= _WARM else []
        if len(seconds) >= _LEAST and sum(seconds) > _SECONDS:
            break
    middle = sorted(seconds)[len(seconds) // 2]
    once = middle * share / images
    if fabric.device.type == "cpu" and not costs.probes(run):
        work = costs.work(run)
        once += _BESIDE * machine.calls(work.blocks, bool(work.decoder_parameters))
    return once * recipe.accumulate


def _model(costs: Costs, run: grid.Run) -> SSAT:
    recipe, values = costs.values.recipe(run.configuration), costs.values
    model = kind_of(run.backbone)(
        run.backbone,
        grid.parse(run.configuration),
        values.faces.size,
        _CLASSES,
        recipe.mask_ratio,
        recipe.norm_pix_loss,
        recipe.encoding or values.texture.encoding,
        recipe.head if grid.parse(run.configuration).auxiliary else "linear",
        frames=costs.samples(run.task).clip_frames if costs.is_clip(run) else None,
        boundary=recipe.blend == "xray",
    )
    tuning.tune(model, grid.tune(recipe.tune), run.backbone, run.seed)
    model.set_grad_checkpointing(recipe.grad_checkpointing)
    return model


def _batch(model: SSAT, images: int, device: torch.device) -> list[torch.Tensor]:
    """Draw images or clips, codes, the noise of masks, and labels."""
    shape = (*(() if model.frames is None else (model.frames,)), model.img_size, model.img_size)
    drawn = [torch.randint(256, (images, n, *shape), dtype=torch.uint8) for n in (3, 1)]
    noise, labels = torch.rand(images, model.num_patches), torch.zeros(images, 1).long()
    return [part.to(device) for part in (*drawn, noise, labels)]
