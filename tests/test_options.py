"""Each choice of the model trains, is kept, and predicts from its own description."""

from pathlib import Path

import drawn_data
import numpy as np
import pytest
import torch
from test_train import files, view

import lssat.train as step
from lssat import grid, predict
from lssat.grid import Run
from lssat.loader import Crops
from lssat.params import Texture
from lssat.tables import read_json

CHOICES = [
    ("vit_micro", "MRGB-RRGB+RLDP-CLDP", "bits", {}),
    ("vit_micro", "MLDP-RLDP-CRGB", "code", {"head": "fusion"}),
    ("timm:test_vit", "MRGB-RRGB-CRGB", "code", {}),
    ("timm:test_vit3", "MLDP-RLDP-CRGB", "bits", {"norm_pix_loss": False}),
    ("resnet18", "none-none-CLDP", "code", {}),
    ("vit_micro", "MLDP-RRGB-CRGB", "code", {"precision": "bf16-mixed", "label_smoothing": 0.1}),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crops of 80 px, a multiple of the patch sizes of all."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawn_data, "SIZE", 80)
        drawn_data.write(folder, {"train": 16, "val": 6})
    return folder


def _train(data: Path, out: Path, configuration: str, kind: str) -> dict:
    part = view(epochs=1, batch_size=8, pretrain_epochs=int("then" in configuration))
    part.texture = Texture(kind=kind, k=3, encoding="code")
    step.train(Run("ffpp", "vit_micro", configuration, 0), files(data, out), part)
    return read_json(out / "record.json")


@pytest.mark.parametrize("configuration", grid.configurations("LDP"))
def test_every_configuration_trains(data: Path, tmp_path: Path, configuration: str) -> None:
    assert _train(data, tmp_path, configuration, "ldp")["epochs"] == 1 + ("then" in configuration)
    assert predict.load_run(tmp_path).configuration.slug == configuration


def test_lbp_trains_in_the_place_of_ldp(tmp_path: Path) -> None:
    drawn_data.write(tmp_path / "data", {"train": 16, "val": 6}, kind="lbp")
    for configuration in ("MRGB-RLBP-CRGB", "MLBP-RLBP-CLBP", "none-none-CLBP"):
        out = tmp_path / configuration
        assert _train(tmp_path / "data", out, configuration, "lbp")["epochs"] == 1
        assert predict.load_run(out).configuration.slug == configuration


@pytest.mark.parametrize(("backbone", "configuration", "encoding", "changes"), CHOICES)
def test_a_choice_trains_and_predicts(
    data: Path, tmp_path: Path, backbone: str, configuration: str, encoding: str, changes: dict
) -> None:
    part = view(**{"epochs": 1, "batch_size": 8, **changes})
    part.texture = Texture(kind="ldp", k=3, encoding=encoding)
    run = Run("ffpp", backbone, configuration, 0)
    step.train(run, files(data, tmp_path), part)
    record = read_json(tmp_path / "record.json")
    assert record["weights"] == {"source": "scratch", "licence": None}
    model = predict.load_run(tmp_path)
    assert (model.encoding, str(model.configuration)) == (encoding, configuration.replace("-", "/"))
    codes = data / "texture" if model.needs_codes else None
    found = predict.logits(model, Crops(data / "splits/val.parquet", data / "faces", codes), 5)
    assert found.shape == (6, 1)
    assert np.isfinite(found).all()
    with np.load(tmp_path / "reconstruction.npz") as pictures:
        names = {"input", "mask", "target", "output"} if "none" not in configuration else set()
        names |= {"target_2", "output_2"} if "+" in configuration else set()
        assert set(pictures.files) == names


def test_fusion_reads_both_images_at_inference() -> None:
    from lssat.grid import parse
    from lssat.ssat import SSAT

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
