"""Rollout against a written-out one, gradients against what must add up, maps as pictures."""

import numpy as np
import pytest
import torch
from helpers.packed import MODELS, inputs, model_of
from torch import Tensor

from lssat.evaluation import attribution
from lssat.evaluation.attribution import pixels
from lssat.grid import parse
from lssat.models import ssat

READ = [
    ("vit_micro", 20),
    ("timm:vit_small_patch14_reg4_dinov2", 14),  # registers
    ("timm:eva02_tiny_patch14_224", 14),  # rotary positions, q, k and v apart; mean of patches
    ("timm:vit_small_patch16_rope_mixed_224", 16),
]


def attentions(model: ssat.SSAT, imgs: Tensor) -> list[np.ndarray]:
    """Each block's attention (N, L, L), float64, from the keys and queries that timm computes."""
    found = []

    def remember(block: torch.nn.Module) -> None:
        attn = block.attn
        plain = torch.nn.functional.scaled_dot_product_attention

        def forward(x: Tensor, **options) -> Tensor:
            seen: dict[str, Tensor] = {}

            def spy(q: Tensor, k: Tensor, v: Tensor, **rest) -> Tensor:
                seen["q"], seen["k"] = q, k
                return plain(q, k, v, **rest)

            torch.nn.functional.scaled_dot_product_attention = spy
            try:
                out = type(attn).forward(attn, x, **options)
            finally:
                torch.nn.functional.scaled_dot_product_attention = plain
            q, k = (seen[name].detach().double().numpy() for name in "qk")
            scores = np.exp(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]))
            found.append((scores / scores.sum(-1, keepdims=True)).mean(1))
            return out

        attn.forward = forward

    for block in model.encoder.blocks:
        remember(block)
    model.encoder.forward_features(model.prepare("RGB", imgs, None))
    for block in model.encoder.blocks:
        del block.attn.forward
    return found


@pytest.mark.parametrize(("name", "patch"), READ)
def test_rollout_is_that_of_its_definition(name: str, patch: int) -> None:
    """Abnar and Zuidema: the product of (A + I) / 2 over all blocks, rows that are pooled."""
    model = model_of(name, patch, "MRGB-RLDP-CRGB")
    imgs, codes, _ = inputs(patch)
    found = attribution.reach(model, imgs, codes)
    with torch.no_grad():
        product = np.eye(1)
        for attention in attentions(model, imgs):
            mixed = (attention + np.eye(attention.shape[-1])) / 2
            np.testing.assert_allclose(mixed.sum(-1), 1, atol=1e-12)
            product = mixed @ product if product.shape != (1, 1) else mixed
    np.testing.assert_allclose(product.sum(-1), 1, atol=1e-12)  # rows stay shares
    first = model.encoder.num_prefix_tokens
    mean = model.encoder.global_pool == "avg"
    rows = product[:, first:].mean(1) if mean else product[:, 0]
    expected = rows[:, first:].reshape(found.shape)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-7)
    assert len(np.unique(found.round(6))) > 8  # not flat: there was something to be found


def test_rollout_leaves_the_model_as_it_was() -> None:
    model = model_of("vit_micro", 20, "MRGB-RLDP-CRGB")
    imgs, codes, _ = inputs(20)
    before = model.classify(imgs, codes)
    fused = [block.attn.fused_attn for block in model.encoder.blocks]
    attribution.rollout(model, imgs, codes)
    assert [block.attn.fused_attn for block in model.encoder.blocks] == fused
    assert not any(block.attn.attn_drop._forward_hooks for block in model.encoder.blocks)
    assert torch.equal(model.classify(imgs, codes), before)


