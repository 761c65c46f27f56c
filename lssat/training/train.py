"""Training of one run: one task, backbone, configuration and seed, from a split to weights."""

import hashlib
import json
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from lightning_fabric import Fabric

from lssat import grid, metrics
from lssat.models import losses, tuning
from lssat.models.backbones import Weights
from lssat.models.checkpoint import Checkpoints, save_weights
from lssat.params import Train, blends, grid_rules
from lssat.params.hardware import Hardware
from lssat.params.views import TrainView
from lssat.tables import (
    DataError,
    confidential,
    source,
    together,
    write_csv,
    write_json,
    write_whole,
)
from lssat.training.blended import Blended
from lssat.training.build import make_model, rebuild
from lssat.training.loader import Crops
from lssat.training.loop import Trainer, score
from lssat.training.meters import Energy
from lssat.training.observe import Begun, Observer
from lssat.training.parallel import Processes, launch, strategy
from lssat.training.prefetch import Ahead
from lssat.training.reconstruction import reconstructions
from lssat.training.record import costs_of, record
from lssat.training.resume import Progress, Stop, Stopped

__all__ = ["Files", "Stopped", "make_model", "rebuild", "score", "train"]


QUIET = Hardware(energy=False)  # one CPU, whose energy nobody measures


@dataclass(frozen=True)
class Files:
    """Where a run reads and writes. There is no place for the test split: training has none."""

    train: Path
    val: Path
    faces: Path  # folder of shards
    codes: Path | None  # folder of shards; None where the configuration needs no texture
    weights: Path
    curve: Path
    record: Path
    reconstruction: Path
    checkpoints: Path  # folder of the run's states, while it is under way
    features: Path  # folder of the features of frozen encoders, of all runs


def train(
    run: grid.Run,
    files: Files,
    params: TrainView,
    hardware: Hardware = QUIET,
    observer: Observer | None = None,
) -> None:
    """Train a run, keep the weights of its best epoch by validation, write its record.

    Args:
        params: the view of the rule `train`: sections `texture` and `train`.
        hardware: devices and the like.
        observer: is told of the run as it goes on.

    Raises:
        DataError: unusable input, a loss that is not finite, another process at the same run.
        Stopped: a signal ended the process, after its state was saved.
    """
    params = _of_run(run, params)
    recipe = params.train
    meter = Energy(hardware.country) if hardware.energy else None
    if meter:
        meter.start()
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True, warn_only=hardware.device != "cpu")
    clips = grid.family(run.backbone).clips
    where = files.faces, files.codes, clips
    data = {
        "train": _training(run, recipe, files, clips),
        "val": Crops(files.val, *where, methods=recipe.methods),
    }
    _check(run, data, files, recipe, hardware)
    fabric = Fabric(
        accelerator=hardware.device,
        devices=hardware.devices,
        strategy=strategy(run, hardware.strategy, hardware.devices),
        precision=recipe.precision,
        plugins=[Processes()],
    )
    launch(fabric)
    states = Checkpoints(files.checkpoints, _key(run, params, data))
    stop = Stop()
    alone = states.locked() if fabric.is_global_zero else nullcontext()
    with alone, stop.listening(), Ahead(hardware.threads_ahead) as ahead:
        model, described, weights = make_model(run, data["train"], params)
        model.set_grad_checkpointing(recipe.grad_checkpointing)
        trainer = Trainer(
            run,
            model,
            data,
            recipe,
            fabric,
            stop,
            pause=60 * hardware.minutes,
            features=files.features,
            ahead=ahead,
            compile=hardware.compile,
            observer=observer,
        )
        _say_texture(trainer)
        _say_frozen(trainer, weights)
        _go_on(trainer, states)
        if fabric.is_global_zero:
            trainer.observer.begin(_begun(trainer, params, hardware.device))
        started, before = time.perf_counter(), trainer.progress.seconds
        progress = trainer.fit()
        seconds = before + time.perf_counter() - started
    if not fabric.is_global_zero:
        return
    if hardware.strategy == "fsdp":  # its parts lie in processes that are through with it
        model = trainer.model = rebuild(described)
        trainer.freeze()
        model.to(fabric.device).set_grad_checkpointing(recipe.grad_checkpointing)
    model.load_state_dict(progress.best)
    costs = costs_of(trainer, meter)
    tuning.merge(model)  # what is stored is a plain model
    progress.best = model.state_dict()
    pictures = reconstructions(model, data["val"], run.seed)
    written = record(run, trainer, seconds, params, hardware, weights) | {"costs": costs}
    _write(files, written, described, progress, pictures)
    states.remove()


@together()
def _write(
    files: Files,
    written: dict[str, Any],
    described: dict[str, Any],
    progress: Progress,
    pictures: dict[str, np.ndarray],
) -> None:
    """Write the files of a run; its record holds the digests of the others."""
    with confidential():  # it holds faces
        pixels = write_whole(files.reconstruction, lambda file: _save(file, pictures))
    columns = list(progress.curve[0])
    cells = ([row[name] for name in columns] for row in progress.curve)
    vouched = {
        "weights_sha256": save_weights(files.weights, progress.best, described),
        "curve_sha256": write_csv(files.curve, columns, cells),
        "reconstruction_sha256": pixels,
    }
    write_json(files.record, written | vouched)


