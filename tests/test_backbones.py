"""Encoders: weights in timm's format load by name, and what does not fit is said in full."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

from lssat import backbones
from lssat.grid import ENCODERS
from lssat.tables import DataError


def fresh(name: str = "vit_micro", seed: int = 0, size: int = 80) -> VisionTransformer:
    torch.manual_seed(seed)
    return backbones.build(name, size)


def test_weights_of_a_plain_timm_vit_load_by_name(tmp_path: Path) -> None:
    sizes = ENCODERS["vit_micro"]
    timm = VisionTransformer(
        img_size=240, patch_size=sizes.patch_size, embed_dim=sizes.embed_dim, depth=sizes.depth,
        num_heads=sizes.num_heads, num_classes=0,
    )  # fmt: skip
    save_file(timm.state_dict(), tmp_path / "w.safetensors")
    encoder = fresh()
    fixed = encoder.pos_embed.clone()
    backbones.load_weights(encoder, "vit_micro", str(tmp_path / "w.safetensors"))
    for name, value in timm.state_dict().items():
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


def test_a_hub_that_cannot_be_reached_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DataError) as caught:
        backbones.load_weights(fresh("vit_base", size=224), "vit_base", "mae")
    assert "vit_base_patch16_224.mae cannot be fetched from the hub" in str(caught.value)
    assert "set train.weights to its path" in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"no\.safetensors: does not exist"):
        backbones.load_weights(fresh(), "vit_micro", "no.safetensors")