def test_uniform_attention_gives_a_uniform_map() -> None:
    model = model_of("vit_micro", 20, "MRGB-RLDP-CRGB")
    for block in model.encoder.blocks:
        block.attn.qkv.weight.data[: 2 * 64] = 0  # no queries and keys: each token attends to all
        block.attn.qkv.bias.data[: 2 * 64] = 0
    imgs, codes, _ = inputs(20)
    np.testing.assert_allclose(attribution.rollout(model, imgs, codes), 1, rtol=1e-6)
    shares = attribution.reach(model, imgs, codes)
    # Of 17 tokens each gets 1/17 of what leaves the class token in two blocks.
    np.testing.assert_allclose(shares, (1 - 0.25) / 17, rtol=1e-5)


@pytest.mark.parametrize(("name", "patch", "packed"), MODELS)
def test_every_vit_has_a_rollout_or_says_why_not(name: str, patch: int, packed: bool) -> None:
    model = model_of(name, patch, "MRGB-RLDP-CRGB")
    imgs, codes, _ = inputs(patch)
    reasons = {
        "timm:test_vit3": "it pools its tokens by attention",
        "timm:vit_dwee_patch16_reg1_gap_256": "the rows of its DiffAttention are no shares",
    }
    if name in reasons:
        with pytest.raises(ValueError, match=f"no attention rollout: {reasons[name]}"):
            attribution.rollout(model, imgs, codes)
        return
    maps = attribution.rollout(model, imgs, codes)
    assert (maps.shape, maps.dtype) == ((2, 4 * patch, 4 * patch), np.float32)
    assert maps.min() >= 0
    np.testing.assert_allclose(maps.max(axis=(1, 2)), 1, rtol=1e-6)
    shares = attribution.reach(model, imgs, codes).sum(axis=(1, 2))
    assert (shares > 0).all()
    assert (shares < 1 + 1e-6).all()


@pytest.mark.slow
def test_a_convolutional_network_says_that_it_has_no_attention() -> None:
    torch.manual_seed(0)
    model = ssat.SSAT("resnet18", parse("none-none-CRGB"), 64, 3).eval()
    imgs, _, _ = inputs(16)
    with pytest.raises(ValueError, match="a convolutional network has no attention"):
        attribution.rollout(model, imgs)
    maps = attribution.gradients(model, imgs, None, 2)
    assert maps.shape == (2, 64, 64)
    assert np.abs(maps).max() > 0


def clip_model() -> tuple[ssat.VideoSSAT, Tensor, Tensor]:
    torch.manual_seed(0)
    model = ssat.VideoSSAT("videomae_mini", parse("MRGB-RLDP-CLDP"), 60, 1, frames=4).eval()
    for part in model.parameters():
        part.data.normal_(std=0.1)
    draw = np.random.default_rng(0)
    clips = torch.from_numpy(draw.integers(0, 256, (2, 3, 4, 60, 60), np.uint8))
    codes = torch.from_numpy(draw.integers(0, 256, (2, 1, 4, 60, 60), np.uint8))
    return model, clips, codes


def test_rollout_of_clips_follows_the_mean_of_all_tokens_over_time() -> None:
    model, clips, codes = clip_model()
    found = attribution.reach(model, clips, codes)
    np.testing.assert_allclose(found.sum((1, 2)), 1, rtol=1e-5)  # no class token
    x = model.encoder.tokens(model.inputs(clips, codes)["LDP"].expand(-1, 3, -1, -1, -1))
    product = torch.eye(18).double()
    with torch.no_grad():
        for block in model.encoder.blocks:
            h = block.norm1(x)
            q, k, _ = block.attn.qkv(h).unflatten(2, (3, 3, -1)).permute(2, 0, 3, 1, 4).double()
            a = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1).mean(1)
            product = (0.5 * a + 0.5 * torch.eye(18)) @ product
            x = block(x)
    expected = product.mean(1).reshape(2, 2, 3, 3).sum(1)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4)
    assert attribution.rollout(model, clips, codes).shape == (2, 60, 60)