def _save(file: IO[bytes], pictures: dict[str, np.ndarray]) -> None:
    np.savez_compressed(file, allow_pickle=False, **pictures)  # type: ignore[arg-type]


def _of_run(run: grid.Run, params: TrainView) -> TrainView:
    """Replace the recipe's lambda_cls by the run's own, if its configuration names one."""
    own = grid.parse(run.configuration).lambda_cls
    if own is None:
        return params
    recipe = params.train.model_copy(update={"lambda_cls": own})
    return params.model_copy(update={"train": recipe})


def _training(run: grid.Run, recipe: Train, files: Files, clips: bool) -> Crops:
    """Open the training split: its crops, or those that are real and what is blended of them."""
    share = recipe.share, run.seed
    if recipe.blend == "none":
        return Crops(files.train, files.faces, files.codes, clips, share, recipe.methods)
    _check_blend(run, recipe)
    return Blended(files.train, files.faces, recipe.blend, share)


def _check_blend(run: grid.Run, recipe: Train) -> None:
    """Refuse what params.yaml's check does for a grid."""
    problems = [("blend", blends.run_problem(recipe.blend, run.backbone, run.configuration))]
    problems += blends.recipe_problems(lambda key: getattr(recipe, key))
    for key, text in problems:
        if text:
            problem, _, fix = text.rpartition("; ")
            raise DataError("params.yaml", f"train.{key}: {problem}", fix.capitalize())


def _check(
    run: grid.Run, data: dict[str, Crops], files: Files, recipe: Train, hardware: Hardware
) -> None:
    for split in data.values():
        losses.check_labels(split.task, split.labels, str(split.file))
    if recipe.sampler == "balanced" and data["train"].task.kind == "multilabel":
        problem = "train.sampler is balanced, and a sample has several labels"
        raise DataError(files.train, problem, "Write uniform; class_weights: balanced does it")
    size = recipe.batch_size * recipe.accumulate
    if len(data["train"]) < size:
        problem = f"holds {len(data['train'])} samples, less than one batch of {size}"
        raise DataError(files.train, problem, "Lower train.batch_size or add data")
    if recipe.batch_size % hardware.devices:
        problem = (
            f"train.batch_size {recipe.batch_size} is no multiple of {hardware.devices} devices"
        )
        raise DataError("params.yaml", problem, "Change one of them")
    _check_probe(recipe, grid.parse(run.configuration))
    kind = data["train"].task.kind
    known = metrics.NAMES[kind]
    if recipe.select_metric not in (None, *known):
        problem = f"train.select_metric {recipe.select_metric!r} is no metric of a {kind} task"
        raise DataError("params.yaml", problem, f"Write one of {', '.join(known)}, or null")


def _check_probe(recipe: Train, configuration: grid.Configuration) -> None:
    """Refuse what a frozen encoder makes meaningless, as params.yaml's check does for a grid."""
    if recipe.tune != "linear" or configuration.sequential:
        return
    if configuration.masked:
        problem = f"train.tune: linear freezes the encoder, so that {configuration} would "
        raise DataError("params.yaml", f"{problem}reconstruct for nothing", "Write another")
    for key, text in grid_rules.probe_problems(lambda name: getattr(recipe, name)):
        problem, _, fix = text.partition("; ")
        raise DataError("params.yaml", f"train.{key}: {problem}", fix.capitalize())


def _key(run: grid.Run, params: TrainView, data: dict[str, Crops]) -> str:
    """Return the name of the run's states: of parameters, data and code."""
    parts = {
        "run": run.path,
        "params": {key: value.model_dump() for key, value in vars(params).items()},
        "data": {name: crops.sha256 for name, crops in data.items()},
        "code": source.digest("train"),
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _go_on(trainer: Trainer, states: Checkpoints) -> None:
    """Take the newest state, if the run was under way."""
    trainer.progress.checkpoints = states
    saved = states.latest()
    if saved is not None:
        trainer.progress.take(*saved)
        if trainer.fabric.is_global_zero:
            where = f"epoch {trainer.progress.epoch}, update {trainer.progress.update}"
            print(f"{trainer.run.path}: resumed from {where}", flush=True)


def _begun(trainer: Trainer, params: TrainView, device: str) -> Begun:
    progress = trainer.progress
    return Begun(
        started=progress.started,
        params={key: value.model_dump() for key, value in vars(params).items()},
        data={split: crops.sha256 for split, crops in trainer.data.items()},
        metric=trainer.task.metric,
        device=device,
        lock=progress.checkpoints.lock.absolute(),
        curve=list(progress.curve),
        times=list(progress.times),
    )


def _say_frozen(trainer: Trainer, weights: Weights) -> None:
    """Tell whoever forgot `weights`; a frozen encoder of chance is a control, so it may run."""
    frozen = trainer.tune.kind != "full" and not trainer.model.configuration.sequential
    if frozen and weights.source == "scratch" and trainer.fabric.is_global_zero:
        text = f"tune {trainer.recipe.tune} leaves an encoder of random weights (weights: scratch)"
        print(f"{trainer.run.path}: {text}, which is a control and no result", flush=True)


def _say_texture(trainer: Trainer) -> None:
    changed = trainer.recipe.hflip or trainer.feed.policy.active
    if changed and trainer.data["train"].codes is not None and trainer.fabric.is_global_zero:
        print(f"{trainer.run.path}: texture is computed from each augmented crop", flush=True)
