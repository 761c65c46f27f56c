"""MTCNN's three networks as functions: the library's own on a GPU, our convolutions on a CPU.

Weights, dense layers and softmax are the library's in both.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from facenet_pytorch import ONet, PNet, RNet
from torch import Tensor, nn

from lssat.data.faces import convolution
from lssat.data.faces.compiled_loops import compiled
from lssat.data.faces.convolution import LANES, first_of

Network = Callable[[Tensor], tuple[Tensor, ...]]
_NEARLY = 1e-3  # so much below the least score, before softmax, is looked at exactly


class Places(NamedTuple):
    """Where the first network sees a face, in the order of frames and rows."""

    at: Tensor  # int64 (K, 3): number of the frame, row, column
    scores: Tensor  # (K,)
    offsets: Tensor  # (K, 4)


def first(net: PNet, threshold: float) -> Callable[[Tensor], Places]:
    """Return what finds places of at least a score in images (N, 3, H, W), channels last."""
    return (first_on_cpu if _on_cpu(net) else first_on_gpu)(net, threshold)


def first_on_gpu(net: PNet, threshold: float) -> Callable[[Tensor], Places]:
    """Return it as whole layers."""

    def look(imgs: Tensor) -> Places:
        offsets, scores = net(imgs)
        seen = scores[:, 1] >= threshold
        return Places(seen.nonzero(), scores[:, 1][seen], offsets.permute(0, 2, 3, 1)[seen])

    return look


def first_on_cpu(net: PNet, threshold: float) -> Callable[[Tensor], Places]:
    """Return it by compiled loops."""
    layers = ((net.conv1, net.prelu1), (net.conv2, net.prelu2), (net.conv3, net.prelu3))
    packed = [_pack(*layer) for layer in layers]
    heads = zip(_weights(net.conv4_1), _weights(net.conv4_2), strict=True)
    weight, bias = (np.concatenate(both) for both in heads)
    packed.append(pack(weight, bias, np.ones(6, np.float32)))
    # softmax(a, b) >= t where b - a >= log(t / (1 - t))
    least = np.float32(math.log(threshold / (1 - threshold)) - _NEARLY)
    propose = compiled(convolution.propose)

    def look(imgs: Tensor) -> Places:
        found = [propose(img, *packed, least) for img in _last(imgs)]
        number = np.repeat(np.arange(len(found)), [len(each) for each in found])
        values = torch.from_numpy(np.concatenate(found))
        scores = net.softmax4_1(values[:, 2:4])[:, 1]
        at = torch.cat([torch.from_numpy(number)[:, None], values[:, :2].long()], dim=1)
        seen = scores >= threshold
        return Places(at[seen], scores[seen], values[seen, 4:])

    return look


def second(net: RNet) -> Network:
    """Return the second network: patches (K, 3, 24, 24) -> offsets (K, 4), scores (K, 2)."""
    if not _on_cpu(net):
        return net
    layers = ((net.conv1, net.prelu1, 3), (net.conv2, net.prelu2, 3), (net.conv3, net.prelu3, 0))
    features = _features(layers)

    def look(imgs: Tensor) -> tuple[Tensor, ...]:
        dense = net.prelu4(net.dense4(features(imgs)))
        return net.dense5_2(dense), net.softmax5_1(net.dense5_1(dense))

    return look


def third(net: ONet) -> Network:
    """Return the third one: (K, 3, 48, 48) -> offsets (K, 4), landmarks (K, 10), scores (K, 2)."""
    if not _on_cpu(net):
        return net
    layers = (
        *((net.conv1, net.prelu1, 3), (net.conv2, net.prelu2, 3)),
        *((net.conv3, net.prelu3, 2), (net.conv4, net.prelu4, 0)),
    )
    features = _features(layers)

    def look(imgs: Tensor) -> tuple[Tensor, ...]:
        dense = net.prelu5(net.dense5(features(imgs)))
        return net.dense6_2(dense), net.dense6_3(dense), net.softmax6_1(net.dense6_1(dense))

    return look


def _on_cpu(net: nn.Module) -> bool:
    return next(net.parameters()).device.type == "cpu"


def _features(layers: Sequence[tuple[nn.Conv2d, nn.PReLU, int]]) -> Callable[[Tensor], Tensor]:
    """Return what runs convolutions, each with PReLU and a pooling of that side (0: none)."""
    packed = [_pack(conv, slopes) for conv, slopes, _ in layers]
    starts = np.cumsum([0, *map(len, packed)])
    plan = np.array(
        [
            (start, conv.kernel_size[0], conv.in_channels, conv.out_channels, side)
            for start, (conv, _, side) in zip(starts, layers, strict=False)
        ]
    )
    table, features = np.concatenate(packed), compiled(convolution.features)
    return lambda imgs: torch.from_numpy(features(_last(imgs), table, plan)).flatten(1)


def pack(weight: np.ndarray, bias: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Order a layer's weights as tiles read them.

    Args:
        weight: float32 (O, I, K, K), as torch has it.
        bias: (O,).
        slopes: (O,), PReLU's below zero.

    Returns:
        float32, flat, of (blocks, 2 + K K I, LANES): bias, slopes, and the weights by row, column
        and channel of the input. A block is LANES channels of the output; the last one overlaps
        the one before where O is no multiple. Zeros fill up fewer than LANES.
    """
    count, rest = weight.shape[0], weight[0].size
    table = np.zeros((2 + rest, max(count, LANES)), np.float32)
    table[0, :count], table[1, :count] = bias, slopes
    table[2:, :count] = weight.transpose(2, 3, 1, 0).reshape(rest, count)
    starts = [first_of(block, count) for block in range(-(-count // LANES))]
    return np.concatenate([table[:, start : start + LANES].ravel() for start in starts])


def _pack(conv: nn.Conv2d, slopes: nn.PReLU) -> np.ndarray:
    return pack(*_weights(conv), slopes.weight.detach().numpy())


def _weights(conv: nn.Conv2d) -> tuple[np.ndarray, np.ndarray]:
    state = conv.state_dict()
    return state["weight"].numpy(), state["bias"].numpy()


def _last(imgs: Tensor) -> np.ndarray:
    """Return images with channels last."""
    return imgs.permute(0, 2, 3, 1).contiguous().numpy()
