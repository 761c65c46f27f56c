"""Encoders: weights in timm's format load by name, and what does not fit is said in full."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from torch.nn import functional as F

from lssat.grid import BASELINES, ENCODERS, parse
from lssat.models import backbones
from lssat.models.backbones.weights import licence
from lssat.models.ssat import SSAT
from lssat.tables import DataError


def fresh(name: str = "vit_micro", seed: int = 0, size: int = 80) -> VisionTransformer:
    torch.manual_seed(seed)
    return backbones.build(name, size)


def test_weights_of_a_plain_timm_vit_load_by_name(tmp_path: Path) -> None:
    sizes = ENCODERS["vit_micro"]
    plain = VisionTransformer(
        img_size=240, patch_size=sizes.patch_size, embed_dim=sizes.embed_dim, depth=sizes.depth,
        num_heads=sizes.num_heads, num_classes=0,
    )  # fmt: skip
    save_file(plain.state_dict(), tmp_path / "w.safetensors")
    encoder = fresh()
    fixed = encoder.pos_embed.clone()
    backbones.load_weights(encoder, "vit_micro", str(tmp_path / "w.safetensors"))
    for name, value in plain.state_dict().items():
        if name != "pos_embed":
            assert torch.equal(encoder.state_dict()[name], value), name
    assert torch.equal(encoder.pos_embed, fixed)


def test_scratch_changes_nothing_and_the_seed_decides() -> None:
    encoder, same, other = fresh(), fresh(), fresh(seed=1)
    backbones.load_weights(encoder, "vit_micro", "scratch")
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    assert not torch.equal(encoder.blocks[0].mlp.fc1.weight, other.blocks[0].mlp.fc1.weight)


def test_weights_of_another_encoder_are_refused_with_the_lists(tmp_path: Path) -> None:
    state = fresh("vit_mini").state_dict() | {"head.weight": torch.zeros(1)}
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(DataError) as caught:
        backbones.load_weights(fresh(), "vit_micro", str(tmp_path / "w.safetensors"))
    assert "does not fit vit_micro: missing []" in str(caught.value)
    assert "unexpected ['blocks.3.attn.proj.bias'" in str(caught.value)
    assert "blocks.0.attn.proj.bias (96,) for (64,)" in str(caught.value)


def test_a_pickled_file_is_not_opened(tmp_path: Path) -> None:
    torch.save({"a": 1}, tmp_path / "w.pth")
    with pytest.raises(DataError, match="pickled files are not opened"):
        backbones.load_weights(fresh(), "vit_micro", str(tmp_path / "w.pth"))


def test_mae_has_no_weights_for_an_encoder_of_ours() -> None:
    with pytest.raises(
        DataError, match=r"mae has no weights for vit_micro\. MAE released vit_base"
    ):
        backbones.load_weights(fresh(), "vit_micro", "mae")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"no\.safetensors: does not exist"):
        backbones.load_weights(fresh(), "vit_micro", "no.safetensors")


def test_released_weights_of_a_timm_vit_fit_another_size_and_lose_their_head(
    tmp_path: Path,
) -> None:
    released = timm.create_model("test_vit", num_classes=7)  # of 160 px
    for value in released.parameters():
        value.data.normal_()
    save_file(released.state_dict(), tmp_path / "w.safetensors")
    encoder = backbones.build("timm:test_vit", 80)
    source = str(tmp_path / "w.safetensors")
    assert backbones.load_weights(encoder, "timm:test_vit", source) == (source, None)
    assert torch.equal(encoder.blocks[1].mlp.fc1.weight, released.blocks[1].mlp.fc1.weight)
    prefix, grid = released.pos_embed[:, :1], released.pos_embed[:, 1:].reshape(1, 10, 10, -1)
    options = dict(size=(5, 5), mode="bicubic", antialias=True)
    smaller = F.interpolate(grid.permute(0, 3, 1, 2), **options).flatten(2).transpose(1, 2)
    torch.testing.assert_close(encoder.pos_embed, torch.cat([prefix, smaller], dim=1))


def test_weights_of_another_timm_model_are_refused_with_the_lists_too(tmp_path: Path) -> None:
    save_file(timm.create_model("test_vit2").state_dict(), tmp_path / "w.safetensors")
    encoder = backbones.build("timm:test_vit", 80)
    with pytest.raises(DataError, match="does not fit timm:test_vit: missing") as caught:
        backbones.load_weights(encoder, "timm:test_vit", str(tmp_path / "w.safetensors"))
    assert "unexpected ['blocks.0.ls1.gamma'" in str(caught.value)


def test_weights_of_another_patch_size_are_not_resampled(tmp_path: Path) -> None:
    state = timm.create_model("test_vit").state_dict()
    state["patch_embed.proj.weight"] = state["patch_embed.proj.weight"][:, :, :14, :14].clone()
    save_file(state, tmp_path / "w.safetensors")
    encoder = backbones.build("timm:test_vit", 80)
    with pytest.raises(DataError, match=r"patch_embed.proj.weight \(64, 3, 14, 14\) for"):
        backbones.load_weights(encoder, "timm:test_vit", str(tmp_path / "w.safetensors"))


def test_a_baseline_pools_by_itself_and_loads_its_released_weights(tmp_path: Path) -> None:
    released = timm.create_model("resnet18", num_classes=1000)
    torch.nn.init.normal_(released.layer4[1].bn2.running_mean)
    save_file(released.state_dict(), tmp_path / "w.safetensors")
    encoder = backbones.build("resnet18", 80)
    backbones.load_weights(encoder, "resnet18", str(tmp_path / "w.safetensors"))
    imgs = torch.rand(2, 3, 80, 80)
    expected = released.eval().forward_head(released.forward_features(imgs), pre_logits=True)
    torch.testing.assert_close(encoder.eval()(imgs), expected)


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_baseline_has_no_patches_to_mask(name: str) -> None:
    """That each trains is shown in test_options.py."""
    with torch.device("meta"):
        model = SSAT(name, parse("none-none-CLDP"), 64, 3)
        assert model.num_patches == 0
        assert model.needs_codes
        with pytest.raises(ValueError, match="has no patches to mask for MRGB/RRGB/CRGB"):
            SSAT(name, parse("MRGB-RRGB-CRGB"), 64, 3)


def test_rgb_is_normalised_as_the_released_weights_want() -> None:
    white = torch.full((1, 3, 64, 64), 255, dtype=torch.uint8)
    xception = SSAT("xception", parse("none-none-CRGB"), 64, 3).prepare("RGB", white, None)
    torch.testing.assert_close(xception, torch.ones_like(xception))  # (1 - 0.5) / 0.5
    ours = SSAT("vit_micro", parse("none-none-CRGB"), 80, 3).prepare("RGB", white, None)
    torch.testing.assert_close(
        ours[0, :, 0, 0], torch.tensor([2.2489, 2.4286, 2.64]), atol=1e-4, rtol=0
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "weights", "hub"),
    [
        ("vit_base", "mae", "vit_base_patch16_224.mae"),
        ("resnet18", "timm", "resnet18.a1_in1k"),
        ("timm:vit_tiny_patch16_224.augreg_in21k", "timm", "vit_tiny_patch16_224.augreg_in21k"),
    ],
)
def test_each_name_of_the_hub_is_asked_for_and_says_the_way_out(
    name: str, weights: str, hub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with torch.device("meta"):
        encoder = backbones.build(name, 224)
    with pytest.raises(DataError, match=f"{hub} cannot be fetched from the hub") as caught:
        backbones.load_weights(encoder, name, {name: weights})
    assert "set train.weights to its path" in str(caught.value)


def test_the_licence_of_released_weights_is_known() -> None:
    assert licence("vit_base_patch16_224.mae") == "cc-by-nc-4.0"
    assert licence("resnet50.a1_in1k") == "apache-2.0"
