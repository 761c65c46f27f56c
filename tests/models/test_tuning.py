"""What `train.tune` trains of each kind of backbone, and how adapters become plain weights."""

import copy

import pytest
import torch
from torch import nn

from lssat import grid
from lssat.models import tuning
from lssat.models.ssat import SSAT, kind_of
from lssat.tables import DataError

OF_TIMM = [
    "timm:vit_small_patch14_reg4_dinov2",  # registers, layer scale
    "timm:vit_base_patch16_siglip_224",  # pooled by attention
    "timm:eva02_tiny_patch14_224",  # q, k and v apart, rotary positions
    "timm:vit_small_patch16_dinov3",  # no bias of k
]


def made(backbone: str, configuration: str = "MRGB-RLDP-CRGB", meta: bool = True) -> SSAT:
    size = 80 if "mi" in backbone else 112
    frames = {"frames": 4} if backbone in grid.VIDEO_ENCODERS else {}
    torch.manual_seed(0)
    with torch.device("meta" if meta else "cpu"):
        return kind_of(backbone)(backbone, grid.parse(configuration), size, 2, **frames)


def trained(model: nn.Module) -> set[str]:
    return {name for name, value in model.named_parameters() if value.requires_grad}


def tuned(backbone: str, text: str, configuration: str = "MRGB-RLDP-CRGB") -> set[str]:
    """Names of the parameters that are trained, without those of head and decoder."""
    model = made(backbone, configuration)
    tuning.tune(model, grid.tune(text), backbone, 0)
    found = trained(model)
    assert {name for name in trained(made(backbone, configuration)) if "encoder." not in name} == {
        name for name in found if not name.startswith("encoder.")
    }
    return {name.removeprefix("encoder.") for name in found if name.startswith("encoder.")}


@pytest.mark.parametrize("backbone", ["vit_micro", "videomae_mini", *OF_TIMM])
def test_each_choice_trains_its_part_of_a_vit(backbone: str) -> None:
    every = {
        name.removeprefix("encoder.") for name in trained(made(backbone)) if "encoder." in name
    }
    assert tuned(backbone, "full") == every
    assert tuned(backbone, "linear") == set()
    norms = {name for name in every if "norm" in f".{name}".split(".")[-2]}
    assert tuned(backbone, "norm") == norms
    assert norms
    depth = len(made(backbone).encoder.blocks)
    for k in (1, 2, depth):
        blocks = tuple(f"blocks.{number}." for number in range(depth - k, depth))
        ends = ("norm.", "fc_norm.", "attn_pool.")
        assert tuned(backbone, f"blocks:{k}") == {x for x in every if x.startswith(blocks + ends)}
    adapted = {name.rpartition(".lora_")[0] for name in tuned(backbone, "lora")}
    linear = {"qkv", "q_proj", "k_proj", "v_proj", "proj"}
    attention = {
        f"blocks.{number}.attn.{name}"
        for number, block in enumerate(made(backbone).encoder.blocks)
        for name, part in block.attn.named_children()
        if isinstance(part, nn.Linear) and name in linear
    }
    assert adapted == attention
    assert len(adapted) >= 2 * depth


@pytest.mark.parametrize("backbone", ["resnet18", "efficientnet_b4", "xception"])
def test_a_convolutional_baseline_tunes_its_batchnorm_or_its_head(backbone: str) -> None:
    name = grid.SUPERVISED
    assert tuned(backbone, "linear", name) == set()
    model = made(backbone, name)
    norms = {
        f"{place}.{own}"
        for place, part in model.encoder.named_modules()
        if isinstance(part, nn.BatchNorm2d)
        for own in ("weight", "bias")
    }
    assert tuned(backbone, "norm", name) == norms
    for text in ("lora", "blocks:1"):
        with pytest.raises(DataError, match=rf"train\.tune: {backbone} has no .* or leave it out"):
            tuned(backbone, text, name)


def test_more_blocks_than_there_are_is_refused() -> None:
    with pytest.raises(DataError, match=r"vit_micro has 3 blocks\. Write blocks:3 or less"):
        tuned("vit_micro", "blocks:4")