@pytest.mark.parametrize(
    ("configuration", "options"),
    [
        ("MRGB-RLDP-CRGB", {}),
        ("MRGB-RRGB-CLDP", {}),
        ("MRGB-RRGB+RLDP-CLDP", {"head": "fusion"}),
    ],
)
def test_attributions_add_up_to_the_logit_less_that_of_the_baseline(
    configuration: str, options: dict
) -> None:
    model = model_of("vit_micro", 20, configuration, **options)
    imgs, codes, _ = inputs(20)
    target = torch.tensor([3, 1])
    maps, missed = attribution.integrated(model, imgs, codes, target, steps=64)
    grey = {kind: torch.zeros_like(x) for kind, x in model.inputs(imgs, codes).items()}
    with torch.no_grad():
        rise = model.classify(imgs, codes) - model.head(model.features(grey))
    wanted = rise[torch.arange(2), target].numpy()
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(maps.sum((1, 2)), wanted, atol=0.05 * scale)
    np.testing.assert_allclose(maps.sum((1, 2)) - missed, wanted, atol=1e-3 * scale)
    again = attribution.gradients(model, imgs, codes, target, steps=64)
    np.testing.assert_array_equal(maps, again)


def test_attributions_of_a_linear_model_are_its_weights_times_its_input() -> None:
    """Written out: the integral of a constant gradient is the gradient."""

    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = torch.nn.Linear(3 * 64, 2, bias=False)

        def inputs(self, imgs: Tensor, codes: Tensor | None) -> dict[str, Tensor]:
            return {"RGB": imgs.float() / 255 - 0.5}

        def features(self, given: dict[str, Tensor]) -> Tensor:
            return given["RGB"].flatten(1)

    torch.manual_seed(0)
    model = Linear()
    imgs = torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8)
    maps = attribution.gradients(model, imgs, None, 1, steps=5)  # type: ignore[arg-type]
    expected = (imgs / 255 - 0.5) * model.head.weight[1].reshape(3, 8, 8)
    np.testing.assert_allclose(maps, expected.sum(1).detach().numpy(), rtol=1e-4, atol=1e-6)


def test_attributions_of_clips_are_added_up_over_time() -> None:
    model, clips, codes = clip_model()
    maps, missed = attribution.integrated(model, clips, codes, 0, steps=64)
    grey = {"LDP": torch.zeros(2, 1, 4, 60, 60)}
    with torch.no_grad():
        rise = model.classify(clips, codes) - model.head(model.features(grey))
    np.testing.assert_allclose(maps.sum((1, 2)) - missed, rise[:, 0].numpy(), atol=1e-3)


def test_maps_of_a_model_with_other_weights_are_other_maps() -> None:
    """The randomisation test of Adebayo et al. 2018: a map must depend on what was learned."""
    imgs, codes, _ = inputs(20)
    model = model_of("vit_micro", 20, "MRGB-RLDP-CRGB")
    first = attribution.reach(model, imgs, codes), attribution.gradients(model, imgs, codes, 0)
    torch.manual_seed(1)
    for block in model.encoder.blocks:
        for part in block.parameters():
            part.data.normal_(std=0.1)
    second = attribution.reach(model, imgs, codes), attribution.gradients(model, imgs, codes, 0)
    for one, two in zip(first, second, strict=True):
        for a, b in zip(one, two, strict=True):
            assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.8
    # What a head alone decides, rollout cannot know; the gradients do.
    model.head.weight.data.normal_()
    np.testing.assert_array_equal(attribution.reach(model, imgs, codes), second[0])
    assert not np.allclose(attribution.gradients(model, imgs, codes, 0), second[1])


def test_an_overlay_is_the_grey_image_where_the_map_is_zero() -> None:
    img = np.full((8, 8, 3), 100, np.uint8)
    map = np.zeros((8, 8), np.float32)
    np.testing.assert_array_equal(attribution.overlay(img, map), img)
    map[0, 0], map[1, 1] = 2.0, -1.0
    shown = attribution.overlay(img, map)
    assert shown.dtype == np.uint8
    red, _, blue = shown[0, 0].astype(int)
    assert red - blue > 100  # raises: orange
    red, _, blue = shown[1, 1].astype(int)
    assert blue - red > 50  # lowers: blue
    np.testing.assert_array_equal(shown[2:], img[2:])
    np.testing.assert_array_equal(attribution.overlay(img[..., 0], map), shown)


