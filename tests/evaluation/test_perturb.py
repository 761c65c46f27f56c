"""Perturbations: each formula against another one, exact repetition, distance that grows."""

import io
import itertools
import re

import numpy as np
import pytest
import skimage.color
import skimage.data
import torch
from helpers import ROOT
from PIL import Image
from scipy import ndimage

from lssat.evaluation.perturb import PERTURBATIONS, STRENGTHS, keys_of, perturb

PHOTO = skimage.data.astronaut()
CROPS = np.stack([PHOTO[y : y + 80, x : x + 80] for y, x in ((0, 180), (60, 200), (300, 100))])
RANDOM = ("block_wise", "noise")


def level(name: str, strength: int) -> float:
    return PERTURBATIONS[name].levels[strength - 1]


def near(a: np.ndarray, b: np.ndarray, most: float = 1) -> bool:
    return bool(np.abs(a.astype(float) - b.astype(float)).max() <= most)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_strength_0_changes_nothing_and_no_strength_changes_the_input(name: str) -> None:
    before = CROPS.copy()
    same = perturb(CROPS, name, 0)
    assert np.array_equal(same, CROPS)
    assert not np.shares_memory(same, CROPS)
    for strength in STRENGTHS:
        made = perturb(CROPS, name, strength)
        assert (made.shape, made.dtype) == (CROPS.shape, np.uint8)
        assert np.array_equal(CROPS, before)


@pytest.mark.slow
@pytest.mark.parametrize("size", [80, 224])
@pytest.mark.parametrize("name", PERTURBATIONS)
def test_each_strength_is_further_away_than_the_one_before(name: str, size: int) -> None:
    crops = np.stack([PHOTO[y : y + size, 150 : 150 + size] for y in range(0, 200, 50)])
    errors = [
        np.mean((perturb(crops, name, strength).astype(float) - crops) ** 2)
        for strength in (0, *STRENGTHS)
    ]
    assert errors[0] == 0
    assert all(a < b for a, b in itertools.pairwise(errors)), errors


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_a_crop_gets_the_same_whatever_stands_beside_it(name: str) -> None:
    keys = keys_of(["a", "b", "c"], [0, 7, 0])
    together = perturb(CROPS, name, 4, 3, keys)
    alone = [perturb(CROPS[n : n + 1], name, 4, 3, keys[n : n + 1])[0] for n in (2, 0, 1)]
    assert np.array_equal(together[[2, 0, 1]], np.stack(alone))


@pytest.mark.parametrize("name", RANDOM)
def test_what_is_random_follows_from_seed_strength_and_key(name: str) -> None:
    grey = np.full((1, 80, 80, 3), 100, np.uint8)
    key = keys_of(["a"], [0])
    first = perturb(grey, name, 3, 0, key)
    assert np.array_equal(first, perturb(grey, name, 3, 0, key))
    others = [
        perturb(grey, name, 3, 1, key),
        perturb(grey, name, 3, 0, keys_of(["a"], [1])),
        perturb(grey, name, 3, 0, keys_of(["b"], [0])),
        perturb(grey, name, 2, 0, key),
    ]
    assert not any(np.array_equal(first, other) for other in others)
    clip = perturb(np.repeat(grey[None], 2, axis=1).repeat(2, axis=2)[:, :2], name, 3, 0, key)
    assert not np.array_equal(clip[0, 0], clip[0, 1])  # each frame has its own
    assert np.array_equal(perturb(grey[:, None], name, 3, 0, key)[:, 0], first)


def test_levels_are_those_that_the_page_says() -> None:
    """They are published numbers, by which results are compared with others'."""
    page = (ROOT / "docs/robustness.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([\d., ]+) \|", page, re.MULTILINE)
    said = {name: tuple(float(each) for each in levels.split(", ")) for name, levels in rows}
    assert said == {name: made.levels for name, made in PERTURBATIONS.items()}


def test_saturation_scales_the_colour_differences_of_ycbcr() -> None:
    """Through BT.601's Y, Cb and Cr, written out with its constants, and back."""
    for strength in STRENGTHS:
        r, g, b = np.moveaxis(CROPS.astype(float), -1, 0)
        y = 0.299 * r + 0.587 * g + 0.114 * b
        cb, cr = 0.564334 * (b - y), 0.713267 * (r - y)
        cb, cr = cb * level("saturation", strength), cr * level("saturation", strength)
        red, blue = y + 1.402 * cr, y + 1.772 * cb
        green = (y - 0.299 * red - 0.114 * blue) / 0.587
        assert near(perturb(CROPS, "saturation", strength), np.stack([red, green, blue], -1))
    grey = perturb(CROPS, "saturation", 5)
    assert near(grey[..., 0], grey[..., 1], 0)
    assert near(grey[0, ..., 0], np.asarray(Image.fromarray(CROPS[0]).convert("L")))


def test_contrast_multiplies() -> None:
    for strength in STRENGTHS:
        table = [round(value * level("contrast", strength)) for value in range(256)]
        assert near(perturb(CROPS, "contrast", strength), np.array(table)[CROPS], 1)
    assert perturb(np.full((1, 16, 16, 3), 200, np.uint8), "contrast", 5)[0, 0, 0, 0] == 70
    assert not perturb(np.zeros((1, 16, 16, 3), np.uint8), "contrast", 5).any()


