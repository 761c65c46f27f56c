"""Averages of weights over the updates of a phase (`train.ema`), which validation looks at."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Average:
    """An exponential moving average of all that moves in a model.

    After update t of a phase, counted from 0, average = d average + (1 - d) weight with
    d = min(decay, (1 + t) / (10 + t)), so that a short training is not the average of its
    beginning. Trained parameters and floating buffers (BatchNorm's statistics) are averaged, whole
    numbers copied; what is frozen is not touched.

    Args:
        decay: None: nothing is averaged.
    """

    def __init__(self, model: nn.Module, decay: float | None):
        self.model, self.decay = model, decay
        self.tensors: dict[str, Tensor] = {}

    def _moving(self) -> dict[str, Tensor]:
        kept = self.model.state_dict(keep_vars=True)
        buffers = dict(self.model.named_buffers())
        return {
            name: value.detach()
            for name, value in kept.items()
            if value.requires_grad or name in buffers
        }

    def begin(self) -> None:
        """Begin a phase with the weights as they are."""
        if self.decay is not None:
            self.tensors = {name: value.clone() for name, value in self._moving().items()}

    @torch.no_grad()
    def update(self, number: int) -> None:
        """Take in the weights after an update of the phase, counted from 0."""
        if self.decay is None:
            return
        decay = min(self.decay, (1 + number) / (10 + number))
        moving, floats = self._moving(), []
        for name, value in moving.items():
            if value.is_floating_point():
                floats.append(name)
            else:
                self.tensors[name].copy_(value)
        pairs = [self.tensors[name] for name in floats], [moving[name] for name in floats]
        get_ema_multi_avg_fn(decay)(*pairs, None)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the model have the averages; afterwards it has its own weights again, to the bit."""
        moving = self._moving() if self.tensors else {}
        own = {name: value.clone() for name, value in moving.items()}
        try:
            _fill(moving, self.tensors)
            yield
        finally:
            _fill(moving, own)


@torch.no_grad()
def _fill(tensors: dict[str, Tensor], values: dict[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        tensor.copy_(values[name])
