"""What the page says of the decoder: its error beside that of a constant, against the losses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import drawn_results as drawn
from torch.nn import functional as F

from lssat.models.ssat.inputs import Inputs, planes
from lssat.models.ssat.losses import bits_loss, normalize_patches, squared_loss
from lssat.models.ssat.patches import patchify
from lssat.report.kit import results
from lssat.report.sections import curves, decoder

N, SIDE, PATCH = 5, 4, 8


def arrays(seed: int = 0, code: bool = True) -> dict[str, np.ndarray]:
    """Draw targets whose patches differ, and an output that is near them."""
    rng = np.random.default_rng(seed)
    size, channels = SIDE * PATCH, 1 if code else 3
    target = rng.integers(0, 256, (N, size, size, channels)) // (
        1 + rng.integers(0, 9, (N, 1, 1, 1))
    )
    output = np.clip(target + rng.integers(-9, 10, target.shape), 0, 255)
    mask = (rng.random((N, SIDE**2)).argsort(1) < 12).astype(np.uint8)
    full = {"target": target, "output": output}
    return {"mask": mask} | {
        name: np.broadcast_to(a, (N, size, size, 3)).astype(np.uint8) for name, a in full.items()
    }


def record(configuration: str, **train: Any) -> Any:
    return {
        "configuration": configuration,
        "params": {"texture": {"encoding": "code"}, "train": train},
    }


def removed(images: np.ndarray, mask: np.ndarray, code: bool) -> torch.Tensor:
    """Cut images as training does: the removed patches, (R, p*p*C)."""
    whole = torch.from_numpy(images[..., : 1 if code else 3].copy()).permute(0, 3, 1, 2)
    return patchify(whole.double(), PATCH)[torch.from_numpy(mask) == 1]


def test_the_loss_of_a_constant_of_codes_is_that_of_training() -> None:
    drawn_ = arrays()
    (found,) = decoder.measure(record("MRGB/RLDP/CRGB"), drawn_)
    codes = torch.from_numpy(drawn_["target"][..., :1].copy()).permute(0, 3, 1, 2)
    seen = Inputs((0.5,) * 3, (0.5,) * 3).double()("LDP", codes.expand(-1, 3, -1, -1), codes)
    target = patchify(seen, PATCH)[torch.from_numpy(drawn_["mask"]) == 1]
    losses = [float(squared_loss(torch.full_like(target, value), target))
              for value in (float(target.mean()), float(target.mean()) + 0.1)]  # fmt: skip
    assert found.loss == pytest.approx(losses[0], rel=1e-6)
    assert losses[0] < losses[1]  # it is the best constant
    true, said = (removed(drawn_[name], drawn_["mask"], True) for name in ("target", "output"))
    wanted = F.mse_loss(said, true) / F.mse_loss(true.mean().expand_as(true), true)
    assert found.ratio == pytest.approx(float(wanted), rel=1e-6)


@pytest.mark.parametrize("code", [True, False])
def test_with_norm_pix_loss_a_constant_is_each_patchs_mean_and_loses_one(code: bool) -> None:
    shown = arrays(1, code)
    name = "MRGB/RLDP/CRGB" if code else "MRGB/RRGB/CRGB"
    (found,) = decoder.measure(record(name, norm_pix_loss=True), shown)
    target = removed(shown["target"], shown["mask"], code)
    normed = normalize_patches(target)
    pixels = target.shape[1]
    assert float((normed**2).mean()) == pytest.approx((pixels - 1) / pixels, rel=1e-4)
    assert (found.constant, found.loss) == (1.0, 1.0)
    said = removed(shown["output"], shown["mask"], code)
    mean, spread = target.mean(-1, keepdim=True), target.std(-1, keepdim=True)
    loss = squared_loss((said - mean) / spread, normed) * pixels / (pixels - 1)
    assert found.ratio == pytest.approx(float(loss), rel=1e-4)


def test_of_bits_the_constant_says_what_each_plane_is_more_often() -> None:
    shown = arrays(2)
    shown["target"] = np.repeat(shown["target"][..., :1] | 1, 3, axis=-1)  # a plane of ones
    (found,) = decoder.measure(record("MRGB/RLDP/CRGB", encoding="bits"), shown)
    codes = torch.from_numpy(shown["target"][..., :1].copy()).permute(0, 3, 1, 2)
    target = patchify(planes(codes, torch.float64), PATCH)[torch.from_numpy(shown["mask"]) == 1]
    target = target.unflatten(-1, (-1, 8))
    logits = torch.logit(target.mean((0, 1)), eps=1e-12).expand_as(target)
    assert found.loss == pytest.approx(float(bits_loss(logits, target)), rel=1e-6)
    wrong = float(((logits > 0).double() - target).abs().mean())
    assert found.constant == pytest.approx(wrong)


def test_of_rgb_no_loss_is_told_and_of_supervised_runs_nothing() -> None:
    (found,) = decoder.measure(record("MRGB/RRGB/CRGB"), arrays(code=False))
    assert found.loss is None
    assert found.ratio is not None
    assert decoder.measure(record("none/none/CRGB"), {}) == []
    assert decoder.constant_loss([found]) is None


def errors(*ratios: float) -> dict:
    return {
        ("vit", str(n)): [decoder.Errors("LDP", each, 1.0, 0.8, 6)] for n, each in enumerate(ratios)
    }


def test_the_sentence_says_whether_anything_was_learnt() -> None:
    assert decoder.sentence(errors(1.04, 1.01)) == (
        "The decoder has learnt no more than a constant in any of 2 rows: on removed patches its "
        "error is at least 1.01 times that of a constant."
    )
    assert decoder.sentence(errors(1.04)).startswith(
        "The decoder has learnt no more than a constant in its only row: "
    )
    assert decoder.sentence(errors(1.04, 0.5, 0.25)) == (
        "The decoder’s error on removed patches is below that of a constant in 2 of 3 rows: "
        "25.0 % to 50.0 % of it."
    )
    assert decoder.sentence(errors(1.04, 0.99)).endswith(
        "in 1 of 2 rows: 99.0 % of it. It has hardly learnt to fill in."
    )
    assert decoder.sentence({}) == ""


def test_the_training_figure_shows_the_loss_of_a_constant(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("celeba",), ("vit_mini",), drawn.CONFIGURATIONS[:2], (0,))
    task = results.read_task("celeba", files["celeba"])
    figure = curves.training(task)
    flat = {
        plot.title: [trace for trace in plot.traces if trace.name.endswith("a constant")]
        for plot in figure.plots
    }
    assert {title: len(traces) for title, traces in flat.items() if traces} == {
        "auxiliary loss, training": 1  # of codes; RGB's is not known
    }
    measured = decoder.rows(task)
    table = decoder.table(task, measured)
    assert [[cell.text for cell in row[:3]] for row in table.rows] == [
        ["vit_mini", "MRGB/RRGB/CRGB", "RGB"], ["vit_mini", "MRGB/RLDP/CRGB", "LDP"],
    ]  # fmt: skip
    assert "flat dotted line" in figure.caption
