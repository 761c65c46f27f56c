"""Exact area resizing from an integral image: each output pixel is the mean of its cell.

The cells are those of `torch.nn.functional.interpolate(mode="area")`, which adds up each cell
anew: row i of h covers the input rows floor(i H / h) up to ceil((i + 1) H / h). From an
integral image a cell costs four reads, whatever its size, for all scales of a pyramid.
"""

import numpy as np
import torch
from torch import Tensor

from lssat.data.faces import compiled_loops as loops

# x -> (x - 127.5) / 128: what MTCNN's networks were trained on.
MEAN, SCALE = 127.5, 0.0078125


def integral(frames: Tensor) -> Tensor:
    """Return the sums over all pixels above and to the left.

    Args:
        frames: uint8 (N, H, W, C), of at most 16 million pixels each.

    Returns:
        int32 (N, H + 1, W + 1, C), a row and a column of zeros first. Sums may wrap around; the
        differences that `resize` takes are right all the same.
    """
    if frames.device.type == "cpu":
        return torch.from_numpy(loops.compiled(loops.integral)(frames.numpy()))
    return summed(frames)


def summed(frames: Tensor) -> Tensor:
    """Do the same in a few kernels, for a GPU."""
    sums = frames.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32)
    return torch.nn.functional.pad(sums, (0, 0, 1, 0, 1, 0))


def resize(sums: Tensor, boxes: np.ndarray, height: int, width: int) -> Tensor:
    """Cut boxes out of frames, resize them by area, and normalise them for MTCNN's networks.

    Args:
        sums: what `integral` returns.
        boxes: int (K, 5): number of the frame, top, left, bottom, right (exclusive).

    Returns:
        float32 (K, C, height, width), channels last in memory, from -1 to 1.
    """
    if sums.device.type == "cpu":
        out = loops.compiled(loops.resize)(sums.numpy(), boxes.astype(np.int64), height, width)
        return torch.from_numpy(out).permute(0, 3, 1, 2)
    return resize_by_gathering(sums, torch.as_tensor(boxes, device=sums.device), height, width)


def resize_by_gathering(sums: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    """Do the same in a few kernels, for a GPU."""
    number, top, left, bottom, right = boxes.long().T[:, :, None]
    flat = sums.flatten(0, 2)
    columns, rows = sums.shape[2], sums.shape[1]
    y0, y1 = _edges(top, bottom, height)
    x0, x1 = _edges(left, right, width)

    def corner(y: Tensor, x: Tensor) -> Tensor:
        return flat[((number * rows + y) * columns)[:, :, None] + x[:, None]]

    total = corner(y1, x1) - corner(y0, x1) - corner(y1, x0) + corner(y0, x0)
    means = total.float() / (y1 - y0)[:, :, None, None] / (x1 - x0)[:, None, :, None]
    return ((means - MEAN) * SCALE).permute(0, 3, 1, 2)


def _edges(start: Tensor, stop: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return first and last (exclusive) of `count` cells, each (K, count)."""
    steps = torch.arange(count, device=start.device)
    length = stop - start
    return start + steps * length // count, start + -(-(steps + 1) * length // count)
