"""Codes on tensors are those of the arrays, bit for bit, eager and compiled."""

import shutil

import numpy as np
import pytest
import torch
from helpers.drawn_textures import PATCH, any_image, drawn, grey, natural, plain
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from lssat import texture
from lssat.texture import tensors

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    ),
]


def tensor(*imgs: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack(imgs)).permute(0, 3, 1, 2)


def of(img: np.ndarray, kind: str, k: int = 3, device: str = "cpu") -> np.ndarray:
    return tensors.codes(tensor(img).to(device), kind, k)[0, 0].cpu().numpy()


def test_oracle_patch() -> None:
    assert of(grey(PATCH), "ldp")[1, 1] == 19


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("k", range(1, 9))
def test_ldp_equals_the_arrays(k: int, device: str) -> None:
    for img in natural() + drawn():
        assert np.array_equal(of(img, "ldp", k, device), texture.codes(img, "ldp", k))


@settings(max_examples=40, deadline=None)
@given(img=any_image(), k=st.integers(1, 8))
def test_any_image_gives_the_codes_of_the_specification(img: np.ndarray, k: int) -> None:
    assert np.array_equal(of(img, "ldp", k), plain(img, k))


@pytest.mark.parametrize("device", DEVICES)
def test_lbp_equals_scikit_images_to_the_last_tie(device: str) -> None:
    # Large: the place of a pixel decides the rounding, and so a tie on a diagonal.
    flat = [np.full((150, 40, 3), value, np.uint8) for value in (7, 200)]
    for img in [*natural(), *drawn(), *flat, data.astronaut()[:, 200:500]]:
        assert np.array_equal(of(img, "lbp", device=device), texture.codes(img, "lbp"))


@settings(max_examples=60, deadline=None)
@given(img=any_image())
def test_any_image_gives_scikit_images_lbp(img: np.ndarray) -> None:
    assert np.array_equal(of(img, "lbp"), texture.codes(img, "lbp"))


@pytest.mark.parametrize("kind", texture.KINDS)
def test_a_batch_equals_its_images_in_any_layout(kind: str) -> None:
    imgs = tensor(*np.split(data.astronaut()[:64], 8))
    found = tensors.codes(imgs, kind)
    assert found.shape == (8, 1, 8, 512)
    assert found.dtype == torch.uint8
    assert torch.equal(found, tensors.codes(imgs.contiguous(), kind))
    assert torch.equal(found[3:4], tensors.codes(imgs[3:4], kind))
    mirrored = tensors.codes(imgs.flip(-1), kind)
    assert np.array_equal(
        mirrored[2, 0], texture.codes(imgs[2].permute(1, 2, 0).numpy()[:, ::-1], kind)
    )
    assert tensors.codes(imgs[:0], kind).shape == (0, 1, 8, 512)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_ldp_gives_the_same_bits() -> None:
    imgs = tensor(data.astronaut()[40:136, 150:246])
    compiled = torch.compile(tensors.codes, fullgraph=True, dynamic=False)
    assert torch.equal(compiled(imgs, "ldp", 3), tensors.codes(imgs, "ldp", 3))


def test_lbp_is_left_out_of_compiled_code() -> None:
    imgs = tensor(data.astronaut()[40:136, 150:246])
    graphs = []

    def keep(graph: torch.fx.GraphModule, inputs: list) -> object:
        graphs.append(str(graph.code))
        return graph.forward

    compiled = torch.compile(tensors.codes, backend=keep)
    assert torch.equal(compiled(imgs, "lbp"), tensors.codes(imgs, "lbp"))
    assert graphs
    assert not any("double" in graph or "float64" in graph for graph in graphs)


@pytest.mark.slow
def test_ldp_is_one_graph_that_waits_for_nothing() -> None:
    graphs = []

    def keep(graph: torch.fx.GraphModule, inputs: list) -> object:
        graphs.append(graph)
        return graph.forward

    torch.compile(tensors.codes, backend=keep, fullgraph=True)(tensor(grey(PATCH)), "ldp", 3)
    assert len(graphs) == 1
    assert not any(node.target == "item" for node in graphs[0].graph.nodes)


def test_wrong_arguments_are_refused() -> None:
    img = tensor(grey(PATCH))
    with pytest.raises(ValueError, match="unknown texture 'hog': known are lbp, ldp"):
        tensors.codes(img, "hog")
    with pytest.raises(ValueError, match="k must lie in 1 to 8, found 0"):
        tensors.codes(img, "ldp", 0)
    with pytest.raises(ValueError, match=r"uint8 .*, found torch.float32 \(1, 3, 3, 3\)"):
        tensors.codes(img.float(), "ldp")
    with pytest.raises(ValueError, match=r"uint8 .*, found torch.uint8 \(1, 1, 3, 3\)"):
        tensors.codes(img[:, :1], "ldp")
