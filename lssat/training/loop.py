"""The training loop: epochs of updates, validation, the best epoch, states to resume from.

Everything that the loop draws is a function of (seed, epoch, sample) or (seed, epoch, update), so
a run that is resumed goes on as if it had not stopped: bit for bit on a CPU.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.distributed.tensor import DTensor

from lssat import grid, metrics
from lssat.models import losses as tasks
from lssat.models import tuning
from lssat.models.ssat import SSAT
from lssat.params import Train
from lssat.tables import DataError
from lssat.training import recipe as recipes
from lssat.training.average import Average
from lssat.training.features import Maker
from lssat.training.feed import Feed
from lssat.training.loader import Batch, Crops
from lssat.training.observe import Nobody, Observer
from lssat.training.prefetch import Ahead
from lssat.training.resume import Progress, Stop, restore, states

_AGREE = 20  # updates between two looks at what needs all processes' agreement, or a GPU's answer


class Trainer:
    """Trains one run.

    Args:
        stop: set by a signal, checked between updates.
        pause: seconds of training between two saved states.
        features: folder of the features of frozen encoders.
        ahead: reads the batches.
        observer: is told of each epoch.
    """

    def __init__(
        self,
        run: grid.Run,
        model: SSAT,
        data: dict[str, Crops],
        recipe: Train,
        fabric: Fabric,
        stop: Stop,
        pause: float,
        features: Path,
        ahead: Ahead,
        compile: bool = False,
        observer: Observer | None = None,
    ):
        self.run, self.data, self.recipe, self.fabric = run, data, recipe, fabric
        self.stop, self.pause = stop, pause
        self.observer: Observer = observer or Nobody()
        self.task = data["train"].task
        self.metric = recipe.select_metric or self.task.metric
        self.updates = len(data["train"]) // (recipe.batch_size * recipe.accumulate)
        balanced = recipe.class_weights == "balanced"
        weights = tasks.balance(self.task, data["train"].labels) if balanced else None
        loss = tasks.loss(self.task.kind, weights, recipe.label_smoothing)
        self.model, self.tune = model, grid.tune(recipe.tune)
        if not model.configuration.sequential:
            self.freeze()
        seen: Mapping[str, Crops] = data
        if self.probes:
            seen = Maker(features, model, recipe, fabric, stop).of(run.path, data)
        self.plain = recipes.Step(model, loss, recipe.lambda_cls, self.probes)
        step: Any = torch.compile(self.plain) if compile else self.plain
        self.step = fabric.setup_module(step)
        patches = 0 if self.probes else model.num_patches
        self.feed = Feed(run, seen, recipe, fabric, patches, ahead)
        self.progress = Progress()
        self.average = Average(model, recipe.ema)
        self.saved = time.monotonic()
        self.bad = torch.full((), -1, device=fabric.device)  # the first update that was not finite

    @property
    def phases(self) -> list[tuple[str, int]]:
        """The phases of training, and the epochs of each."""
        if self.model.configuration.sequential:
            return [("reconstruct", self.recipe.pretrain_epochs), ("classify", self.recipe.epochs)]
        return [("joint", self.recipe.epochs)]

    def fit(self) -> Progress:
        """Train to the end, or from where a state left off; return how it went."""
        first = 0
        for phase, epochs in self.phases:
            if phase == "classify":  # what comes before makes the encoder that is then tuned
                self.freeze()
            self._begin(epochs, first)
            for epoch in range(first, first + epochs):
                if epoch < self.progress.epoch or self.progress.ended:
                    continue
                self._epoch(phase, epoch, epoch - first)
            first += epochs
        return self.progress

    @property
    def probes(self) -> bool:
        """Whether the encoder is frozen from the start, so that it is run over the data once."""
        return self.tune.kind == "linear" and not self.model.configuration.sequential

    def freeze(self) -> None:
        """Freeze what the recipe does not train (`train.tune`)."""
        tuning.tune(self.model, self.tune, self.run.backbone, self.run.seed)

    def _begin(self, epochs: int, first: int) -> None:
        """Make the phase's optimizer; a state that was saved in this phase fills it."""
        warmup = self.recipe.warmup_epochs
        if warmup >= epochs and self.fabric.is_global_zero:
            text = f"warm-up of {warmup} epochs in {epochs}: the learning rate never reaches its"
            print(f"{self.run.path}: {text} peak", flush=True)
        optimizer = recipes.optimizer(self.plain, self.recipe)
        self.trained = tuning.trained_parameters(self.model)
        self.scheduler = recipes.scheduler(optimizer, self.recipe, self.updates, epochs)
        self.optimizer: Any = self.fabric.setup_optimizers(optimizer)
        self.average.begin()
        if first <= self.progress.epoch < first + epochs:
            device = self.fabric.device
            restore(self.plain, optimizer, self.progress, device, self.average.tensors)

    def _epoch(self, phase: str, epoch: int, of_phase: int) -> None:
        progress = self.progress
        self.step.train()
        if self.tune.kind != "full":
            tuning.rest(self.model)
        total = progress.total.to(self.fabric.device)
        for update, batches in self.feed.updates(epoch, range(progress.update, self.updates)):
            self.scheduler.step_update(of_phase * self.updates + update)
            torch.manual_seed(_seed(self.run.seed, epoch, update))
            total = total + self._update(phase, epoch, update, batches)
            self.average.update(of_phase * self.updates + update)
            progress.epoch, progress.update, progress.total = epoch, update + 1, total
            self._between(update)
        self._refuse_if_bad(epoch)
        self.scheduler.step_update((of_phase + 1) * self.updates - 1)  # also where none was left
        self._close(phase, epoch, self._mean(total / self.updates))

    def _mean(self, value: Tensor) -> Tensor:
        """Average over the processes, each of which saw a part of every batch."""
        mean: Any = self.fabric.all_reduce(value, reduce_op="mean")
        return mean

    def _close(self, phase: str, epoch: int, mean: Tensor) -> None:
        """End an epoch: validate, keep the best weights, print the losses and metrics."""
        progress = self.progress
        losses = [None if np.isnan(value) else value for value in mean.tolist()]
        rates = [group["lr"] for group in self.optimizer.param_groups]
        row = dict(epoch=epoch, lr=max(rates))  # with layer_decay the head's
        row |= dict(zip(("loss_cls", "loss_rec"), losses, strict=True))
        if self.recipe.lambda_cls == "learned":
            row["lambda_cls"] = self.plain.share()
        with self.average.applied():
            validated = self._validate(classify=phase != "reconstruct")
            progress.close(row | validated, self.metric, self.model, phase)
        patience = self.recipe.early_stop
        worse = progress.best_epoch >= 0 and epoch - progress.best_epoch
        progress.ended = patience is not None and worse >= patience
        if self.fabric.is_global_zero:
            values = [f"{k} {v:.4g}" for k, v in progress.curve[-1].items() if k != "epoch" and v]
            last = sum(epochs for _, epochs in self.phases)
            where = f"{self.run.path}: epoch {epoch + 1} of {last}"
            print(f"{where}, {', '.join(values)}", flush=True)
            self.observer.epoch(progress.curve[-1], progress.times[-1])

    def _update(self, phase: str, epoch: int, update: int, batches: list[Batch]) -> Tensor:
        """Make one step of the optimizer; return both losses, unweighted, as (2,)."""
        self.optimizer.zero_grad()
        losses = []
        for number, batch in enumerate(batches):
            more = number + 1 < len(batches)
            with self.fabric.no_backward_sync(self.step, enabled=more):
                loss, parts = self._losses(phase, batch)
                self.fabric.backward(loss / len(batches))
            losses.append(parts)
        norm = self._norm()
        ok = torch.isfinite(loss.detach()) & torch.isfinite(norm)
        self.bad = torch.where((self.bad < 0) & ~ok, update, self.bad)
        parts = torch.stack(losses).mean(0)
        self.last = parts
        if self.fabric.device.type == "cpu":
            self._refuse_if_bad(epoch)
        self.optimizer.step()
        return parts

    def _losses(self, phase: str, batch: Batch) -> tuple[Tensor, Tensor]:
        batch = self.feed.move(batch)
        try:
            given = batch.imgs, batch.codes, batch.noise, batch.labels, phase, *batch.mix
            return self.step(*given, boundary=batch.boundary)
        except torch.OutOfMemoryError as error:
            half = max(1, self.recipe.batch_size // 2)
            more = 2 * self.recipe.accumulate
            problem = f"out of memory with a batch of {self.recipe.batch_size}"
            fix = f"Try train.batch_size: {half} with train.accumulate: {more}, or "
            fix += "train.grad_checkpointing: true"
            raise DataError(self.run.path, problem, fix) from error

    def _norm(self) -> Tensor:
        """Return the norm of all gradients; clip them where the recipe says so."""
        most = self.recipe.clip_grad
        if most is not None:
            norm: Any = self.fabric.clip_gradients(
                self.step, self.optimizer, max_norm=most, error_if_nonfinite=False
            )
        else:
            grads = [p.grad for p in self.plain.parameters() if p.grad is not None]
            norm = torch.nn.utils.get_total_norm(grads)
        return norm.full_tensor() if isinstance(norm, DTensor) else norm

    def _between(self, update: int) -> None:
        """Stop or save between two updates, if it is time."""
        alone = self.fabric.world_size == 1
        if not alone and update % _AGREE:
            return
        due = time.monotonic() - self.saved >= self.pause
        signal = self.stop.signal
        if not alone:
            due, signal = self.fabric.broadcast((due, signal))
        if due or signal:
            self._refuse_if_bad(self.progress.epoch)
            self.save()
        if signal:
            raise self.stop.error(self.run.path, self.progress)

    def save(self) -> None:
        """Save a state from which the run goes on."""
        self.progress.total = self._mean(self.progress.total)
        parts = self.plain, self.optimizer.optimizer
        state = states(*parts, self.progress, self.average.tensors)
        if self.fabric.is_global_zero:
            done = self.progress.epoch * self.updates + self.progress.update
            self.progress.checkpoints.save(done, *state)
        self.fabric.barrier()
        self.saved = time.monotonic()

    @torch.no_grad()
    def _validate(self, classify: bool) -> dict[str, float | None]:
        names = [f"val_{name}" for name in metrics.NAMES[self.task.kind]]
        if not classify:
            return dict.fromkeys(["val_loss_cls", *names])
        self.step.eval()
        val = self.data["val"]
        logits, losses = [], []
        for batch in map(self.feed.move, self.feed.in_order("val")):
            loss, outputs = self.step(batch.imgs, batch.codes, None, batch.labels, "predict")
            logits.append(outputs)
            losses.append(loss * len(batch.rows))
        measured = score(self.task, val, torch.cat(logits).float().cpu().numpy())
        mean = float(torch.stack(losses).sum()) / len(val)
        return {"val_loss_cls": mean, **{f"val_{key}": value for key, value in measured.items()}}

    def _refuse_if_bad(self, epoch: int) -> None:
        update = int(self.bad)
        if update < 0:
            return
        recipe = self.recipe
        # A GPU is checked only now and then: this update is named, later ones are discarded.
        start = update * recipe.accumulate
        again = self.data["train"].training(
            recipe.batch_size, self.run.seed, epoch, False, 0, recipe.sampler, start=start
        )
        ids = [self.data["train"].table["id"][int(row)].as_py() for row in next(again).rows[:8]]
        rate = self.optimizer.param_groups[0]["lr"]
        loss_cls, loss_rec = self.last.tolist()
        raise DataError(
            self.run.path,
            f"the loss or its gradient is not finite in epoch {epoch}, step {update}: "
            f"classification {loss_cls:g}, reconstruction {loss_rec:g}, learning rate {rate:g}, "
            f"samples {ids}",
            "Lower train.lr, or look at these samples; what was saved before is intact",
        )


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def score(task: grid.Task, crops: Crops, logits: np.ndarray) -> dict[str, float | None]:
    """Measure logits (N, outputs) at the level of the task's headline, as the evaluation does."""
    labels, scores = crops.labels, metrics.probabilities(task.kind, logits)
    if task.level == "video":
        ids = crops.table["id"].to_pylist()
        labels = metrics.video_scores(ids, labels)[1].astype(np.int64)
        scores = metrics.video_scores(ids, scores)[1]
    values = metrics.measure(task.kind, labels, scores)
    return {name: values[name] for name in metrics.NAMES[task.kind]}
