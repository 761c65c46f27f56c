"""Nearest near-duplicates of 200,000 hashes among 200,000: ours beside all pairs with numpy.

Run: python benchmarks/lookalikes.py [hashes]
Both are timed on one core, interleaved, medians of CPU time; all pairs on a part, by the pair.
"faces": hashes whose bits are as unevenly spread as those of the built-in sample's videos.
"""

import statistics
import sys
import time

import numpy as np

from lssat.data.audit.phash import nearest

DISTANCE = 4
PART = 200  # of the hashes: what all pairs are tried with


def all_pairs(hashes: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The rival: every pair, row by row."""
    return np.array([np.bitwise_count(among ^ one).min() for one in hashes])


def seconds(function, *args) -> float:
    started = time.process_time()
    function(*args)
    return time.process_time() - started


def uneven(rng: np.random.Generator, count: int) -> np.ndarray:
    """Hashes with bits that are 1 with a probability from 0.1 to 0.9, and not with one half."""
    bits = rng.random((count, 64), np.float32) < np.linspace(0.1, 0.9, 64, dtype=np.float32)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    rng = np.random.default_rng(0)
    drawn = {
        "even": rng.integers(0, 2**64, (2, count), dtype=np.uint64),
        "faces": np.stack([uneven(rng, count), uneven(rng, count)]),
    }
    for name, (hashes, among) in drawn.items():
        distances = nearest(hashes[:PART], among, DISTANCE)[0]
        wanted = all_pairs(hashes[:PART], among)
        assert np.array_equal(distances <= DISTANCE, wanted <= DISTANCE)
        times: dict[str, list[float]] = {"ours": [], "all pairs": []}
        for _ in range(5):
            times["ours"].append(seconds(nearest, hashes, among, DISTANCE))
            rival = seconds(all_pairs, hashes[:PART], among)
            times["all pairs"].append(rival * count / PART)
        ours, rival = (statistics.median(each) for each in times.values())
        print(
            f"{name}: {count:,} among {count:,}: {ours:.2f} s, "
            f"all pairs {rival:.1f} s (from {PART}), ratio {rival / ours:.0f}"
        )


if __name__ == "__main__":
    main()
