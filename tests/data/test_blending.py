"""Blends of real faces: each formula against scikit-image, a second writing of it, or its rules."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import skimage.data
from helpers.blends import LANDMARKS, SIZE, reals, write
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import color, draw, filters, measure, transform

from lssat import grid
from lssat.data.blending import colour, hull, pairs
from lssat.data.blending.pairs import METHODS, nearest
from lssat.tables import DataError

PHOTO = skimage.data.astronaut()[30:158, 160:288]  # a face, (128, 128, 3)
FACE = hull.FIVE * 26 + (66, 58)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_blends_have_the_names_that_params_knows() -> None:
    assert set(METHODS) == set(grid.BLENDS)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_a_similarity_is_the_least_squares_of_scikit_image(seed: int) -> None:
    source, target = rng(seed).normal(size=(2, 5, 2)) * 20
    expected = transform.SimilarityTransform.from_estimate(source, target)
    found = hull.similarity(source, target)
    turned = np.linalg.det(found[:, :2])
    assert turned > 0
    if np.linalg.det(expected.params[:2, :2]) > 0:
        np.testing.assert_allclose(found, expected.params[:2], atol=1e-8)


def test_an_outline_is_convex_and_lies_as_the_landmarks_lie() -> None:
    for name, corners in hull.OUTLINES.items():
        steps = np.roll(corners, -1, 0) - corners
        (x, y), (after_x, after_y) = steps.T, np.roll(steps, -1, 0).T
        assert len(np.unique(np.sign(x * after_y - y * after_x))) == 1, name
    moved = hull.moved(FACE, np.array([[0.0, -2, 3], [2, 0, 5]]))
    for name in hull.OUTLINES:
        twice = hull.moved(hull.hull(FACE, name), np.array([[0.0, -2, 3], [2, 0, 5]]))
        np.testing.assert_allclose(hull.hull(moved, name), twice, atol=1e-9)


def test_a_face_s_outline_holds_its_landmarks_and_the_lower_part_no_eyes() -> None:
    inside = {name: measure.points_in_poly(FACE, hull.hull(FACE, name)) for name in hull.OUTLINES}
    assert inside["face"].all()
    assert inside["forehead"].all()
    assert inside["lower"].tolist() == [False, False, True, True, True]


@pytest.mark.parametrize("outline", hull.OUTLINES)
def test_a_mask_is_the_polygon_of_scikit_image(outline: str) -> None:
    corners = hull.hull(FACE, outline)
    expected = draw.polygon2mask((128, 128), corners[:, ::-1] - 0.5)
    found = hull.filled(corners, 128) > 0
    assert (found != expected).sum() <= len(measure.find_contours(expected)[0])  # the edge's pixels
    assert abs(found.sum() / expected.sum() - 1) < 0.04


def test_an_elastic_deformation_is_smooth_small_and_scales_with_the_crop() -> None:
    for size in (64, 128, 256):
        ramp = np.tile(np.linspace(0, 1, size, dtype=np.float32), (size, 1))
        inner = slice(size // 8, -size // 8)
        moves = size * (hull.elastic(ramp, rng()) - ramp)[inner, inner]
        # the spread of noise blurred by a Gaussian, by hand: uniform's, over 2 sqrt(pi) sigma
        expected = 50 / 3**0.5 / (2 * np.pi**0.5 * 7) * size / 256
        assert 0.5 * expected < moves.std() < 1.7 * expected, size
        assert np.abs(np.diff(moves)).max() < 1  # no place changes sides with another


def test_a_soft_mask_is_an_eroded_one_blurred_by_a_cut_kernel() -> None:
    mask = hull.filled(hull.hull(FACE, "face"), 128)
    for seed in range(5):
        found, lots, share = hull.soft(mask, rng(seed)), rng(seed), 128 / 224
        radii = [max(1, round(share * radius)) for radius in lots.integers(2, 13, 2).tolist()]
        sigma = share * lots.integers(5, 46)
        square = (2 * radii[0] + 1,) * 2
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(mask, radii[0]), square)
        options = {"truncate": radii[1] / sigma, "mode": "constant", "preserve_range": True}
        expected = filters.gaussian(windows.min((2, 3)), sigma, **options)
        np.testing.assert_allclose(found, expected / expected.max(), atol=1e-5)
        assert found.max() == 1
        assert not found[mask == 0].any() or radii[1] > radii[0]


def test_a_mask_that_is_too_small_to_be_eroded_is_kept_and_an_empty_one_stays_empty() -> None:
    small = np.zeros((64, 64), np.float32)
    assert not hull.soft(small, rng()).any()
    small[30:32, 30:32] = 1
    assert hull.soft(small, rng()).max() == 1


@given(st.floats(0, 1))
def test_a_boundary_is_one_where_both_are_half_and_nothing_where_one_is_whole(share: float) -> None:
    assert hull.boundary(np.float64(share)) == pytest.approx(1 - (2 * share - 1) ** 2)


def test_a_transfer_gives_the_mean_and_the_spread_of_the_target() -> None:
    target = colour.whole(0.6 * PHOTO[:, ::-1] + (50, 60, 40))
    mask = hull.filled(hull.hull(FACE, "face"), 128)
    found = colour.transferred(PHOTO, target, mask)
    inside = mask > 0.5
    of, like, now = (color.rgb2lab(img)[inside] for img in (PHOTO, target, found))
    for measure_of in (np.mean, np.std):
        np.testing.assert_allclose(measure_of(now, 0), measure_of(like, 0), atol=0.5)
        assert np.abs(measure_of(of, 0) - measure_of(like, 0)).max() > 3
    # written again, each channel by the line through two points
    spread = [[np.std(x) for x in part.T] for part in (of, like)]
    wanted = [(of[:, n] - of[:, n].mean()) / spread[0][n] for n in range(3)]
    wanted = [wanted[n] * spread[1][n] + like[:, n].mean() for n in range(3)]
    assert np.abs(now - np.transpose(wanted)).mean() < 0.5
    assert (colour.transferred(PHOTO, target, np.zeros_like(mask)) == PHOTO).all()


def test_a_source_without_any_spread_is_shifted_to_the_mean_of_the_target() -> None:
    flat, mask = np.full_like(PHOTO, 7), hull.filled(hull.hull(FACE, "face"), 128)
    found = colour.transferred(flat, PHOTO, mask)
    assert len(np.unique(found.reshape(-1, 3), axis=0)) == 1
    mean = color.rgb2lab(PHOTO)[mask > 0.5].mean(0)
    np.testing.assert_allclose(color.rgb2lab(found)[0, 0], mean, atol=0.8)


def test_a_shift_of_hue_saturation_and_value_is_that_of_the_other_library() -> None:
    for shift in ((0.1, 0, 0), (0, -0.3, 0), (0, 0, 0.2), (0.08, 0.2, -0.1)):
        space = color.rgb2hsv(PHOTO) + shift
        space[..., 0] %= 1
        expected = 255 * color.hsv2rgb(space.clip(0, 1))
        found = colour.turned(PHOTO, np.array(shift))
        assert np.abs(found - expected).mean() < 3, shift  # 8 bits of hue


def test_sharpening_and_shrinking_are_what_they_say() -> None:
    seen = set()
    for seed in range(12):
        lots, found = rng(seed), colour.resharpened(PHOTO, rng(seed))
        if lots.random() < 0.5:
            side = 128 // int(lots.choice((2, 4)))
            small = Image.fromarray(PHOTO).resize((side, side), Image.Resampling.NEAREST)
            expected = np.asarray(small.resize((128, 128), Image.Resampling.BILINEAR))
            seen.add(side)
        else:
            alpha, light = lots.uniform(0.2, 0.5), lots.uniform(0.5, 1)
            wide = np.pad(PHOTO.astype(float), ((1, 1), (1, 1), (0, 0)), mode="reflect")
            around = sum(wide[y : y + 128, x : x + 128] for y in range(3) for x in range(3)) - PHOTO
            sharp = (8 + light) * PHOTO.astype(float) - around
            expected = ((1 - alpha) * PHOTO + alpha * sharp).round().clip(0, 255)
            seen.add("sharp")
        assert np.abs(found.astype(int) - expected).max() <= 1
    assert seen == {64, 32, "sharp"}


def test_both_of_a_pair_are_changed_by_the_same_draws() -> None:
    kept = set()
    for seed in range(20):
        first, second = colour.alike(PHOTO, PHOTO.copy(), rng(seed))
        assert (first == second).all()
        kept.add(bool((first == PHOTO).all()))
    assert kept == {True, False}


def test_compression_is_jpeg() -> None:
    file = io.BytesIO()
    Image.fromarray(PHOTO).save(file, "JPEG", quality=40)
    assert (colour.compressed(PHOTO, 40) == np.asarray(Image.open(file))).all()


@given(st.integers(0, 10**6), st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_the_nearest_are_the_nearest_of_others(seed: int, count: int) -> None:
    landmarks = rng(seed).normal(size=(12, 5, 2))
    groups = rng(seed).choice(["a", "b", "c"], 12)
    found = nearest(landmarks, groups, landmarks[0], groups[0], count).tolist()
    others = [n for n in range(12) if groups[n] != groups[0]]
    flat = landmarks.reshape(12, 10)
    assert found == sorted(others, key=lambda n: float(np.linalg.norm(flat[n] - flat[0])))[:count]


def test_landmarks_are_pixels_of_the_crop(tmp_path: Path) -> None:
    write(tmp_path, {"train": 12})
    made = reals(tmp_path, "sbi")
    assert made.landmarks.shape == (len(made), 5, 2)
    np.testing.assert_allclose(made.landmarks[0], LANDMARKS, atol=1e-4)
    mirror = pairs.mirrored(LANDMARKS, SIZE)
    assert mirror[0, 0] == pytest.approx(SIZE - LANDMARKS[1, 0])
    np.testing.assert_allclose(pairs.mirrored(mirror, SIZE), LANDMARKS)


@pytest.mark.parametrize("kind", grid.BLENDS)
def test_a_pair_is_a_function_of_seed_epoch_and_sample(tmp_path: Path, kind: str) -> None:
    write(tmp_path, {"train": 12})
    one, two = reals(tmp_path, kind), reals(tmp_path, kind)
    first = one.pair(2, 5, 1, True)
    two.pair(4, 5, 1, True)  # what was made before does not matter
    assert all((a == b).all() for a, b in zip(first, two.pair(2, 5, 1, True), strict=True))
    for place, seed, epoch in ((3, 5, 1), (2, 6, 1), (2, 5, 2)):
        assert (first.fake != one.pair(place, seed, epoch, True).fake).any()


@pytest.mark.parametrize("kind", grid.BLENDS)
def test_a_fake_is_its_real_crop_outside_of_the_mask(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(colour, "alike", lambda first, second, _: (first, second))
    write(tmp_path, {"train": 12})
    made = reals(tmp_path, kind)
    ratios = set()
    for place in range(len(made)):
        pair = made.pair(place, 0, 0, False)
        assert pair.fake.dtype == pair.real.dtype == np.uint8
        assert (pair.fake[pair.mask == 0] == pair.real[pair.mask == 0]).all()
        assert 0 < pair.mask.max() <= 1
        assert (pair.fake != pair.real).any()
        ratios.add(round(float(pair.mask.max()), 2))
        whole = pair.mask / pair.mask.max()
        np.testing.assert_allclose(pair.boundary, 1 - (2 * whole - 1) ** 2, atol=1e-5)
    assert ratios <= ({0.25, 0.5, 0.75, 1.0} if kind == "sbi" else {1.0})


def test_blending_is_the_weighted_mean() -> None:
    share = np.linspace(0, 1, 128, dtype=np.float32)[None].repeat(128, 0)
    other = 255 - PHOTO
    found = pairs.blended(PHOTO, other, share)
    expected = [
        [share[y, x] * PHOTO[y, x] + (1 - share[y, x]) * other[y, x] for x in range(0, 128, 9)]
        for y in (3, 70)
    ]
    np.testing.assert_allclose(found[[3, 70]][:, ::9], expected, atol=0.51)


def test_a_warp_moves_places_as_the_matrix_says() -> None:
    matrix = hull.similarity(FACE, FACE[:, ::-1] * [-1, 1] + (120, 4))
    moved = pairs.warped(PHOTO, matrix)
    back = transform.AffineTransform(np.vstack([matrix, [0, 0, 1]]))
    half = transform.AffineTransform(translation=(0.5, 0.5))  # scikit-image counts pixel centres
    index = half + back + half.inverse
    expected = transform.warp(PHOTO, index.inverse, order=1, preserve_range=True)
    inside = transform.warp(np.ones((128, 128)), index.inverse, order=1) > 0.999
    assert inside.sum() > 3000
    assert np.abs(moved - expected)[inside].mean() < 1.5


def test_the_source_of_xray_is_laid_on_the_target_s_landmarks(tmp_path: Path) -> None:
    write(tmp_path, {"train": 12})
    made = reals(tmp_path, "xray")
    made.landmarks = made.landmarks + rng().normal(size=made.landmarks.shape)
    for place in range(len(made)):
        near = nearest(made.landmarks, made.groups, made.landmarks[place], made.groups[place])
        assert made.groups[place] not in made.groups[near]
        assert len(near) == len(made) - (made.groups == made.groups[place]).sum()


def test_a_real_face_without_landmarks_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path, {"train": 12}, undetected="000004")
    problem = r"'000004' of .*train.parquet has no landmarks.*faces: detect"
    with pytest.raises(DataError, match=problem):
        reals(tmp_path, "sbi")


def test_one_group_is_too_few_for_xray_and_no_real_face_for_both(tmp_path: Path) -> None:
    write(tmp_path, {"train": 12}, group="one")
    reals(tmp_path, "sbi")
    problem = "holds one group of real faces, 'one', and xray blends two"
    with pytest.raises(DataError, match=problem):
        reals(tmp_path, "xray")
    fakes = reals(tmp_path, "sbi").table
    place, kind = fakes.column_names.index("labels"), fakes.schema.field("labels").type
    fakes = fakes.set_column(place, "labels", pa.array([[1]] * len(fakes), kind))
    with pytest.raises(DataError, match="holds no real sample to make sbi of"):
        pairs.Reals(fakes, reals(tmp_path, "sbi").faces, "sbi", tmp_path / "train.parquet")