@pytest.mark.parametrize("backbone", ["vit_micro", "videomae_mini", OF_TIMM[2], "timm:test_vit3"])
@pytest.mark.parametrize("text", ["lora", "lora:3"])
def test_a_merged_adapter_is_w_plus_b_a_alpha_over_r(backbone: str, text: str) -> None:
    how, model = grid.tune(text), made(backbone, meta=False)
    tuning.tune(model, how, backbone, 0)
    torch.manual_seed(1)
    for name, value in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(value, std=0.05)
    before = copy.deepcopy(model.state_dict())
    shape = (*((4,) if model.clips else ()), model.img_size, model.img_size)
    imgs = torch.randint(0, 256, (3, 3, *shape), dtype=torch.uint8)
    codes = imgs[:, :1]
    joint = model(imgs, codes, torch.rand(3, model.num_patches, generator=torch.Generator()))
    joint.logits.sum().backward()
    assert all(p.grad.abs().sum() > 0 for n, p in model.named_parameters() if "lora_" in n)
    with torch.no_grad():
        adapted = model.eval().classify(imgs, codes)
        tuning.merge(model)
        torch.testing.assert_close(model.classify(imgs, codes), adapted, atol=1e-5, rtol=0)
    assert list(model.state_dict()) == list(made(backbone).state_dict())
    alpha = 2 * how.number
    for name, weight in model.state_dict().items():
        key, _, last = name.rpartition(".")
        if f"{key}.lora_A.default.weight" not in before:
            assert torch.equal(weight, before[name]), name
        elif last == "weight":
            a, b = (before[f"{key}.lora_{letter}.default.weight"].double() for letter in "AB")
            assert a.shape[0] == b.shape[1] == how.number
            wanted = before[f"{key}.base_layer.weight"].double() + b @ a * alpha / how.number
            torch.testing.assert_close(weight.double(), wanted, atol=1e-6, rtol=1e-5)


def test_adapters_begin_as_nothing_and_by_their_seed() -> None:
    plain, first, same, other = (made("vit_micro", meta=False) for _ in range(4))
    for model, seed in ((first, 0), (same, 0), (other, 1)):
        tuning.tune(model, grid.tune("lora"), "vit_micro", seed)
    imgs = torch.randint(0, 256, (2, 3, 80, 80), dtype=torch.uint8)
    torch.testing.assert_close(first.classify(imgs), plain.classify(imgs), atol=1e-6, rtol=0)
    name = "encoder.blocks.0.attn.qkv.lora_A.default.weight"
    drawn = [model.state_dict()[name] for model in (first, same, other)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_what_is_frozen_is_in_evaluation_mode() -> None:
    """BatchNorm by its running statistics; where its scale is trained, by those of the batch."""
    modes = {}
    for text in ("full", "norm", "linear"):
        model = made("resnet18", grid.SUPERVISED)
        tuning.tune(model, grid.tune(text), "resnet18", 0)
        model.train()
        tuning.rest(model)
        modes[text] = {
            part.training for part in model.modules() if isinstance(part, nn.BatchNorm2d)
        }
        assert model.head.training
    assert modes == {"full": {True}, "norm": {True}, "linear": {False}}
    model = made("vit_micro")
    tuning.tune(model, grid.tune("blocks:1"), "vit_micro", 0)
    model.train()
    tuning.rest(model)
    assert [block.training for block in model.encoder.blocks] == [False, False, True]
    assert model.encoder.blocks[2].drop_path1.training  # without parameters: as what holds it


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("lora:8", "'lora:8' is what lora means; write lora"),
        ("blocks:0", "'blocks:0' is none of full, linear, norm, lora, lora:<rank>, blocks:<k>"),
        ("blocks", "'blocks' is none of"),
        ("Linear", "'Linear' is none of"),
        ("lora:-1", "'lora:-1' is none of"),
        ("blocks:02", "'blocks:02' is none of"),
    ],
)
def test_another_spelling_is_refused(text: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        grid.tune(text)
