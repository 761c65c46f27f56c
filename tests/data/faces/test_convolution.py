"""Our convolutions give what MTCNN's own layers give, with other weights than its own too."""

import numpy as np
import pytest
import torch
from facenet_pytorch import ONet, PNet, RNet
from torch import Tensor, nn

from lssat.data.faces import networks

# The least image that a pyramid has, an odd one, one whose rows are not filled up by tiles.
SIZES = [(12, 12), (13, 12), (12, 31), (27, 46), (40, 75)]


def drawn(net: nn.Module, seed: int) -> nn.Module:
    """Draw the weights: slopes of both signs, and biases, since the trained ones could hide one."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in net.named_parameters():
        spread = 1 if weight.ndim == 1 else (2 / weight[0].numel()) ** 0.5
        weight.data = spread * torch.randn(weight.shape, generator=generator)
        assert name
    return net.requires_grad_(False)


def images(count: int, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(height + width)
    imgs = 2 * torch.rand(count, 3, height, width, generator=generator) - 1
    return imgs.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_every_place_of_the_first_network(seed: int | None, size: tuple[int, int]) -> None:
    net = PNet().requires_grad_(False) if seed is None else drawn(PNet(False), seed)
    imgs = images(2, *size)
    offsets, scores = net(imgs)
    found = networks.first_on_cpu(net, 1e-9)(imgs)
    assert len(found.scores) == scores[:, 1].numel()
    torch.testing.assert_close(found.scores, scores[:, 1].flatten(), rtol=0, atol=1e-5)
    wanted = offsets.permute(0, 2, 3, 1).reshape(-1, 4)
    torch.testing.assert_close(found.offsets, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.6])
def test_places_of_a_score_are_those_of_whole_layers(threshold: float) -> None:
    net, imgs = drawn(PNet(False), 3), images(3, 40, 61)
    loops, layers = (
        make(net, threshold)(imgs) for make in (networks.first_on_cpu, networks.first_on_gpu)
    )
    assert 100 < len(layers.at) < 3 * 16 * 27 - 100
    assert torch.equal(loops.at, layers.at)
    torch.testing.assert_close(loops.scores, layers.scores, rtol=0, atol=1e-5)
    torch.testing.assert_close(loops.offsets, layers.offsets, rtol=1e-4, atol=1e-4)


def test_a_score_that_is_just_reached_counts() -> None:
    """As in the library: `>=`. Softmax decides, in the float in which the library takes it."""
    net, imgs = drawn(PNet(False), 4), images(1, 40, 40)
    net.conv4_1.weight *= 0.01
    scores = networks.first_on_cpu(net, 1e-9)(imgs).scores
    moderate = scores[(scores > 0.1) & (scores < 0.9)]
    assert len(moderate) > 5
    for score in moderate.tolist():
        kept = networks.first_on_cpu(net, score)(imgs).scores
        assert len(kept) == int((scores >= score).sum())


@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize(
    ("kind", "make", "side"), [(RNet, networks.second, 24), (ONet, networks.third, 48)]
)
def test_the_networks_of_patches(kind: type, make, side: int, seed: int | None) -> None:
    net = kind().requires_grad_(False) if seed is None else drawn(kind(False), seed)
    imgs = images(3, side, side)
    wanted, found = net(imgs), make(net)(imgs)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-3, atol=1e-4)


def test_nothing_is_seen_where_no_score_suffices() -> None:
    found = networks.first_on_cpu(PNet().requires_grad_(False), 0.999)(images(2, 30, 30))
    assert [tuple(each.shape) for each in found] == [(0, 3), (0,), (0, 4)]
