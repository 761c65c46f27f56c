"""The local binary pattern of scikit-image (P = 8, R = 1, method default), edges replicated."""

from typing import Any

import numpy as np

USES_K = False


def plane(grey: np.ndarray, k: int) -> np.ndarray:
    """Return the codes (H, W) of a luma (H, W); scikit-image takes the outside for black."""
    from skimage.feature import local_binary_pattern

    wide = local_binary_pattern(np.pad(grey, 1, mode="edge"), P=8, R=1, method="default")
    return wide[1:-1, 1:-1].astype(np.uint8)


def tensors(grey: Any, k: int) -> Any:
    """Return the codes (N, 1, H, W) of a luma that is a tensor (N, 1, H, W)."""
    from lssat.texture.kinds.lbp import eager  # torch

    return eager.codes(grey)
