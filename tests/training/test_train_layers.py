"""Learning rates and weight decay by layer: MAE's grouping, for every backbone."""

import json
from pathlib import Path

import pytest
import torch
from helpers.training import view

from lssat import grid
from lssat.models.ssat import SSAT, VideoSSAT
from lssat.params.names import problems
from lssat.tables import DataError
from lssat.training import recipe as recipes

DECAY = 0.5
PLAIN = ["vit_micro", "vit_tiny", "vit_base", "videomae_mini", "videomae_small"]
OF_TIMM = [
    "timm:vit_tiny_patch16_224",
    "timm:vit_base_patch16_clip_224",  # a norm before the blocks
    "timm:vit_small_patch14_reg4_dinov2",  # registers
    "timm:vit_base_patch16_siglip_224",  # pooled by attention
    "timm:eva02_tiny_patch14_224",  # rotary positions
    "timm:vit_small_patch16_dinov3",  # rotary positions, registers, no learned ones
]
FIRST = ("cls_token", "reg_token", "pos_embed", "patch_embed.", "norm_pre.", "rope.")


def made(backbone: str, **changes) -> recipes.Step:
    """A step of a backbone, without memory for its weights."""
    kind = VideoSSAT if backbone in grid.VIDEO_ENCODERS else SSAT
    size = 80 if "mini" in backbone or "micro" in backbone else 112
    sizes: dict = dict(img_size=size, outputs=1)
    sizes |= {"frames": 4} if kind is VideoSSAT else {}
    name = grid.SUPERVISED if backbone in grid.BASELINES else "MRGB-RLDP-CRGB"
    with torch.device("meta"):
        model = kind(backbone, grid.parse(name), **sizes, **changes)
        return recipes.Step(model, torch.nn.BCEWithLogitsLoss(), "learned")


def groups(step: recipes.Step, layer_decay: float) -> dict[str, tuple[float, float]]:
    """Of each trained parameter: what its learning rate is multiplied by, and its decay."""
    recipe = view(layer_decay=layer_decay, optimizer="adamw", lr=1.0, weight_decay=0.05).train
    recipe = recipe.model_copy(update={"warmup_epochs": 0})
    optimizer = recipes.optimizer(step, recipe)
    recipes.scheduler(optimizer, recipe, 10, 2).step_update(0)  # at the peak
    names = {id(value): name for name, value in step.named_parameters()}
    return {
        names[id(parameter)]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def layer(name: str, depth: int) -> int:
    """MAE's number of a layer, of names without `model.encoder.`; ours for what MAE has not."""
    if name.startswith(FIRST):
        return 0
    if name.startswith("blocks."):
        return int(name.split(".")[1]) + 1
    return depth + 1


@pytest.mark.parametrize("backbone", [*PLAIN, *OF_TIMM])
def test_fault_e6_every_parameter_has_the_rate_of_its_layer(backbone: str) -> None:
    step = made(backbone)
    depth = len(step.model.encoder.blocks)
    found = groups(step, DECAY)
    trained = {name: value for name, value in step.named_parameters() if value.requires_grad}
    assert set(found) == set(trained)
    for name, (rate, decay) in found.items():
        i = layer(name.removeprefix("model.encoder."), depth)
        assert rate == DECAY ** (depth + 1 - i), name
        token = name.endswith(("cls_token", "reg_token", "pos_embed", "mask_token"))
        assert decay == (0.0 if trained[name].ndim <= 1 or token else 0.05), name
    assert found["model.encoder.patch_embed.proj.weight"][0] == DECAY ** (depth + 1)
    assert found[f"model.encoder.blocks.{depth - 1}.attn.qkv.weight"][0] == DECAY
    assert found["model.head.weight"] == (1.0, 0.05)


@pytest.mark.parametrize("backbone", ["vit_micro", "videomae_mini", *OF_TIMM[:3], "resnet18"])
def test_fault_e2_layer_decay_changes_no_weight_decay(backbone: str) -> None:
    """What is decayed is one rule: matrices and kernels; neither biases, norms nor tokens."""
    step = made(backbone)
    plain = groups(step, 1.0)
    shapes = dict(step.named_parameters())
    assert {rate for rate, _ in plain.values()} == {1.0}
    bare = {name for name, (_, decay) in plain.items() if decay == 0}
    tokens = {name for name in plain if name.endswith(("_token", "pos_embed"))}
    assert bare == {name for name in plain if shapes[name].ndim <= 1} | tokens
    if backbone != "resnet18":
        assert {name: decay for name, (_, decay) in groups(step, DECAY).items()} == {
            name: decay for name, (_, decay) in plain.items()
        }


def test_fault_e6_the_papers_sizes() -> None:
    """The table of MAE's fine-tuning at a decay of .75 for ViT-B: 14 rates, 1.0 the last."""
    rates = {name: rate for name, (rate, _) in groups(made("vit_base"), 0.75).items()}
    wanted = [0.75**n for n in range(13, -1, -1)]
    named = ["patch_embed.proj", *(f"blocks.{n}.mlp.fc1" for n in range(12)), "norm"]
    assert [rates[f"model.encoder.{name}.weight"] for name in named] == pytest.approx(wanted)
    assert rates["model.encoder.cls_token"] == pytest.approx(0.0237573, rel=1e-5)  # .75 ** 13


@pytest.mark.parametrize("name", grid.BASELINES)
@pytest.mark.parametrize("where", ["baselines", "backbones"])
def test_fault_e6_a_network_without_blocks_is_refused_before_any_job(name: str, where: str) -> None:
    given = {"benchmark": {where: [name], "clip_backbones": ["videomae_base"]}}
    given["train"] = {"layer_decay": 0.65}

    def get(*keys: str):
        value: dict | None = given
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    ((place, said),) = problems(get)
    assert place == ("train", "layer_decay")
    assert said == (
        f"0.65 goes down the blocks of a ViT, and the grid runs {name}; "
        "write 1.0, or leave them out"
    )
    given["train"]["layer_decay"] = 1.0  # type: ignore[assignment]
    assert not list(problems(get))


def test_fault_e6_nor_is_it_trained_by_hand() -> None:
    said = "params.yaml: train.layer_decay: 0.65 goes down the blocks of a ViT, and this backbone"
    with pytest.raises(DataError, match=said):
        groups(made("resnet18"), 0.65)


def test_fault_e6_the_curve_tells_the_rate_of_the_head(tmp_path: Path) -> None:
    """Not that of the first group, which is the patch embedding's."""
    from helpers.drawn_data import write
    from helpers.training import RUN, curve, files

    from lssat.training import train as training

    write(tmp_path, {"train": 48, "val": 16})
    recipe = view(epochs=1, warmup_epochs=0, layer_decay=0.5, lr=1e-3, min_lr=1e-3)
    training.train(RUN, files(tmp_path, tmp_path / "out"), recipe)
    assert float(curve(tmp_path / "out")[0]["lr"]) == pytest.approx(1e-3)
    record = json.loads((tmp_path / "out/record.json").read_text())
    assert record["params"]["train"]["layer_decay"] == 0.5
