"""On the built-in sample each choice of the model and of the recipe trains, is kept, and predicts.

What a choice does to the numbers is shown elsewhere; here it runs from the sample's own crops.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch._inductor.config
from helpers.training import curve, files, view
from safetensors.torch import save_file

from lssat import grid
from lssat.evaluation import logits
from lssat.grid import Run, parse, releases
from lssat.models import backbones
from lssat.models.ssat import SSAT
from lssat.params import Texture, Train
from lssat.tables import read_json
from lssat.training import train as step
from lssat.training.loader import Crops

pytestmark = pytest.mark.slow

Data = dict[str, Path]
LDP = Texture(kind="ldp", k=3, encoding="code")
LBP = ["MRGB-RLBP-CRGB", "MLBP-RLBP-CLBP", "none-none-CLBP"]
SMALL = {"epochs": 1, "pretrain_epochs": 1, "batch_size": 12, "warmup_epochs": 0}
SGD = {"optimizer": "sgd", "momentum": 0.5, "scale_lr": True, "weight_decay": 0.01}
AUGMENTED = {"crop": 0.6, "rand_augment": 9.0, "erase": 0.25, "mixup": 0.8}
DRAWN = {"class_weights": "none", "sampler": "balanced", "hflip": False}
FROZEN = {"tune": "linear", "hflip": False}
OF_A_FILE = {"weights": "a file", "lr": 1e-9, "min_lr": 1e-9, "epochs": 9, "early_stop": 1}
# task, backbone, configuration, encoding of texture, and what else the recipe says
CHOICES = [
    ("ffpp", "vit_micro", "MRGB-RRGB+RLDP-CLDP", "bits", SGD),
    ("ffpp", "vit_micro", "MLDP-RLDP-CRGB", "code", {"head": "fusion", "clip_grad": 0.5}),
    (
        "ffpp",
        "vit_micro",
        "MRGB-RLDP-CRGB-lambda0.1",
        "code",
        {"accumulate": 2, "batch_size": 6, "methods": ["Deepfakes"]},
    ),
    ("ffpp", "timm:test_vit", "MRGB-RRGB-CRGB", "code", {"layer_decay": 0.7, "mask_ratio": 0.75}),
    ("ffpp", "timm:test_vit3", "MLDP-RLDP-CRGB", "bits", {"norm_pix_loss": False}),
    ("ffpp", "vit_tiny", "MRGB-RLDP-CRGB", "code", {"grad_checkpointing": True}),
    ("ffpp", "videomae_mini", "MRGB-RRGB+RLDP-CLDP", "bits", AUGMENTED),
    ("ffpp", "videomae_mini", "MLDP-RRGB-thenCRGB", "code", {"grad_checkpointing": True}),
    ("ffpp", "videomae_mini", "MLDP-RRGB-CRGB", "code", {"head": "fusion"}),
    ("affectnet", "vit_micro", "MLDP-RRGB-CRGB", "code", AUGMENTED | {"label_smoothing": 0.1}),
    ("affectnet", "vit_micro", "MRGB-RLDP-CRGB", "code", DRAWN),
    ("affectnet", "vit_micro", "MRGB-RLDP-CRGB", "code", {"precision": "bf16-mixed"}),
    ("celeba", "vit_micro", "MLDP-RRGB-CRGB", "code", {"lambda_cls": "learned"}),
    ("celeba", "vit_micro", "MRGB-RLDP-CRGB", "bits", {"select_metric": "auc"}),
    ("celeba", "vit_micro", "MRGB-RLDP-CRGB", "bits", {"encoding": "bits"}),
    ("affectnet", "vit_micro", "none-none-CRGB", "code", FROZEN),
    ("affectnet", "vit_micro", "MRGB-RRGB-thenCRGB", "code", {"tune": "linear", "share": 0.7}),
    ("affectnet", "vit_micro", "MRGB-RLDP-CRGB", "code", {"tune": "lora"}),
    ("celeba", "resnet18", "none-none-CRGB", "code", {"tune": "norm"}),
    ("ffpp", "videomae_mini", "MRGB-RLDP-CRGB", "code", {"tune": "blocks:1", "ema": 0.9}),
    ("ffpp", "efficientnet_b4", "none-none-CRGB", "code", {"blend": "sbi", "batch_size": 8}),
    ("ffpp", "xception", "none-none-CRGB", "code", {"blend": "xray", "batch_size": 8}),
    ("ffpp", "timm:test_vit", "none-none-CRGB", "code", {"blend": "xray", "batch_size": 8}),
    *[("celeba", baseline, "none-none-CRGB", "code", {}) for baseline in grid.BASELINES],
]


def _train(
    data: Path, out: Path, run: Run, texture: Texture, changes: dict, **machine: bool | str
) -> dict:
    part = view(**SMALL | changes).model_copy(update={"texture": texture})
    where = replace(files(data, out), codes=data / "texture" / texture.kind)
    step.train(run, where, part, step.QUIET.model_copy(update=machine))
    return read_json(out / "record.json")


def test_every_key_of_the_recipe_is_set_by_a_choice() -> None:
    """All but `threads`, which is of the machine."""
    keys = set().union(SMALL, OF_A_FILE, *(changes for *_, changes in CHOICES))
    assert keys == set(Train.model_fields) - {"threads"}


@pytest.mark.parametrize("slug", [*grid.configurations("LDP"), *LBP])
def test_every_configuration_trains(sample_data: Data, tmp_path: Path, slug: str) -> None:
    kind = "lbp" if "LBP" in slug else "ldp"
    texture = LDP.model_copy(update={"kind": kind})
    run = Run("ffpp", "vit_micro", slug, 0)
    record = _train(sample_data["ffpp"], tmp_path, run, texture, {})
    assert record["epochs"] == 1 + ("then" in slug)
    assert logits.load_run(tmp_path).configuration.slug == slug


@pytest.mark.parametrize(("task", "backbone", "configuration", "encoding", "changes"), CHOICES)
def test_a_choice_trains_and_predicts(
    sample_data: Data,
    tmp_path: Path,
    task: str,
    backbone: str,
    configuration: str,
    encoding: str,
    changes: dict,
) -> None:
    data, run = sample_data[task], Run(task, backbone, configuration, 0)
    texture = LDP.model_copy(update={"encoding": "code" if "encoding" in changes else encoding})
    record = _train(data, tmp_path, run, texture, changes)
    assert record["weights"] == {"source": "scratch", "licence": None}
    assert changes.items() <= record["params"]["train"].items()
    model = logits.load_run(tmp_path)
    assert (model.encoding, model.configuration.slug) == (encoding, configuration)
    codes = data / "texture/ldp" if model.needs_codes else None
    val = Crops(data / "splits/val.parquet", data / "faces", codes, model.clips)
    found = logits.logits(model, val, 5)
    assert found.shape == (len(val), releases.TASKS[task].outputs)
    assert np.isfinite(found).all()
    with np.load(tmp_path / "reconstruction.npz") as pictures:
        names = {"input", "mask", "target", "output"} if "none" not in configuration else set()
        names |= {"target_2", "output_2"} if "+" in configuration else set()
        assert set(pictures.files) == names


@pytest.mark.filterwarnings("ignore")  # codecarbon's own, at its start
def test_a_run_from_a_file_of_weights_stops_early_and_tells_its_energy(
    sample_data: Data, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    source = str(tmp_path / "weights.safetensors")
    save_file(backbones.build("vit_micro", 80).state_dict(), source)
    recipe, out = OF_A_FILE | {"weights": source}, tmp_path / "run"
    run = Run("celeba", "vit_micro", "MRGB-RLDP-CRGB", 0)
    record = _train(sample_data["celeba"], out, run, LDP, recipe, energy=True, country="DEU")
    assert record["weights"] == {"source": source, "licence": None}
    assert record["epochs"] == len(curve(out)) == record["best_epoch"] + 2 < 9
    assert record["costs"]["energy_kwh"] >= 0
    assert record["costs"]["co2_kg"] >= 0


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_the_step_can_be_compiled(
    sample_data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By inductor, with what makes it quick: one block, one source file a graph, and no -O3."""
    monkeypatch.setitem(grid.ENCODERS, "vit_micro", grid.ENCODERS["vit_micro"]._replace(depth=1))
    monkeypatch.setenv("TORCHINDUCTOR_DEBUG_COMPILE", "1")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    run = Run("ffpp", "vit_micro", "MRGB-RLDP-CRGB", 0)
    quick = {"cpp_wrapper": True, "cpp.vec_isa_ok": True, "compile_threads": 1}
    with torch._inductor.config.patch(quick):
        _train(sample_data["ffpp"], tmp_path / "a", run, LDP, {}, compile=True)
    assert len(list((tmp_path / "compiled").rglob("*.so"))) >= 3  # forward, backward, prediction
    _train(sample_data["ffpp"], tmp_path / "b", run, LDP, {})
    (left,), (right,) = curve(tmp_path / "a"), curve(tmp_path / "b")
    for name in ("loss_cls", "loss_rec", "val_loss_cls"):
        assert float(left[name]) == pytest.approx(float(right[name]), rel=1e-4)


def test_fusion_reads_both_images_at_inference() -> None:
    model = SSAT("vit_micro", parse("MLDP-RRGB-CRGB"), 80, 3, head="fusion").eval()
    assert model.needs_codes
    imgs = torch.randint(0, 256, (2, 3, 80, 80), dtype=torch.uint8)
    codes = torch.randint(0, 256, (2, 1, 80, 80), dtype=torch.uint8)
    first, other = model.classify(imgs, codes), model.classify(imgs, 255 - codes)
    assert not torch.equal(first, other)
    assert not torch.equal(first, model.classify(255 - imgs, codes))
    parts = [
        SSAT("vit_micro", parse(f"none-none-C{kind}"), 80, 3).eval() for kind in ("RGB", "LDP")
    ]
    for part in parts:
        part.encoder.load_state_dict(model.encoder.state_dict())
        part.head = torch.nn.Identity()
    joined = torch.cat([part.classify(imgs, codes) for part in parts], dim=1)
    torch.testing.assert_close(first, model.head(joined))
