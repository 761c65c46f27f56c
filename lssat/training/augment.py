"""Augmentation of whole batches on the device, from numbers drawn for each sample before.

Nothing here draws: `Crops.training` gives each sample `DRAWS` numbers that are a function of
(seed, epoch, sample), so that neither the number of workers nor a resumed run changes a result.
Which sample gets which operation is decided on the CPU, so that nothing waits for the device.
RandAugment follows timm's `rand-m9-mstd0.5-inc1` (1909.13719), the recipe of SSAT's code; it
differs in that all resampling is bilinear.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

_FILL = (124.0, 116.0, 104.0)  # of what comes in from outside: ImageNet's mean
_LAYERS = 2
OPERATIONS = (
    "autocontrast", "equalize", "invert", "posterize", "solarize", "solarize_add",
    "color", "contrast", "brightness", "sharpness",
    "rotate", "shear_x", "shear_y", "translate_x", "translate_y",
)  # fmt: skip
_PLACES = OPERATIONS[10:]  # move pixels; the others change their values
_CROP, _RAND, _ERASE = 0, 4, 4 + 4 * _LAYERS  # where each one's numbers begin
_MIX = _ERASE + 5
DRAWS = _MIX + 1


class Policy(NamedTuple):
    """The augmentation of a crop, in this order, after the flip."""

    crop: float = 1.0  # least share of the area of a random resized crop; 1: none
    rand: float = 0.0  # magnitude of RandAugment, 0 to 10; 0: none
    erase: float = 0.0  # probability of random erasing (1708.04896)
    mixup: float = 0.0  # alpha of the Beta(alpha, alpha) of a sample's share (1710.09412); 0: none

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return self.crop < 1 or self.rand > 0 or self.erase > 0 or self.mixup > 0


def augment(imgs: Tensor, draws: np.ndarray, policy: Policy) -> Tensor:
    """Augment the images of a batch, each by itself: all of the policy but mixup.

    Args:
        imgs: (N, 3, H, W) uint8, on any device; left as they are.
        draws: (N, DRAWS) floating in [0, 1), each sample's own.

    Returns:
        (N, 3, H, W) uint8 on the same device.
    """
    imgs = imgs.contiguous()
    if policy.crop < 1:
        imgs = move(imgs, _crops(draws[:, _CROP:_RAND], policy.crop))
    if policy.rand > 0:
        for layer in range(_LAYERS):
            start = _RAND + 4 * layer
            imgs = _layer(imgs, draws[:, start : start + 4], policy.rand)
    if policy.erase > 0:
        imgs = _erase(imgs, draws[:, _ERASE:], policy.erase)
    return imgs


def shares(draws: np.ndarray, policy: Policy) -> np.ndarray:
    """Return the share that each sample keeps of itself under mixup, (N,) float32 in [0, 1].

    Args:
        draws: (N, DRAWS) floating in [0, 1), each sample's own: the share is the quantile of
            Beta(alpha, alpha) at one of them, so that no generator is needed.
    """
    from scipy.special import betaincinv  # slow to import, and only needed for this

    return betaincinv(policy.mixup, policy.mixup, draws[:, _MIX].astype(float)).astype(np.float32)


def mix(imgs: Tensor, others: Tensor, share: Tensor) -> Tensor:
    """Mix images with others: share * img + (1 - share) * other, rounded to whole numbers.

    Args:
        imgs, others: (N, ...) uint8. share: (N,) float32, on the same device.

    Returns:
        uint8 of the same shape.
    """
    part = share.reshape(-1, *[1] * (imgs.ndim - 1))
    return _uint8(torch.lerp(others.float(), imgs.float(), part))


def _layer(imgs: Tensor, draws: np.ndarray, magnitude: float) -> Tensor:
    """Apply one operation to each image, with probability 0.5, at N(magnitude, 0.5) of 10."""
    named = (draws[:, 0] * len(OPERATIONS)).astype(int)
    share = torch.from_numpy(np.clip(draws[:, 1].astype(np.float64), 1e-6, 1 - 1e-6))
    level = magnitude + 0.5 * torch.special.ndtri(share).numpy()
    level = np.clip(level, 0, 10) / 10
    sign = np.where(draws[:, 2] < 0.5, 1.0, -1.0)
    out, chosen = imgs.clone(), draws[:, 3] < 0.5
    for number, name in enumerate(OPERATIONS):
        rows = np.flatnonzero(chosen & (named == number))
        if len(rows):
            where = torch.from_numpy(rows).to(imgs.device)
            out[where] = operate(name, imgs[where], level[rows], sign[rows])
    return out


def operate(name: str, imgs: Tensor, level: np.ndarray, sign: np.ndarray) -> Tensor:
    """Apply one operation to every image.

    Args:
        name: one of `OPERATIONS`.
        imgs: (N, 3, H, W) uint8.
        level: (N,) strength in [0, 1]. sign: (N,) direction, 1 or -1.

    Returns:
        (N, 3, H, W) uint8.
    """
    if name in _PLACES:
        return move(imgs, _matrices(name, level * sign))
    from torchvision.transforms.v2 import functional

    if name in ("autocontrast", "equalize", "invert"):
        changed: Tensor = getattr(functional, name)(imgs)
        return changed
    if name in ("posterize", "solarize", "solarize_add"):
        return _by_value(name, imgs, level)
    factor = _column(np.maximum(0.1, 1 + 0.9 * level * sign), imgs)
    plain = {
        "color": functional.adjust_saturation,
        "contrast": functional.adjust_contrast,
        "brightness": functional.adjust_brightness,
        "sharpness": functional.adjust_sharpness,
    }[name](imgs, 0.0).float()
    return _uint8(plain + factor * (imgs.float() - plain))


def _by_value(name: str, imgs: Tensor, level: np.ndarray) -> Tensor:
    if name == "posterize":
        bits = 4 - (level * 4).astype(int)
        mask = _column(256 - 2 ** (8 - bits), imgs).to(torch.int16)
        return (imgs.to(torch.int16) & mask).to(torch.uint8)
    if name == "solarize":
        least = _column(256 - np.minimum(256, (level * 256).astype(int)), imgs)
        return torch.where(imgs < least, imgs, 255 - imgs)
    more = imgs.to(torch.int16) + _column(np.minimum(128, (level * 110).astype(int)), imgs).short()
    return torch.where(imgs < 128, more.clamp(max=255).to(torch.uint8), imgs)


def _matrices(name: str, amount: np.ndarray) -> np.ndarray:
    """Return (N, 2, 3): the source of each output place, in units of half the image."""
    matrices = np.tile(np.eye(2, 3), (len(amount), 1, 1))
    if name == "rotate":
        angle = np.deg2rad(30 * amount)
        matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(angle)
        matrices[:, 1, 0] = np.sin(angle)
        matrices[:, 0, 1] = -np.sin(angle)
    elif name == "shear_x":  # from the upper left corner, as Pillow does
        matrices[:, 0, 1] = matrices[:, 0, 2] = 0.3 * amount
    elif name == "shear_y":
        matrices[:, 1, 0] = matrices[:, 1, 2] = 0.3 * amount
    else:
        matrices[:, int(name == "translate_y"), 2] = 2 * 0.45 * amount
    return matrices


def _crops(draws: np.ndarray, least: float) -> np.ndarray:
    """Return the matrices of random resized crops: area in [least, 1], sides 3:4 to 4:3."""
    area = least + (1 - least) * draws[:, 0]
    ratio = np.exp(np.log(4 / 3) * (2 * draws[:, 1] - 1))
    sides = np.minimum(1, np.sqrt(np.stack([area * ratio, area / ratio], axis=1)))
    matrices = np.zeros((len(draws), 2, 3))
    matrices[:, 0, 0], matrices[:, 1, 1] = sides.T
    matrices[:, :, 2] = (1 - sides) * (2 * draws[:, 2:4] - 1)
    return matrices


def move(imgs: Tensor, matrices: np.ndarray) -> Tensor:
    """Resample images bilinearly; outside them stands ImageNet's mean.

    Args:
        imgs: (N, 3, H, W) uint8, square.
        matrices: (N, 2, 3), from places of the output to places of the input, both -1 to 1.
    """
    wide = torch.cat([imgs.float(), torch.ones_like(imgs[:, :1], dtype=torch.float32)], dim=1)
    theta = torch.from_numpy(matrices).to(torch.float32).to(imgs.device)
    places = F.affine_grid(theta, list(wide.shape), align_corners=False)
    taken = F.grid_sample(wide, places, align_corners=False)
    fill = torch.tensor(_FILL, device=imgs.device).reshape(1, 3, 1, 1)
    return _uint8(taken[:, :3] + fill * (1 - taken[:, 3:]))


def _erase(imgs: Tensor, draws: np.ndarray, probability: float) -> Tensor:
    """Fill a rectangle of 2 % to a third of the area with ImageNet's mean (timm's `const`)."""
    height, width = imgs.shape[-2:]
    area = (0.02 + (1 / 3 - 0.02) * draws[:, 1]) * height * width
    ratio = np.exp(np.log(0.3) * (2 * draws[:, 2] - 1))
    tall = np.minimum(np.round(np.sqrt(area * ratio)), height - 1).astype(int)
    wide = np.minimum(np.round(np.sqrt(area / ratio)), width - 1).astype(int)
    top = (draws[:, 3] * (height - tall + 1)).astype(int)
    left = (draws[:, 4] * (width - wide + 1)).astype(int)
    tall = np.where(draws[:, 0] < probability, tall, 0)
    rows = _between(height, top, top + tall, imgs)[:, None, :, None]
    columns = _between(width, left, left + wide, imgs)[:, None, None, :]
    fill = torch.tensor(_FILL, device=imgs.device).to(torch.uint8).reshape(1, 3, 1, 1)
    return torch.where(rows & columns, fill, imgs)


def _between(size: int, first: np.ndarray, end: np.ndarray, like: Tensor) -> Tensor:
    place = np.arange(size)[None]
    inside = (place >= first[:, None]) & (place < end[:, None])
    return torch.from_numpy(inside).to(like.device)


def _column(values: Any, like: Tensor) -> Tensor:
    as_tensor = torch.from_numpy(np.asarray(values, dtype=np.float32))
    return as_tensor.reshape(-1, 1, 1, 1).to(like.device)


def _uint8(x: Tensor) -> Tensor:
    return x.round().clamp(0, 255).to(torch.uint8)
