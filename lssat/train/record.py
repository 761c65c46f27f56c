"""The record of a run: what it was, what it was made with, what it cost."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lssat import grid
from lssat.backbones import Weights
from lssat.environment import environment, revision
from lssat.train.resume import best_or_none

if TYPE_CHECKING:
    from lssat.train import Machine
    from lssat.train.loop import Trainer


def record(
    run: grid.Run,
    trainer: "Trainer",
    sha256: str,
    seconds: float,
    params: SimpleNamespace,
    machine: "Machine",
    weights: Weights,
) -> dict[str, Any]:
    """Return the content of record.json, which vouches for the weights by their sha256."""
    model, recipe, progress = trainer.model, trainer.recipe, trainer.progress
    count = sum(p.numel() for p in model.parameters())
    decoder = sum(p.numel() for p in model.decoder.parameters()) if model.decoder else 0
    done = len(progress.curve) * trainer.updates * recipe.batch_size * recipe.accumulate
    return dict(
        run=run.path,
        **run._replace(configuration=str(grid.parse(run.configuration)))._asdict(),
        weights_sha256=sha256,
        weights=weights._asdict(),
        epochs=len(progress.curve),
        best_epoch=progress.best_epoch,
        select_metric=f"val_{trainer.metric}",
        best_value=best_or_none(progress),
        parameters=count - decoder,
        decoder_parameters=decoder,
        seconds=seconds,
        imgs_per_second=done / seconds,
        resumed=progress.resumed,
        device=machine.device,
        devices=machine.devices,
        environment=environment(),
        git=revision(),
        params={key: value.model_dump() for key, value in vars(params).items()},
        data={split: crops.sha256 for split, crops in trainer.data.items()},
    )
