"""Perceptual hashes and their neighbours, against imagehash itself and against all pairs."""

import io

import imagehash
import numpy as np
import pytest
from helpers import ROOT, trees
from PIL import Image

from lssat import params
from lssat.data.audit.phash import NONE, nearest, phash

NEAR = params.load(ROOT / "presets/sample.yaml").audit.near_distance


def test_a_hash_is_imagehashs() -> None:
    crop = trees.face(3)
    assert f"{phash(crop):016x}" == str(imagehash.phash(Image.fromarray(crop)))


def all_pairs(hashes: np.ndarray, among: np.ndarray, distance: int) -> list[tuple[int, int]]:
    """The same by brute force."""
    found = [[(int(a) ^ int(b)).bit_count() for b in among] for a in hashes]
    near = [(min(row), row.index(min(row))) for row in found]
    return [pair if pair[0] <= distance else (NONE, 0) for pair in near]


@pytest.mark.parametrize("distance", [0, 1, 4, 8, 63])
def test_neighbours_are_those_of_all_pairs(distance: int) -> None:
    rng = np.random.default_rng(distance)
    among = rng.integers(0, 2**64, 60, dtype=np.uint64)
    flips = [sum(1 << int(bit) for bit in rng.choice(64, k % 14, False)) for k in range(80)]
    hashes = np.array([int(among[k % 60]) ^ flip for k, flip in enumerate(flips)], np.uint64)
    distances, places = nearest(hashes, among, distance)
    wanted = all_pairs(hashes, among, distance)
    assert list(zip(distances.tolist(), places.tolist(), strict=True)) == wanted


def test_neighbours_do_not_depend_on_how_many_are_compared_at_a_time(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    hashes, among = (rng.integers(0, 2**10, n, dtype=np.uint64) for n in (300, 200))
    whole = nearest(hashes, among, 2)
    monkeypatch.setattr("lssat.data.audit.phash._BLOCK", 7)
    for parts, all_ in zip(nearest(hashes, among, 2), whole, strict=True):
        assert np.array_equal(parts, all_)


def test_no_hashes_and_nothing_to_compare_with() -> None:
    none, some = np.array([], np.uint64), np.array([5], np.uint64)
    assert [len(part) for part in nearest(none, some, 4)] == [0, 0]
    assert [part.tolist() for part in nearest(some, none, 4)] == [[NONE], [0]]


def test_the_sample_presets_distance_parts_copies_from_other_people() -> None:
    """A copy at JPEG quality 60 and two thirds of the size is near, another person is not."""
    faces = [trees.face(number, 120) for number in range(100)]
    hashes = np.array([phash(face) for face in faces], np.uint64)
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None])[np.triu_indices(100, 1)]
    assert apart.min() > NEAR
    copies = []
    for face in faces:
        file = io.BytesIO()
        small = Image.fromarray(face).resize((80, 80), Image.Resampling.BICUBIC)
        small.save(file, "JPEG", quality=60)
        copies.append(phash(np.asarray(Image.open(file))))
    found = np.bitwise_count(hashes ^ np.array(copies, np.uint64))
    assert found.max() <= NEAR
