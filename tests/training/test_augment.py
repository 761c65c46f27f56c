"""Augmentation against torchvision's and timm's own operations, one image at a time."""

import numpy as np
import pytest
import torch
from helpers.drawn_data import crops
from PIL import Image
from timm.data import auto_augment
from torchvision.transforms.v2 import functional

from lssat.training.augment import DRAWS, OPERATIONS, Policy, augment, operate

FULL = Policy(crop=0.5, rand=9.0, erase=0.5)
LEVEL, SIGN = np.array([0.9, 0.35, 0.6, 0.85]), np.array([1.0, -1.0, -1.0, 1.0])
ENHANCED = {
    "color": functional.adjust_saturation, "contrast": functional.adjust_contrast,
    "brightness": functional.adjust_brightness, "sharpness": functional.adjust_sharpness,
}  # fmt: skip


@pytest.fixture(scope="module")
def imgs() -> torch.Tensor:
    return torch.from_numpy(crops(4)).permute(0, 3, 1, 2).contiguous()


def pillow(img: torch.Tensor) -> Image.Image:
    return Image.fromarray(img.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("name", OPERATIONS[:10])
def test_values_change_as_in_timm_and_torchvision(name: str, imgs: torch.Tensor) -> None:
    found = operate(name, imgs, LEVEL, SIGN)
    for img, out, level, sign in zip(imgs, found, LEVEL, SIGN, strict=True):
        if name in ENHANCED:
            wanted = ENHANCED[name](img, max(0.1, 1 + 0.9 * level * sign))
            assert (out.short() - wanted.short()).abs().max() <= 2
            continue
        timm = {
            "autocontrast": "AutoContrast", "equalize": "Equalize", "invert": "Invert",
            "posterize": "PosterizeIncreasing", "solarize": "SolarizeIncreasing",
            "solarize_add": "SolarizeAdd",
        }[name]  # fmt: skip
        to_args = auto_augment.LEVEL_TO_ARG[timm]
        args = to_args(10 * level, {}) if to_args else ()
        wanted = np.asarray(auto_augment.NAME_TO_OP[timm](pillow(img), *args))
        assert np.abs(out.permute(1, 2, 0).numpy().astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("name", OPERATIONS[10:])
def test_pixels_move_as_in_timm(name: str, imgs: torch.Tensor) -> None:
    """Pillow is the oracle: same direction, same amount; the frame's edge may blend otherwise."""
    found = operate(name, imgs, LEVEL, SIGN)
    of_timm = {
        "rotate": (auto_augment.rotate, 30), "shear_x": (auto_augment.shear_x, 0.3),
        "shear_y": (auto_augment.shear_y, 0.3), "translate_x": (auto_augment.translate_x_rel, 0.45),
        "translate_y": (auto_augment.translate_y_rel, 0.45),
    }[name]  # fmt: skip
    for img, out, level, sign in zip(imgs, found, LEVEL, SIGN, strict=True):
        change = dict(resample=Image.Resampling.BILINEAR, fillcolor=(124, 116, 104))
        wanted = of_timm[0](pillow(img), of_timm[1] * level * sign, **change)
        difference = np.abs(out.permute(1, 2, 0).numpy().astype(int) - np.asarray(wanted))
        assert np.median(difference) <= 1
        assert (difference > 3).mean() < 0.12


def test_an_image_is_augmented_by_its_own_numbers_whatever_its_batch(imgs: torch.Tensor) -> None:
    draws = np.random.default_rng(0).random((4, DRAWS))
    whole = augment(imgs, draws, FULL)
    assert whole.dtype == torch.uint8
    for place in range(4):
        alone = augment(imgs[place : place + 1], draws[place : place + 1], FULL)
        assert torch.equal(alone[0], whole[place])
    assert torch.equal(imgs, torch.from_numpy(crops(4)).permute(0, 3, 1, 2))  # not in place


def test_nothing_asked_for_changes_nothing(imgs: torch.Tensor) -> None:
    assert not Policy().active
    draws = np.random.default_rng(0).random((4, DRAWS))
    assert torch.equal(augment(imgs, draws, Policy()), imgs)


def test_erasing_fills_one_rectangle_as_often_and_as_large_as_asked() -> None:
    white = torch.full((400, 3, 40, 40), 255, dtype=torch.uint8)
    draws = np.random.default_rng(0).random((400, DRAWS))
    gone = (augment(white, draws, Policy(erase=0.25)) != 255).all(1)
    share = gone.flatten(1).float().mean(1)
    hit = share > 0
    assert 0.18 < hit.float().mean() < 0.32
    assert share[hit].min() > 0.01
    assert share[hit].max() < 0.36
    for each in gone[hit][:20]:  # a rectangle is the product of its rows and columns
        assert torch.equal(each, each.any(1)[:, None] & each.any(0)[None])


def test_half_of_the_operations_are_applied_and_all_of_them_occur() -> None:
    imgs = torch.from_numpy(crops(300)).permute(0, 3, 1, 2)
    draws = np.random.default_rng(1).random((300, DRAWS))
    changed = (augment(imgs, draws, Policy(rand=9.0)) != imgs).flatten(1).any(1)
    assert 0.6 < changed.float().mean() < 0.85  # two layers: 3/4
    assert set((draws[:, 4] * len(OPERATIONS)).astype(int)) == set(range(len(OPERATIONS)))


def test_a_crop_shows_a_part_of_the_image_at_its_full_size(imgs: torch.Tensor) -> None:
    draws = np.random.default_rng(2).random((4, DRAWS))
    small = augment(imgs, draws, Policy(crop=0.3))
    assert small.shape == imgs.shape
    assert (small != imgs).flatten(1).any(1).all()
    flat = torch.full_like(imgs, 7)
    assert torch.equal(augment(flat, draws, Policy(crop=0.3)), flat)  # nothing from outside
