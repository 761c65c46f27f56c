"""Frames with faces of known places: photographs of scikit-image with faces pasted in."""

import numpy as np
from PIL import Image
from skimage import data

from helpers import trees


def scene(height: int, width: int, faces: int, seed: int = 0) -> np.ndarray:
    """A photograph without people, uint8 (height, width, 3), and so many faces at random places."""
    rng = np.random.default_rng([seed, height, width, faces])
    frame = np.array(Image.fromarray(data.coffee()).resize((width, height)))
    for _ in range(faces):
        side = int(rng.integers(40, min(height, width) // 2))
        top, left = rng.integers(0, height - side), rng.integers(0, width - side)
        frame[top : top + side, left : left + side] = trees.face(int(rng.integers(100)), side)
    return frame