@pytest.mark.parametrize(("size", "share"), [(256, 1.0), (224, 0.766), (80, 0.0977)])
def test_blocks_are_grey_of_8_pixels_and_as_many_as_the_level_says(size: int, share: float) -> None:
    black = np.zeros((40, size, size, 3), np.uint8)
    for strength in STRENGTHS:
        made = perturb(black, "block_wise", strength)
        wanted = max(1, round(level("block_wise", strength) * share))
        covered = (made[..., 0] == 128).sum(axis=(1, 2))
        assert set(np.unique(made)) == {0, 128}
        assert covered.max() <= 64 * wanted
        # Where none overlap, the area is that of all blocks; overlaps make the mean smaller.
        free = 1 - (1 - 64 / (size - 7) ** 2) ** wanted
        assert np.mean(covered) == pytest.approx(free * (size - 7) ** 2, rel=0.12)
        if strength == 5:  # every place can be a block's: some reach each of the four edges
            grey = (made[..., 0] == 128).any(axis=0)
            assert grey[[0, -1]].any(axis=1).all()
            assert grey[:, [0, -1]].any(axis=0).all()
        if strength == 1:
            assert covered.max() == 64 * wanted
            whole = made[covered.argmax(), ..., 0] == 128
            assert ndimage.binary_opening(whole, np.ones((8, 8)))[whole].all()


@pytest.mark.parametrize("strength", STRENGTHS)
def test_noise_has_the_stated_variance_in_y_cb_and_cr(strength: int) -> None:
    """Measured in YCbCr by scikit-image, whose three components span 255 steps."""
    grey = np.full((6, 96, 96, 3), 127, np.uint8)
    made = perturb(grey, "noise", strength)
    seen = skimage.color.rgb2ycbcr(made / 255) / 255
    found = seen.reshape(-1, 3).astype(float)
    clipped = ((made == 0) | (made == 255)).mean()
    wanted = level("noise", strength)
    if clipped < 0.005:
        assert found.var(axis=0) == pytest.approx([wanted] * 3, rel=0.05)
        assert np.abs(np.corrcoef(found.T) - np.eye(3)).max() < 0.02
    else:  # the strongest leave the range of 8 bits
        assert strength >= 4
        assert (found.var(axis=0) < wanted).all()
        assert (found.var(axis=0) > 0.5 * wanted).all()
    unchanged = skimage.color.rgb2ycbcr(grey[0, 0, 0] / 255) / 255
    assert found.mean(axis=0) == pytest.approx(unchanged, abs=0.01)
    one = (made[0, ..., 1].astype(float) - 127).ravel()
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.03  # white: neighbours do not agree


def test_blur_is_a_gaussian_window_of_the_stated_size() -> None:
    """Written out as a sum over the window of a padded image."""
    for strength in (1, 3, 5):
        window = int(level("blur", strength))
        half = window // 2
        at = np.arange(-half, half + 1)
        kernel = np.exp(-(at[:, None] ** 2 + at**2) / (2 * (window / 6) ** 2))
        kernel /= kernel.sum()
        padded = np.pad(CROPS[0].astype(float), ((half, half), (half, half), (0, 0)), "reflect")
        total = np.zeros(CROPS[0].shape)
        for i in range(window):
            for j in range(window):
                total += kernel[i, j] * padded[i : i + 80, j : j + 80]
        assert near(perturb(CROPS[:1], "blur", strength)[0], total, 0.51)


def test_pixelation_is_torchs_bilinear_there_and_back() -> None:
    x = torch.from_numpy(CROPS).permute(0, 3, 1, 2).double()
    for strength in STRENGTHS:
        side = 80 // int(level("pixelation", strength))
        how = {"mode": "bilinear", "align_corners": False, "antialias": False}
        small = torch.nn.functional.interpolate(x, size=(side, side), **how).round()
        large = torch.nn.functional.interpolate(small, size=(80, 80), **how)
        made, wanted = perturb(CROPS, "pixelation", strength), large.permute(0, 2, 3, 1).numpy()
        assert near(made, wanted, 2)
        # Halves that a last bit sends up or down, where the sides have no whole ratio.
        assert (np.abs(made - wanted) > 0.51).mean() < 0.005


def test_jpeg_has_the_quantisation_of_the_stated_quality() -> None:
    """Compressing again at that quality changes little, at a better one the marks stay."""
    for strength in STRENGTHS:
        quality = level("jpeg", strength)
        buffer = io.BytesIO()
        Image.fromarray(CROPS[0]).save(buffer, "JPEG", quality=int(quality), subsampling=2)
        assert np.array_equal(
            perturb(CROPS[:1], "jpeg", strength)[0], np.asarray(Image.open(buffer))
        )
    luma = Image.open(buffer).quantization[0]
    # The IJG formula: base table times 5000 / quality percent below 50; base[0] is 16.
    assert luma[0] == min(255, round(16 * 5000 / quality / 100))


def test_other_strengths_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="strength 6: 0 "):
        perturb(CROPS, "blur", 6)
    with pytest.raises(ValueError, match="uint8"):
        perturb(CROPS / 255, "blur", 1)
    with pytest.raises(ValueError, match=r"found uint8 \(80, 80, 3\)"):
        perturb(CROPS[0], "blur", 1)
