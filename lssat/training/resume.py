"""The progress of a run, its saved states, and the signals that stop it."""

import copy
import itertools
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lssat import metrics
from lssat.models.checkpoint import Checkpoints, fit
from lssat.models.ssat import SSAT
from lssat.training.parallel import parted, whole

# What a scheduler sends, and Ctrl-C.
SIGNALS = {signal.SIGTERM: "SIGTERM", signal.SIGUSR1: "SIGUSR1", signal.SIGINT: "SIGINT"}


class Stopped(Exception):  # noqa: N818
    """A signal stopped the run after it saved its state; `code` is 128 + signal."""

    def __init__(self, text: str, code: int):
        super().__init__(text)
        self.code = code


class Stop:
    """Whether a signal asks the process to stop."""

    signal: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note the signals of `SIGNALS` instead of dying; a second Ctrl-C ends at once."""

        pressed = itertools.count()

        def note(number: int, _: Any) -> None:
            if number == signal.SIGINT and next(pressed):
                raise KeyboardInterrupt
            self.signal = number

        before = {number: signal.signal(number, note) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def early(self, run: str, when: str) -> Stopped:
        """Return the exception that ends a run before it has a state."""
        number = self.signal or signal.SIGTERM
        text = f"{run}: stopped by {SIGNALS[signal.Signals(number)]} {when}"
        return Stopped(f"{text}; the same command begins again.", 128 + number)

    def error(self, run: str, progress: "Progress") -> Stopped:
        """Return the exception that ends the run."""
        number = self.signal or signal.SIGTERM
        name = SIGNALS[signal.Signals(number)]
        where = f"epoch {progress.epoch}, update {progress.update}"
        text = f"{run}: stopped by {name} in {where}; its state is saved, the same command resumes"
        return Stopped(f"{text} it.", 128 + number)


class Progress:
    """The progress of a run; with the tensors of `states` it is all that resuming needs."""

    def __init__(self) -> None:
        self.epoch, self.update = 0, 0  # the next update to make
        self.total = torch.zeros(2)  # sums of both losses over the epoch's updates so far
        self.curve: list[dict[str, Any]] = []
        self.started = time.time()  # seconds since 1970, of the run's first process
        self.times: list[float] = []  # at which the curve's epochs ended
        self.best_value: float | None = None
        self.best_epoch = -1
        self.best: dict[str, Tensor] = {}
        self.seconds = 0.0  # of training, before this process
        self.ended = False  # early
        self.resumed = 0  # times
        self.checkpoints: Checkpoints
        self.saved: dict[str, Tensor] = {}  # tensors of a state that is still to be restored

    def close(self, row: dict[str, Any], metric: str, model: SSAT, phase: str) -> None:
        """Add an epoch; keep its weights if its metric is the best so far, or the first."""
        self.curve.append(row)
        self.times.append(time.time())
        value, best = row[f"val_{metric}"], self.best_value
        lower = metric in metrics.LOWER_IS_BETTER
        better = value is not None and (best is None or (value < best if lower else value > best))
        if phase != "reconstruct" and (self.best_epoch < 0 or better):
            self.best_value, self.best_epoch = value, row["epoch"]
            self.best = {name: whole(value) for name, value in model.state_dict().items()}
            self.best = copy.deepcopy(self.best)
        self.epoch, self.update, self.total = row["epoch"] + 1, 0, torch.zeros(2)

    def plain(self) -> dict[str, Any]:
        """Return the values that JSON holds."""
        names = ("epoch", "update", "curve", "best_value", "best_epoch", "seconds", "ended")
        more = ("resumed", "started", "times")
        return {name: getattr(self, name) for name in (*names, *more)}

    def take(self, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        for name, value in state.items():
            setattr(self, name, value)
        self.total = tensors.pop("total")
        self.best = _part(tensors, "best.")
        self.saved = tensors
        self.resumed += 1


def states(
    step: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    average: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and plain values of a run under way, for `Checkpoints.save`.

    Every process must call it: each may hold a part of every tensor.
    """
    tensors = {f"step.{name}": whole(value) for name, value in step.state_dict().items()}
    tensors |= {f"average.{name}": whole(value) for name, value in average.items()}
    tensors |= {f"best.{name}": value for name, value in progress.best.items()}
    for number, moments in optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            if value is not None:  # the momentum of a fresh SGD
                tensors[f"optimizer.{number}.{name}"] = whole(torch.as_tensor(value))
    return tensors | {"total": progress.total}, progress.plain()


def restore(
    step: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    device: torch.device,
    average: dict[str, Tensor],
) -> None:
    """Fill model, optimizer and average from a state that `Progress.take` holds; else leave them.

    Raises:
        DataError: the state is of another architecture or number of classes.
    """
    if not progress.saved:
        return
    own, fresh = _part(progress.saved, "step."), step.state_dict()
    fit(own, fresh, progress.checkpoints.folder)
    step.load_state_dict({name: parted(value, fresh[name]) for name, value in own.items()})
    for name, value in _part(progress.saved, "average.").items():
        average[name] = parted(value, average[name]).to(device)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(progress.saved, "optimizer.").items():
        number, name = key.split(".", 1)
        like = parameters[int(number)]
        placed = parted(value, like) if value.shape == like.shape else value  # or counts steps
        moments.setdefault(int(number), {})[name] = placed.to(device)
    optimizer.load_state_dict(optimizer.state_dict() | {"state": moments})
    progress.saved = {}


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def best_or_none(progress: Progress) -> float | None:
    """Return the best validation value, None where it was never defined."""
    value = progress.best_value
    return None if value is None or not np.isfinite(value) else float(value)


def best_loss(progress: Progress) -> float | None:
    """Return the validation loss of the best epoch: it decides between runs of equal value."""
    losses = {row["epoch"]: row["val_loss_cls"] for row in progress.curve}
    loss = losses.get(progress.best_epoch)
    return float(loss) if loss is not None and np.isfinite(loss) else None
