"""LDP from its specification in plain Python, and images on which implementations could differ."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data

PATCH = np.array([[85, 32, 26], [53, 50, 10], [60, 38, 45]], np.uint8)
# The Kirsch masks, written out from the specification, E first, counter-clockwise.
MASKS = [
    [[-3, -3, 5], [-3, 0, 5], [-3, -3, 5]],
    [[-3, 5, 5], [-3, 0, 5], [-3, -3, -3]],
    [[5, 5, 5], [-3, 0, -3], [-3, -3, -3]],
    [[5, 5, -3], [5, 0, -3], [-3, -3, -3]],
    [[5, -3, -3], [5, 0, -3], [5, -3, -3]],
    [[-3, -3, -3], [5, 0, -3], [5, 5, -3]],
    [[-3, -3, -3], [-3, 0, -3], [5, 5, 5]],
    [[-3, -3, -3], [-3, 0, 5], [-3, 5, 5]],
]


def grey(plane: np.ndarray) -> np.ndarray:
    """An RGB image whose luma is the plane."""
    return np.repeat(plane[..., None], 3, axis=-1)


def plain(img: np.ndarray, k: int) -> np.ndarray:
    """LDP codes pixel by pixel: correlate, sort by size with a stable sort, set k bits."""
    height, width, _ = img.shape
    rgb = img.tolist()
    light = [
        [(19595 * r + 38470 * g + 7471 * b + 32768) // 65536 for r, g, b in row] for row in rgb
    ]
    out = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            found = [
                sum(
                    mask[i][j]
                    * light[min(max(y + i - 1, 0), height - 1)][min(max(x + j - 1, 0), width - 1)]
                    for i in range(3)
                    for j in range(3)
                )
                for mask in MASKS
            ]
            order = sorted(range(8), key=lambda i: -abs(found[i]))
            out[y, x] = sum(2**i for i in order[:k])
    return out


def any_image() -> st.SearchStrategy[np.ndarray]:
    """Small images of any colours, or of few colours, which tie often."""
    shape = st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))
    few = st.sampled_from([0, 1, 2, 127, 255])
    return arrays(np.uint8, shape) | arrays(np.uint8, shape, elements=few)


def natural() -> list[np.ndarray]:
    faces = (data.lfw_subset()[:3] * 255).astype(np.uint8)
    return [data.astronaut()[40:140, 150:260], *grey(faces)]


def drawn() -> list[np.ndarray]:
    """Noise, ties, black and white, flat, a slope, one row, one pixel."""
    rng = np.random.default_rng(0)
    ties = rng.integers(0, 3, (40, 33, 3), dtype=np.uint8)
    slope = np.add.outer(np.arange(70), np.arange(50)).astype(np.uint8)
    return [
        rng.integers(0, 256, (31, 45, 3), dtype=np.uint8),
        ties,
        255 * (ties > 1).astype(np.uint8),
        np.full((9, 7, 3), 200, np.uint8),
        grey(slope),
        rng.integers(0, 256, (1, 5, 3), dtype=np.uint8),
        rng.integers(0, 256, (1, 1, 3), dtype=np.uint8),
    ]
