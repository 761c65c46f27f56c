"""Any classifier of timm as a supervised baseline: built, trained, and refused with the reason."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import timm
import torch
import yaml
from helpers import ROOT
from safetensors.torch import save_file

from lssat import grid, params
from lssat.data.preflight import child
from lssat.models import backbones
from lssat.models.ssat import SSAT
from lssat.params import grid_rules, names
from lssat.tables import DataError

SUPERVISED, MASKED = grid.parse("none-none-CRGB"), grid.parse("MRGB-RRGB-CRGB")
# The smallest of their kind: attention in windows, wide heads, no kernels, a plain ViT.
NETS = [
    "test_convnext",
    "test_resnet",
    "test_maxvit",
    "tiny_vit_5m_224",
    "mobilenetv3_small_050",
    "swin_tiny_patch4_window7_224",
]


@pytest.mark.parametrize("name", [*NETS[:3], pytest.param("mobilenetv3_small_050")])
def test_a_step_of_training_moves_a_network_of_timm(name: str) -> None:
    torch.manual_seed(0)
    model = SSAT(f"timm:{name}", SUPERVISED, 64, 3)
    before = {key: value.clone() for key, value in model.named_parameters()}
    imgs, labels = torch.randint(256, (4, 3, 64, 64), dtype=torch.uint8), torch.arange(4) % 3
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    loss = torch.nn.functional.cross_entropy(model(imgs).logits, labels)
    loss.backward()
    optimizer.step()
    moved = [key for key, value in model.named_parameters() if not torch.equal(value, before[key])]
    assert "head.weight" in moved
    assert any(key.startswith("encoder.") for key in moved)
    assert torch.isfinite(model.eval().classify(imgs)).all()


@pytest.mark.parametrize("name", NETS)
def test_features_are_those_that_timms_own_head_reads(name: str) -> None:
    with torch.device("meta"):
        model = SSAT(f"timm:{name}", SUPERVISED, 224, 2)
    own = timm.create_model(name)
    assert model.head.in_features == own.get_classifier().in_features
    assert child.unfit(model.encoder, 224) is None
    assert model.num_patches == 0


def test_a_plain_vit_as_baseline_is_what_it_is_as_a_backbone() -> None:
    made = [SSAT("timm:test_vit", each, 80, 2) for each in (SUPERVISED, MASKED)]
    keys = [set(each.encoder.state_dict()) for each in made]
    assert keys[0] == keys[1]
    assert not made[0].convolutional


def test_what_cannot_be_masked_says_why_as_a_backbone() -> None:
    for name, why in (
        ("swin_tiny_patch4_window7_224", "it is SwinTransformer, not a plain vision transformer"),
        ("test_convnext", "it cannot be built for a given image size"),
        ("vit_relpos_small_patch16_224", "its relative position bias is tied to the whole grid"),
    ):
        with torch.device("meta"), pytest.raises(DataError, match=why):
            SSAT(f"timm:{name}", MASKED, 224, 2)
        with torch.device("meta"):
            assert SSAT(f"timm:{name}", SUPERVISED, 224, 2).convolutional


def told(*cases: dict) -> list[list[str]]:
    """What the process that looks before the first job says of baselines."""
    wanted = [
        dict(configuration="none-none-CRGB", mask_ratio=0.75, weights="scratch", file=None) | case
        for case in cases
    ]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "lssat.data.preflight.child"],
        input=json.dumps(wanted), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])["problems"]


@pytest.mark.slow
def test_before_the_first_job_names_sizes_and_tags_are_known() -> None:
    near, tag, size = told(
        dict(backbone="timm:convnext_tinny", img_size=64),
        dict(backbone="timm:convnext_tiny.nope", img_size=64),
        dict(backbone="timm:convnext_tiny.in12k", img_size=64),
        dict(backbone="timm:inception_v3", img_size=48),
    )
    assert near[2] == (
        "timm has no model 'convnext_tinny'; did you mean convnext_tiny or convnextv2_tiny or "
        "convnext_tiny_hnf?"
    )
    assert tag[2].startswith("timm:convnext_tiny.nope cannot be used: timm says: Inva")
    assert size[2].startswith("timm:inception_v3 cannot be used: images of 48 px do not go through")


def test_a_file_of_weights_loads_without_its_head(tmp_path: Path) -> None:
    released = timm.create_model("test_convnext", num_classes=7)
    file = str(tmp_path / "w.safetensors")
    save_file(released.state_dict(), file)
    encoder = backbones.build("timm:test_convnext", 64, masked=False)
    assert backbones.load_weights(encoder, "timm:test_convnext", file) == (file, None)
    images = torch.randn(2, 3, 64, 64)
    own = released.eval().forward_head(released.forward_features(images), pre_logits=True)
    assert torch.equal(encoder.eval()(images), own)
    other = backbones.build("timm:test_resnet", 64, masked=False)
    with pytest.raises(DataError, match="does not fit timm:test_resnet: missing"):
        backbones.load_weights(other, "timm:test_resnet", file)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        (
            {"tune": "lora"},
            "train.tune: lora is of a ViT's blocks, and timm:test_vit is a baseline; write full, "
            "linear or norm, or name a plain ViT in benchmark.backbones",
        ),
        ({"layer_decay": 0.75}, "train.layer_decay: 0.75 goes down the blocks of a ViT, and"),
        ({"backbones": ["timm:test_vit"]}, "benchmark.baselines: timm:test_vit is in benchmark.ba"),
    ],
)
def test_what_a_baseline_cannot_be_asked_is_said_by_name(changes: dict, said: str) -> None:
    lists = {"backbones": ["vit_micro"], "baselines": ["timm:test_vit"]}
    lists |= {key: value for key, value in changes.items() if key == "backbones"}
    recipe = {key: value for key, value in changes.items() if key != "backbones"}
    given = {"benchmark": lists, "train": recipe}

    def get(*keys):
        value = given
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    found = [*grid_rules.problems(get), *names.problems(get)]
    texts = [f"{'.'.join(map(str, where))}: {text}" for where, text in found]
    assert len(texts) == bool(said)
    assert all(text.startswith(said) for text in texts)


def test_params_take_any_name_of_timm_as_a_baseline() -> None:
    values = yaml.safe_load((ROOT / "presets/sample.yaml").read_text())
    values["benchmark"]["baselines"] = ["efficientnet_b4", "timm:convnext_tiny.in12k"]
    made = params.Params.model_validate(values)
    paths = {run.path for run in made.runs()}
    assert "ffpp/timm:convnext_tiny.in12k/none-none-CRGB/seed0" in paths
    values["benchmark"]["baselines"] = ["convnext_tiny"]
    with pytest.raises(ValueError, match="unknown 'convnext_tiny'"):
        params.Params.model_validate(values)
