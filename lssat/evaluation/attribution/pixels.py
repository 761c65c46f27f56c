"""Integrated gradients (Sundararajan et al. 2017, 1703.01365), by captum."""

import numpy as np
import torch
from torch import Tensor

from lssat.models.ssat import SSAT

STEPS = 32
DOUBLINGS = 4  # of the points, at most
TOLERANCE = 0.05  # of the difference of logits: what a map may miss (1703.01365, section 5)
_NOTHING = 1e-3  # of a map's size: a difference of logits below it is none to speak of


def gradients(
    model: SSAT,
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
        steps: points of the integral (Gauss-Legendre) to begin with (`integrated`).

    Returns:
        (N, H, W) float32, in units of the logit, summed over channels and, of clips, over time:
        positive where the pixel raises the logit. A sample's sum is its logit less the baseline's,
        up to the error of the integral (`integrated` returns it).
    """
    return integrated(model, imgs, codes, target, steps)[0]


def integrated(
    model: SSAT,
    imgs: Tensor,
    codes: Tensor | None,
    target: int | Tensor,
    steps: int = STEPS,
) -> tuple[np.ndarray, np.ndarray]:
    """Return `gradients` and (N,) float32, by how much each sum misses the logits' difference.

    The points of a sample are doubled until it misses less than `TOLERANCE`, `DOUBLINGS` times at
    most; `gap` shows which still miss more.
    """
    maps, missed = _integral(model, imgs, codes, target, steps)
    for doubling in range(1, DOUBLINGS + 1):
        rest = np.flatnonzero(gap(maps, missed) >= TOLERANCE)
        if not len(rest):
            break
        part = torch.from_numpy(rest).to(imgs.device)
        seen = imgs[part], None if codes is None else codes[part]
        which = target[part] if isinstance(target, Tensor) else target
        maps[rest], missed[rest] = _integral(model, *seen, which, steps * 2**doubling)
    return maps, missed


def gap(maps: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """Return what each map misses as a share of the difference of logits that it should add up to.

    Args:
        maps, missed: what `integrated` gave.

    Returns:
        (N,), nan where a map or a logit is not finite.
    """
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is nan below
        whole = np.abs(maps.sum(axis=(1, 2)) - missed)
        least = np.maximum(whole, _NOTHING * np.abs(maps).sum(axis=(1, 2)))
        share: np.ndarray = np.abs(missed) / np.maximum(least, np.finfo(np.float32).tiny)
    return np.where(np.isfinite(share), share, np.nan)


def _integral(
    model: SSAT, imgs: Tensor, codes: Tensor | None, target: int | Tensor, steps: int
) -> tuple[np.ndarray, np.ndarray]:
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
    maps: np.ndarray = total.float().cpu().numpy()  # type: ignore[union-attr]
    return maps, missed.detach().float().cpu().numpy()


def _plane(part: Tensor) -> Tensor:
    """Add up channels and time: (N, C, [T,] H, W) to (N, H, W)."""
    return part.detach().flatten(1, -3).sum(1)
