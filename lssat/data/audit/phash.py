"""Perceptual hashes: 64 bits that a recompressed or resized copy of a picture shares."""

import itertools

import numpy as np

NONE = 65  # the distance of a hash that has no neighbour: more than 64 bits can differ

_BLOCK = 1 << 20  # candidates compared at a time: bounds the memory to some 50 MB


def phash(crop: np.ndarray) -> int:
    """Return the perceptual hash of a crop, from 0 to 2**64 - 1.

    The signs of the 8 x 8 lowest DCT coefficients of the 32 x 32 grey picture against their
    median, as `imagehash.phash` (Zauner 2010), row by row, the first bit the most significant.

    Args:
        crop: uint8 (H, W, 3), RGB.
    """
    import imagehash
    from PIL import Image

    bits = imagehash.phash(Image.fromarray(crop)).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def nearest(hashes: np.ndarray, among: np.ndarray, distance: int) -> tuple[np.ndarray, np.ndarray]:
    """Find each hash's nearest neighbour among others, if one is within a Hamming distance.

    Exact, by multi-index hashing (Norouzi, Punjani, Fleet 2012): of `distance` + 1 bands of
    bits, two hashes that differ in `distance` bits share one at least. So only hashes that
    share a band are compared.

    Args:
        hashes: uint64 (N,).
        among: uint64 (M,).
        distance: bits, 0 to 63, that may differ; the cost grows with it.

    Returns:
        int64 (N,) distances, `NONE` where no neighbour is near enough, and int64 (N,) places
        in `among`, the first of equally near ones (0 where there is none).
    """
    hashes, places_of = np.unique(
        hashes, return_inverse=True
    )  # of many black crops, one is compared
    among, first = np.unique(among, return_index=True)
    best = np.full(len(hashes), NONE << 32, np.int64)  # distance and place in one number
    edges = np.linspace(0, 64, distance + 2).astype(np.uint64)
    for low, high in itertools.pairwise(edges):
        mask = np.uint64(2 ** int(high - low) - 1)
        _compare(hashes, among, hashes >> low & mask, among >> low & mask, best, first)
    best = best[places_of]
    distances = best >> 32
    far = distances > distance
    return np.where(far, NONE, distances), np.where(far, 0, best & 0xFFFFFFFF)


def _compare(
    hashes: np.ndarray,
    among: np.ndarray,
    keys: np.ndarray,
    others: np.ndarray,
    best: np.ndarray,
    places: np.ndarray,
) -> None:
    """Compare all pairs whose keys are equal and keep the best of each hash in `best`."""
    order = np.argsort(others, kind="stable")
    left = np.searchsorted(others[order], keys, "left")
    count = np.searchsorted(others[order], keys, "right") - left
    end = np.cumsum(count)
    start = 0
    while start < len(keys):
        done = end[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(end, done + _BLOCK)))
        many = count[start:stop]
        first = np.cumsum(many) - many
        at = np.arange(many.sum()) + np.repeat(left[start:stop] - first, many)
        other = order[at]
        rows = np.repeat(np.arange(start, stop), many)
        apart = np.bitwise_count(hashes[rows] ^ among[other]).astype(np.int64)
        candidates = apart << 32 | places[other]
        some = np.flatnonzero(many)
        if len(some):
            least = np.minimum.reduceat(candidates, first[some])
            best[start + some] = np.minimum(best[start + some], least)
        start = stop
