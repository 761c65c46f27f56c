"""LDP by its specification: an oracle, invariants, and three implementations that agree."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from helpers.drawn_textures import MASKS, PATCH, any_image, drawn, grey, natural, plain
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.ndimage import correlate
from skimage import data

from lssat import texture
from lssat.texture import codes, luma
from lssat.texture.kinds.ldp import compiled


def ldp(imgs: np.ndarray, k: int = 3) -> np.ndarray:
    return codes(imgs, "ldp", k, bulk=True)


def ldp_numpy(imgs: np.ndarray, k: int = 3) -> np.ndarray:
    return codes(imgs, "ldp", k)


def lbp(imgs: np.ndarray) -> np.ndarray:
    return codes(imgs, "lbp")


def responses(plane: np.ndarray) -> np.ndarray:
    masks = [np.array(mask) for mask in MASKS]
    return np.stack([correlate(plane.astype(int), mask, mode="nearest") for mask in masks])


def sorted_codes(img: np.ndarray, k: int) -> np.ndarray:
    """Correlate, sort with a stable tie rule, set bits: nothing shared with the package."""
    plane = np.asarray(Image.fromarray(img).convert("L"))
    order = np.argsort(-np.abs(responses(plane)), axis=0, kind="stable")
    return (2 ** order[:k]).sum(axis=0).astype(np.uint8)


@pytest.mark.parametrize("compute", [ldp, ldp_numpy])
def test_oracle_patch(compute) -> None:
    assert responses(PATCH)[:, 1, 1].tolist() == [-399, -503, 97, 313, 537, 161, 97, -303]
    assert compute(grey(PATCH))[1, 1] == 19


@pytest.mark.parametrize("k", range(1, 9))
def test_all_implementations_agree_on_every_pixel(k: int) -> None:
    for img in natural() + drawn():
        wanted = sorted_codes(img, k)
        assert np.array_equal(ldp(img, k), wanted)
        assert np.array_equal(ldp_numpy(img, k), wanted)


@settings(max_examples=60, deadline=None)
@given(img=any_image(), k=st.integers(1, 8))
def test_any_image_gives_the_codes_of_the_specification(img: np.ndarray, k: int) -> None:
    wanted = plain(img, k)
    assert np.array_equal(ldp(img, k), wanted)
    assert np.array_equal(ldp_numpy(img, k), wanted)


def test_exactly_three_bits_make_56_codes() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    found = np.unique(ldp(noise))
    assert len(found) == 56
    assert found.min() == 7
    assert found.max() == 224
    assert set(np.bitwise_count(found)) == {3}
    assert (ldp(np.zeros((4, 4, 3), np.uint8)) == 7).all()  # all tie: E, NE, N


PLANES = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@settings(max_examples=60, deadline=None)
@given(plane=PLANES)
def test_the_eight_responses_sum_to_nothing(plane: np.ndarray) -> None:
    assert not responses(plane).sum(axis=0).any()


@pytest.mark.parametrize("compute", [ldp, ldp_numpy])
@settings(max_examples=60, deadline=None)
@given(plane=PLANES, more=st.integers(0, 105), times=st.integers(1, 5), k=st.integers(1, 8))
def test_adding_and_scaling_light_changes_nothing(
    compute, plane: np.ndarray, more: int, times: int, k: int
) -> None:
    dark = plane // 6  # at most 42: nothing below is cut off at 255
    wanted = compute(grey(dark), k)
    assert np.array_equal(compute(grey(dark * times), k), wanted)
    assert np.array_equal(compute(grey(dark + more), k), wanted)


@settings(max_examples=60, deadline=None)
@given(plane=PLANES, k=st.integers(1, 8))
def test_a_flip_swaps_east_and_west_where_nothing_ties(plane: np.ndarray, k: int) -> None:
    sizes = -np.sort(-np.abs(responses(plane)), axis=0)
    clear = sizes[k - 1] != sizes[k] if k < 8 else np.ones(plane.shape, bool)
    bits = np.unpackbits(ldp(grey(plane), k)[None], axis=0, bitorder="little")
    mirror = np.packbits(bits[[4, 3, 2, 1, 0, 7, 6, 5]], axis=0, bitorder="little")[0]
    flipped = ldp(grey(plane[:, ::-1]), k)[:, ::-1]
    assert np.array_equal(flipped[clear], mirror[clear])


def test_a_third_of_the_pixels_of_a_photograph_tie() -> None:
    sizes = np.sort(
        np.abs(responses(np.asarray(Image.fromarray(data.astronaut()).convert("L")))), 0
    )
    assert 0.15 < (sizes[5] == sizes[4]).mean() < 0.5


def test_luma_is_pillows_for_every_colour() -> None:
    levels = np.arange(256, dtype=np.uint8)
    for red in range(0, 256, 5):
        img = np.stack(np.broadcast_arrays(np.uint8(red), levels[:, None], levels), axis=-1)
        wanted = np.asarray(Image.fromarray(img).convert("L"))
        assert np.array_equal(luma(img), wanted)
        row = np.empty(256 * 256 + 2, np.int16)
        compiled._lights(img.reshape(-1), row)
        assert np.array_equal(row[1:-1], wanted.reshape(-1))


def test_luma_is_pillows() -> None:
    img = np.random.default_rng(4).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    assert np.array_equal(luma(img), np.asarray(Image.fromarray(img).convert("L")))


@pytest.mark.parametrize("kind", texture.KINDS)
def test_a_batch_equals_its_images(kind: str) -> None:
    imgs = np.stack(list(data.astronaut()[:64].reshape(8, 8, 512, 3)))
    found = codes(imgs, kind)
    assert found.shape == (8, 8, 512)
    assert found.dtype == np.uint8
    assert all(
        np.array_equal(codes(img, kind), code) for img, code in zip(imgs, found, strict=True)
    )
    assert np.array_equal(codes(imgs[:, ::-1, ::-1], kind)[3], codes(imgs[3, ::-1, ::-1], kind))
    assert codes(imgs[:0], kind).shape == (0, 8, 512)


def test_lbp_compares_with_the_circle_of_radius_one() -> None:
    """P = 8, R = 1: E, then counter-clockwise; diagonals are interpolated at sin 45 degrees."""
    plane = data.camera()[100:140, 200:250]
    wide = np.pad(plane, 1, mode="edge").astype(float)
    found, s = lbp(grey(plane)), np.sqrt(0.5)
    for bit, (dy, dx) in enumerate(texture.NEIGHBOURS):
        straight = wide[1 + dy : 41 + dy, 1 + dx : 51 + dx]
        if dy and dx:
            up = wide[1 + dy : 41 + dy, 1:51]
            side = wide[1:41, 1 + dx : 51 + dx]
            here = wide[1:41, 1:51]
            value = s * s * straight + s * (1 - s) * (up + side) + (1 - s) ** 2 * here
        else:
            value = straight
        sure = (np.abs(value - plane) > 0.01) | (not (dy and dx))
        wanted = value >= plane
        assert np.array_equal((found >> bit & 1).astype(bool)[sure], wanted[sure])
        assert sure.mean() > 0.5


def test_wrong_arguments_are_refused() -> None:
    img = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="unknown texture 'hog': known are lbp, ldp"):
        codes(img, "hog")
    for compute in (ldp, ldp_numpy):
        with pytest.raises(ValueError, match="k must lie in 1 to 8, found 9"):
            compute(img, 9)
        with pytest.raises(ValueError, match=r"uint8 .*, found float32 \(4, 4, 3\)"):
            compute(img.astype(np.float32), 3)


@pytest.mark.slow
def test_works_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    compile_ = numba.njit

    def refuse(*args, **options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return compile_(*args, **options)

    monkeypatch.setattr(numba, "njit", refuse)
    spec = importlib.util.spec_from_file_location("compiled_anew", compiled.__file__)
    anew = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(anew)
    assert anew.ldp(grey(PATCH), 3)[1, 1] == 19


def test_import_is_light() -> None:
    code = "import sys, lssat.texture; print({'numba', 'skimage', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
