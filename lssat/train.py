"""Training of one run: one task, backbone, configuration and seed, from a split to weights."""

import copy
import csv
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from torch import Tensor

from lssat import grid, metrics, tasks
from lssat.backbones import Weights, load_weights
from lssat.checkpoint import save_weights
from lssat.environment import environment, revision
from lssat.loader import Batch, Crops
from lssat.reconstruction import reconstructions
from lssat.ssat import SSAT
from lssat.tables import DataError, atomic, write_json


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


def train(run: grid.Run, files: Files, params: SimpleNamespace, device: str = "cpu") -> None:
    """Train a run, keep the weights of its best epoch by validation, write its record.

    Args:
        params: the view of the rule `train`: sections `texture` and `train`.
        device: cpu or cuda; there is no fallback from one to the other.

    Raises:
        DataError: unusable input, or a loss that is not finite.
    """
    recipe = params.train
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    fabric = Fabric(accelerator=device, devices=1, precision=recipe.precision)
    data = {split: Crops(getattr(files, split), files.faces, files.codes) for split in _SPLITS}
    for split in data.values():
        tasks.check_labels(split.task, split.labels, str(split.file))
    if recipe.sampler == "balanced" and data["train"].task.kind == "multilabel":
        problem = "train.sampler is balanced, and a sample has several labels"
        raise DataError(files.train, problem, "Write uniform; class_weights: balanced does it")
    if len(data["train"]) < recipe.batch_size:
        problem = f"holds {len(data['train'])} samples, less than one batch of {recipe.batch_size}"
        raise DataError(files.train, problem, "Lower train.batch_size or add data")
    model, described, weights = make_model(run, data["train"], params)
    trainer = _Trainer(run, model, data, recipe, fabric)
    started = time.perf_counter()
    trainer.fit()
    seconds = time.perf_counter() - started
    digest = save_weights(files.weights, trainer.best_state, described)
    _write_curve(files.curve, trainer.curve)
    model.load_state_dict(trainer.best_state)
    pictures = reconstructions(model, data["val"], run.seed)
    with atomic(files.reconstruction) as file:
        np.savez_compressed(file, allow_pickle=False, **pictures)
    record = _record(run, trainer, digest, seconds, params, device)
    write_json(files.record, record | {"weights": weights._asdict()})


_SPLITS = ("train", "val")


def make_model(
    run: grid.Run, crops: Crops, params: SimpleNamespace
) -> tuple[SSAT, dict[str, Any], Weights]:
    """Build the run's model; also return what rebuilds it, and where its weights came from."""
    recipe = params.train
    described = dict(
        backbone=run.backbone,
        configuration=run.configuration,
        img_size=crops.size,
        outputs=crops.task.outputs,
        mask_ratio=recipe.mask_ratio,
        norm_pix_loss=recipe.norm_pix_loss,
        encoding=params.texture.encoding,
        head=recipe.head,
    )
    torch.manual_seed(run.seed)
    model = rebuild(described)
    weights = load_weights(model.encoder, run.backbone, recipe.weights)
    licence = f", licence {weights.licence}" if weights.licence else ""
    print(f"{run.path}: initial weights {weights.source}{licence}", flush=True)
    return model, described, weights


def rebuild(described: dict[str, Any]) -> SSAT:
    """Build a model from its description, with fresh weights."""
    return SSAT(**{**described, "configuration": grid.parse(described["configuration"])})


