"""Masks of faces: a mean face's outline fitted to five landmarks, deformed, softened.

The outline is ours. The papers take the convex hull of 68 or 81 landmarks (2204.08376,
1912.13458); the pipeline stores MTCNN's five, so a mean face's hull is laid over them. Places are
in pixels of the crop, x before y, from its upper left corner: pixel i covers i to i + 1.
"""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

# Right eye, left eye, nose, right and left corner of the mouth (the viewer's left first), in
# distances between the eyes from the middle between them: the places that 112 x 112 crops for
# face recognition are aligned to (InsightFace's arcface template).
_EYES = (56.0, 51.6, 35.24)
FIVE = (
    np.array([[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [41.55, 92.37], [70.73, 92.20]])
    - _EYES[:2]
) / _EYES[2]

# The right half of each outline in the same units, from its top to its bottom; the other half is
# its mirror image. Drawn by hand after the proportions of a face.
_JAW = [(1.02, -0.1), (1.0, 0.3), (0.94, 0.7), (0.82, 1.08), (0.64, 1.42), (0.38, 1.7), (0, 1.82)]
_HALVES = {
    "face": [(0.25, -0.57), (0.62, -0.54), (0.92, -0.38), *_JAW],  # brows to chin: 68 landmarks
    "forehead": [(0, -1.2), (0.4, -1.14), (0.75, -0.9), (0.96, -0.5), *_JAW],  # 81 landmarks
    "lower": [(0.3, 0.3), (0.94, 0.55), *_JAW[2:]],  # nose to chin
}
OUTLINES = {
    name: np.array([*half, *[(-x, y) for x, y in reversed(half) if x]])
    for name, half in _HALVES.items()
}


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fit rotation, scale and shift by least squares, without a reflection.

    As complex numbers target = a source + b, whose least squares are those of Umeyama (1991).

    Args:
        source, target: (K, 2) places that belong together.

    Returns:
        (2, 3): target is about matrix @ (x, y, 1) of source.
    """
    z, w = source @ [1, 1j], target @ [1, 1j]
    centred = z - z.mean()
    a = (centred.conj() @ (w - w.mean())) / (centred.conj() @ centred).real
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def moved(places: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Move places (K, 2) by a matrix (2, 3)."""
    return places @ matrix[:, :2].T + matrix[:, 2]


def hull(landmarks: np.ndarray, outline: str) -> np.ndarray:
    """Return the corners (K, 2) of a convex outline, fitted to five landmarks (5, 2).

    Args:
        outline: a name of `OUTLINES`.
    """
    return moved(OUTLINES[outline], similarity(FIVE, landmarks))


def filled(corners: np.ndarray, size: int) -> np.ndarray:
    """Return float32 (size, size): 1 in a polygon, 0 outside of it."""
    sheet = Image.new("L", (size, size))
    ImageDraw.Draw(sheet).polygon([tuple(corner) for corner in corners - 0.5], fill=1)
    return np.asarray(sheet, np.float32)


def elastic(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deform a mask by a smooth random field (Simard et al. 2003).

    SBI's code has alpha 50 and sigma 7 for crops of about 256 pixels: both shrink with the crop,
    alpha twice, so that the places move by the same share of its side.

    Args:
        mask: float32 (H, H) in [0, 1].
    """
    share = len(mask) / 256
    noise = rng.uniform(-1, 1, (2, *mask.shape)).astype(np.float32)
    fields = [50 * share**2 * ndimage.gaussian_filter(axis, 7 * share) for axis in noise]
    places = np.indices(mask.shape, np.float32) + np.stack(fields)
    return ndimage.map_coordinates(mask, places, order=1, mode="constant").clip(0, 1)


def soft(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shrink a mask and blur its edge, by two kernels of random width, as SBI's code does.

    Its kernels are 5 to 25 pixels wide on masks of about 224 pixels, the second one's sigma 5 to
    45; they scale with the crop. What the first kernel's blur leaves at 1 is what an erosion by
    the kernel leaves, which is how it is written here.

    Args:
        mask: float32 (H, H) in [0, 1].

    Returns:
        float32 (H, H), at most 1, and 1 somewhere unless the mask is empty.
    """
    share = len(mask) / 224
    first, second = np.maximum(1, np.rint(share * rng.integers(2, 13, 2))).astype(int)
    sigma = share * rng.integers(5, 46)
    inner = ndimage.minimum_filter(mask, 2 * first + 1, mode="constant")
    whole = inner >= 1
    kept = whole.astype(np.float32) if whole.any() else mask
    blurred = ndimage.gaussian_filter(kept, sigma, radius=int(second), mode="constant")
    most = blurred.max()
    return blurred / most if most > 0 else blurred


def boundary(mask: np.ndarray) -> np.ndarray:
    """Return the face X-ray of a mask: 4 M (1 - M), 1 where both images are half (1912.13458)."""
    return 4 * mask * (1 - mask)
