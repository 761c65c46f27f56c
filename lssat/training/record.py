"""The record of a run: its settings, environment and costs."""

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lssat import grid
from lssat.models.backbones import Weights
from lssat.params.hardware import Hardware
from lssat.params.views import TrainView
from lssat.tables.contracts import VERSION
from lssat.tables.environment import environment, revision
from lssat.training import meters
from lssat.training.resume import best_loss, best_or_none

if TYPE_CHECKING:
    from lssat.training.loop import Trainer


def record(
    run: grid.Run,
    trainer: "Trainer",
    seconds: float,
    params: TrainView,
    hardware: Hardware,
    weights: Weights,
) -> dict[str, Any]:
    """Return the content of record.json, without the sha256 of the other files."""
    model, progress = trainer.model, trainer.progress
    encoder, decoder = meters.parameters(model)
    done = len(progress.curve) * _images(trainer)
    return dict(
        version=VERSION,
        run=run.path,
        **run._replace(configuration=str(grid.parse(run.configuration)))._asdict(),
        weights=weights._asdict(),
        epochs=len(progress.curve),
        best_epoch=progress.best_epoch,
        select_metric=f"val_{trainer.metric}",
        best_value=best_or_none(progress),
        best_loss=best_loss(progress),
        parameters=encoder,
        decoder_parameters=decoder,
        trained_parameters=trainer.trained,
        seconds=seconds,
        imgs_per_second=done / seconds,
        resumed=progress.resumed,
        times=dict(started=progress.started, epochs=progress.times, ended=time.time()),
        device=hardware.device,
        devices=hardware.devices,
        environment=environment(),
        git=revision(),
        params={key: value.model_dump() for key, value in vars(params).items()},
        data={split: crops.sha256 for split, crops in trainer.data.items()},
        **_groups(trainer),
        predicts=trainer.data["train"].task._asdict(),
        crops=trainer.data["train"].settings | {"size": model.img_size},
    )


def _groups(trainer: "Trainer") -> dict[str, list[str]]:
    """Name the groups of a share of the data; all of them need no names."""
    if trainer.recipe.share == 1:
        return {}
    return {"train_groups": sorted(set(trainer.data["train"].table["group"].to_pylist()))}


def costs_of(trainer: "Trainer", meter: meters.Energy | None) -> dict[str, Any]:
    """Measure the costs of the run; memory and energy only since its last resumption.

    Returns:
        `flops_training` and `flops_inference` per image, the first averaged over the epochs of
        all phases, and `flops_run` of the whole training (see `_operations`); `peak_memory` in
        bytes; the energy as `Energy.stop` returns it, null where it was not measured.
    """
    peak = meters.peak_memory(trainer.fabric.device)
    nothing = dict(energy_kwh=None, co2_kg=None, country=None, energy_note="not measured")
    measured: dict[str, Any] = {"peak_memory": peak} | (meter.stop() if meter else nothing)
    return measured | _operations(trainer)


def _images(trainer: "Trainer") -> int:
    """Return the number of images or clips that an epoch trains on."""
    return trainer.updates * trainer.recipe.batch_size * trainer.recipe.accumulate


def _operations(trainer: "Trainer") -> dict[str, float]:
    """Count the operations of each phase, weighted by the epochs trained in it."""
    val, model = trainer.data["val"], trainer.model
    trained = len(trainer.progress.curve)
    batch = trainer.feed.move(val.batch(np.arange(min(len(val), 8))))
    noise = torch.rand(len(batch.rows), model.num_patches, device=batch.imgs.device)
    left, total, counts = trained, 0.0, {}
    for phase, epochs in trainer.phases:
        counts = meters.flops(model, batch.imgs, batch.codes, noise, phase)
        total += counts["flops_training"] * min(left, epochs)
        left -= min(left, epochs)
    if trainer.probes:  # the encoder's pass once, the head's both ways in each epoch
        back = counts["flops_training"] - counts["flops_inference"]  # of the head, as its forward
        total = counts["flops_inference"] + 2 * back * trained
    mean = total / trained
    return counts | {"flops_training": mean, "flops_run": total * _images(trainer)}