class _Trainer:
    def __init__(self, run: grid.Run, model: SSAT, data: dict, recipe: Any, fabric: Fabric):
        self.run, self.data, self.recipe, self.fabric = run, data, recipe, fabric
        self.task = data["train"].task
        optimizer = _optimizer(model, recipe)
        self.model, self.optimizer = fabric.setup(model, optimizer)
        self.model.mark_forward_method("classify")  # so that it runs in Fabric's precision
        self.steps = len(data["train"]) // recipe.batch_size
        self.scheduler = _scheduler(optimizer, recipe, self.steps)
        labels = data["train"].labels
        balanced = recipe.class_weights == "balanced"
        weights = tasks.balance(self.task, labels) if balanced else None
        self.loss = tasks.loss(self.task.kind, weights, recipe.label_smoothing)
        self.curve: list[dict[str, float | int | None]] = []
        self.best_value, self.best_epoch = -np.inf, -1
        self.best_state: dict[str, Tensor] = {}

    def fit(self) -> None:
        for epoch in range(self.recipe.epochs):
            row = {"epoch": epoch, **self._train_epoch(epoch), **self._validate()}
            self.curve.append(row)
            value = row[f"val_{self.task.metric}"]
            if self.best_epoch < 0 or (value is not None and value > self.best_value):
                self.best_value = -np.inf if value is None else value
                self.best_epoch = epoch
                self.best_state = copy.deepcopy(self.model.state_dict())
            said = [f"{k} {v:.4g}" for k, v in row.items() if k != "epoch" and v is not None]
            where = f"{self.run.path}: epoch {epoch + 1} of {self.recipe.epochs}"
            print(f"{where}, {', '.join(said)}", flush=True)

    def _train_epoch(self, epoch: int) -> dict[str, float | None]:
        self.model.train()
        totals, patches = [], self.model.num_patches
        batches = self.data["train"].training(
            *(self.recipe.batch_size, self.run.seed, epoch, self.recipe.hflip, patches),
            self.recipe.sampler,
        )
        for step, batch in enumerate(batches):
            self.scheduler.step_update(epoch * self.steps + step)
            loss, parts = self._losses(batch)
            if not torch.isfinite(loss):
                self._refuse(epoch, step, batch, parts)
            self.optimizer.zero_grad()
            self.fabric.backward(loss)
            self.optimizer.step()
            totals.append(parts)
        mean = torch.stack(totals).mean(0).tolist()
        alone = self.model.decoder is None
        rate = self.optimizer.param_groups[0]["lr"]
        return {"lr": rate, "loss_cls": mean[0], "loss_rec": None if alone else mean[1]}

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss, and both of its parts unweighted as (2,)."""
        batch = self._move(batch)
        out = self.model(batch.imgs, batch.codes, batch.noise)
        loss_cls = self.loss(out.logits, batch.labels)
        if out.loss_rec is None:
            return loss_cls, torch.stack([loss_cls, loss_cls]).detach()
        share = self.recipe.lambda_cls
        total = share * loss_cls + (1 - share) * out.loss_rec
        return total, torch.stack([loss_cls, out.loss_rec]).detach()

    def _move(self, batch: Batch) -> Batch:
        place = self.fabric.to_device
        return Batch(
            batch.rows,
            place(batch.imgs),
            None if batch.codes is None else place(batch.codes),
            place(batch.labels),
            None if batch.noise is None else place(batch.noise),
        )

    @torch.no_grad()
    def _validate(self) -> dict[str, float | None]:
        self.model.eval()
        logits, losses = [], []
        for batch in map(self._move, self.data["val"].in_order(self.recipe.batch_size)):
            logits.append(self.model.classify(batch.imgs, batch.codes))
            losses.append(self.loss(logits[-1], batch.labels) * len(batch.rows))
        val = self.data["val"]
        found = score(self.task, val, torch.cat(logits).float().cpu().numpy())
        mean = float(torch.stack(losses).sum()) / len(val)
        return {"val_loss_cls": mean, **{f"val_{key}": value for key, value in found.items()}}

    def _refuse(self, epoch: int, step: int, batch: Batch, parts: Tensor) -> None:
        ids = [self.data["train"].table["id"][int(row)].as_py() for row in batch.rows[:8]]
        rate = self.optimizer.param_groups[0]["lr"]
        raise DataError(
            self.run.path,
            f"the loss is not finite in epoch {epoch}, step {step}: classification "
            f"{parts[0]:g}, reconstruction {parts[1]:g}, learning rate {rate:g}, samples {ids}",
            "Lower train.lr, or look at these samples",
        )


def score(task: grid.Task, crops: Crops, logits: np.ndarray) -> dict[str, float | None]:
    """Measure logits (N, outputs) at the level of the task's headline, as the evaluation does."""
    labels, scores = crops.labels, metrics.probabilities(task.kind, logits)
    if task.level == "video":
        ids = crops.table["id"].to_pylist()
        labels = metrics.video_scores(ids, labels)[1].astype(np.int64)
        scores = metrics.video_scores(ids, scores)[1]
    found = metrics.measure(task.kind, labels, scores)
    return {name: found[name] for name in metrics.NAMES[task.kind]}


def _optimizer(model: SSAT, recipe: Any) -> torch.optim.Optimizer:
    # timm's "sgd" is Nesterov's; "momentum" is the plain one.
    sgd = recipe.optimizer == "sgd"
    options: dict[str, Any] = {"momentum": recipe.momentum} if sgd else {}
    return create_optimizer_v2(
        model,
        opt="momentum" if sgd else recipe.optimizer,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        filter_bias_and_bn=True,
        **options,
    )


def _scheduler(optimizer: torch.optim.Optimizer, recipe: Any, steps: int) -> CosineLRScheduler:
    """Half a cosine per step from lr to min_lr, after a linear warm-up."""
    return CosineLRScheduler(
        optimizer,
        t_initial=recipe.epochs * steps,
        lr_min=recipe.min_lr,
        warmup_t=recipe.warmup_epochs * steps,
        warmup_lr_init=recipe.min_lr,
        t_in_epochs=False,
    )


def _write_curve(path: Path, curve: list[dict]) -> None:
    with atomic(path, "w") as file:
        writer = csv.DictWriter(file, fieldnames=list(curve[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(curve)


def _record(
    run: grid.Run, trainer: _Trainer, digest: str, seconds: float, params: Any, device: str
) -> dict[str, Any]:
    model, recipe = trainer.model, trainer.recipe
    count = sum(p.numel() for p in model.parameters())
    decoder = sum(p.numel() for p in model.decoder.parameters()) if model.decoder else 0
    done = recipe.epochs * trainer.steps * recipe.batch_size
    defined = trainer.best_value > -np.inf
    return dict(
        run=run.path,
        **run._replace(configuration=str(grid.parse(run.configuration)))._asdict(),
        weights_sha256=digest,
        epochs=recipe.epochs,
        best_epoch=trainer.best_epoch,
        select_metric=f"val_{trainer.task.metric}",
        best_value=trainer.best_value if defined else None,
        parameters=count - decoder,
        decoder_parameters=decoder,
        seconds=seconds,
        imgs_per_second=done / seconds,
        device=device,
        environment=environment(),
        git=revision(),
        params={key: value.model_dump() for key, value in vars(params).items()},
        data={split: crops.sha256 for split, crops in trainer.data.items()},
    )
