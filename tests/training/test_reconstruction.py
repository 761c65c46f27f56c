"""Pictures of reconstructions: a perfect prediction is shown as the target itself."""

import numpy as np
import pytest
import torch
from helpers.drawn_data import write

from lssat.grid import parse
from lssat.models.ssat import SSAT, take
from lssat.training.loader import Crops
from lssat.training.reconstruction import reconstructions


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Crops:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 8, "val": 8})
    return Crops(folder / "splits/val.parquet", folder / "faces", folder / "texture")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"norm_pix_loss": True},
        {"encoding": "bits"},
        {"encoding": "bits", "norm_pix_loss": True},
    ],
)
def test_a_perfect_prediction_is_shown_as_the_target(crops: Crops, options: dict) -> None:
    class Perfect(SSAT):
        """Predicts what the loss compares with."""

        def forward(self, imgs, codes=None, noise=None, phase="joint"):
            out = super().forward(imgs, codes, noise, phase)
            truth = {kind: self.target(kind, imgs, codes) for kind in ("RGB", "LDP")}
            if options.get("encoding") == "bits":
                truth["LDP"] = truth["LDP"] * 8 - 4  # logits
            pred = {kind: take(value, out.mask.ids_remove) for kind, value in truth.items()}
            return out._replace(pred=pred)

    model = Perfect("vit_micro", parse("MRGB-RRGB+RLDP-CRGB"), crops.size, 1, **options)
    shown = reconstructions(model, crops, seed=0)
    for end in ("", "_2"):
        assert shown[f"target{end}"].std() > 0
        # Pixels of a constant patch lose their last bit to the variance's floor of 1e-6.
        apart = np.abs(shown[f"output{end}"].astype(int) - shown[f"target{end}"])
        assert apart.max() <= (1 if options.get("norm_pix_loss") else 0)
    rows = np.unique(np.linspace(0, len(crops) - 1, 6).astype(int))
    batch = crops.batch(rows)
    assert np.array_equal(shown["target"], batch.imgs.permute(0, 2, 3, 1).numpy())
    assert np.array_equal(shown["target_2"][..., 0], batch.codes[:, 0].numpy())
    assert np.array_equal(shown["input"], shown["target"])
    assert shown["mask"].sum(1).tolist() == [model.num_patches - model.num_patches // 4] * len(rows)


def test_without_the_auxiliary_task_there_is_no_picture(crops: Crops) -> None:
    model = SSAT("vit_micro", parse("none-none-CRGB"), crops.size, 1)
    assert reconstructions(model, crops, seed=0) == {}
    assert torch.is_grad_enabled()
