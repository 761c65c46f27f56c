"""Integrated gradients (Sundararajan et al. 2017, 1703.01365), by captum."""

import numpy as np
import torch
from torch import Tensor

from lssat.ssat import Model

STEPS = 32


def gradients(
    model: Model,
    imgs: Tensor,
    codes: Tensor | None,
    target: int | Tensor,
    steps: int = STEPS,
) -> np.ndarray:
    """Return what each pixel of the classifier's input adds to one logit.

    The input is the normalised image that the C field names (and, of a fused head, that of the M
    field: both are added up), the baseline an image of the normalisation's mean, which is 0.

    Args:
        imgs, codes: as for `rollout`.
        target: number of the logit (0 of a binary task, the positive class), the same for all or
            one for each sample, (N,) int64.
        steps: points of the integral (Gauss-Legendre).

    Returns:
        (N, H, W) float32, in units of the logit, summed over channels and, of clips, over time:
        positive where the pixel raises the logit. A sample's sum is its logit less the baseline's,
        up to the error of the integral (`integrated` tells it).
    """
    return integrated(model, imgs, codes, target, steps)[0]


def integrated(
    model: Model,
    imgs: Tensor,
    codes: Tensor | None,
    target: int | Tensor,
    steps: int = STEPS,
) -> tuple[np.ndarray, np.ndarray]:
    """Return `gradients` and (N,) float32, by how much each sum misses the logits' difference."""
    from captum.attr import IntegratedGradients  # a second, only needed here

    given = model.inputs(imgs, codes)
    names, inputs = list(given), tuple(x.detach().requires_grad_() for x in given.values())

    def logits(*seen: Tensor) -> Tensor:
        return model.head(model.features(dict(zip(names, seen, strict=True))))

    with torch.enable_grad():
        parts, missed = IntegratedGradients(logits).attribute(
            inputs,
            baselines=tuple(torch.zeros_like(x) for x in inputs),
            target=target,
            n_steps=steps,
            method="gausslegendre",
            return_convergence_delta=True,
            internal_batch_size=max(len(imgs), 64),
        )
    total = sum(_plane(part) for part in parts)
    return total.float().cpu().numpy(), missed.detach().float().cpu().numpy()  # type: ignore[union-attr]


def _plane(part: Tensor) -> Tensor:
    """Add up channels and time: (N, C, [T,] H, W) to (N, H, W)."""
    return part.detach().flatten(1, -3).sum(1)