def test_a_map_that_does_not_fit_or_is_not_finite_is_refused() -> None:
    img = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"a map of \(4, 4\) does not fit an image of \(8, 8\)"):
        attribution.overlay(img, np.zeros((4, 4)))
    with pytest.raises(ValueError, match="not finite"):
        attribution.overlay(img, np.full((8, 8), np.nan))


class Curved(torch.nn.Module):
    """A logit that rises along the path from the baseline as `curve` does, from 0 to 1."""

    def __init__(self, curve) -> None:
        super().__init__()
        self.head = torch.nn.Identity()
        self.curve = curve

    def inputs(self, imgs: Tensor, codes: Tensor | None) -> dict[str, Tensor]:
        return {"RGB": imgs.float() / 255}

    def features(self, given: dict[str, Tensor]) -> Tensor:
        return self.curve(given["RGB"].flatten(1).mean(1, keepdim=True))


def bright(*values: int) -> Tensor:
    return torch.stack([torch.full((3, 4, 4), value, dtype=torch.uint8) for value in values])


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Record of each integral its samples and points."""
    seen, integral = [], pixels._integral

    def count(model, imgs, codes, target, steps):
        seen.append((len(imgs), steps))
        return integral(model, imgs, codes, target, steps)

    monkeypatch.setattr(pixels, "_integral", count)
    return seen


@pytest.mark.parametrize(("slope", "points"), [(1, 8), (30, 32), (60, 64), (100, 128)])
def test_fault_e8_points_double_until_a_map_is_complete(
    slope: float, points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A logit that rises within a part of the path: few points miss it."""
    model = Curved(lambda x: torch.tanh(slope * (x - 0.3)))
    seen = counted(monkeypatch)
    maps, missed = attribution.integrated(model, bright(200, 250), None, 0, steps=8)  # type: ignore[arg-type]
    assert [steps for _, steps in seen] == [n for n in (8, 16, 32, 64, 128) if n <= points]
    assert (attribution.gap(maps, missed) < 0.05).all()
    rise = np.tanh(slope * (np.array([200, 250]) / 255 - 0.3)) - np.tanh(-0.3 * slope)
    np.testing.assert_allclose(maps.sum((1, 2)), rise, rtol=0.05)


def test_fault_e8_only_the_samples_that_miss_are_integrated_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = Curved(lambda x: torch.where(x > 0.5, torch.tanh(80 * (x - 0.55)), x))
    seen = counted(monkeypatch)
    maps, missed = attribution.integrated(model, bright(40, 255, 100), None, 0, steps=8)  # type: ignore[arg-type]
    assert seen[0] == (3, 8)
    assert {n for n, _ in seen[1:]} == {1}
    assert attribution.gap(maps, missed)[[0, 2]] == pytest.approx(0, abs=1e-4)


def test_fault_e8_what_no_number_of_points_completes_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A jump has no gradient: its maps are empty, whatever is integrated."""
    model = Curved(lambda x: x * 0 + (x > 0.4).float())
    seen = counted(monkeypatch)
    maps, missed = attribution.integrated(model, bright(255, 10), None, 0, steps=4)  # type: ignore[arg-type]
    assert [steps for _, steps in seen] == [4, 8, 16, 32, 64]
    assert not maps.any()
    assert attribution.gap(maps, missed).tolist() == [
        1.0,
        0.0,
    ]  # of no difference nothing is missed


def test_fault_e8_the_gap_is_a_share_of_the_difference() -> None:
    maps = np.array([[[3.0, -1.0]], [[1.0, 1.0]], [[np.nan, 1.0]], [[1.0, -1.0]]])
    missed = np.array([0.1, -0.2, 0.0, 0.0])
    found = attribution.gap(maps, missed)
    assert found[:2] == pytest.approx([0.1 / 1.9, 0.2 / 2.2])
    assert np.isnan(found[2])
    assert found[3] == 0
