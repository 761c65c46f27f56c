"""The weighted nearest neighbours of features, as DINO scores a frozen encoder.

Wu et al. 2018 (1805.01978), with the temperature 0.07 and the numbers of neighbours of DINO
(2104.14294, `eval_knn.py`): the votes of the k most similar training samples count exp(s / T),
where s is the cosine of the angle between two features.
"""

import numpy as np

TEMPERATURE = 0.07
NEIGHBOURS = (10, 20, 100, 200)  # DINO reports 20, and evaluates these
_AT_ONCE = 1024  # samples whose similarities are held at a time


def votes(
    train: np.ndarray,
    targets: np.ndarray,
    features: np.ndarray,
    neighbours: tuple[int, ...] = NEIGHBOURS,
    temperature: float = TEMPERATURE,
) -> dict[int, np.ndarray]:
    """Return the weighted share of the votes for each target, for each number of neighbours.

    Args:
        train: (M, F) features of training samples.
        targets: (M, K) in [0, 1]: one-hot classes, or the attributes of each.
        features: (N, F) of what is scored.
        neighbours: numbers of them; those above M are left out, unless none is left: then M.

    Returns:
        number of neighbours -> (N, K) float64 in [0, 1].
    """
    kept = [k for k in neighbours if k <= len(train)] or [len(train)]
    known, asked = _unit(train), _unit(features)
    found = {k: np.empty((len(asked), targets.shape[1])) for k in kept}
    for start in range(0, len(asked), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        similar = asked[part] @ known.T
        nearest = np.argsort(-similar, axis=1, kind="stable")[:, : max(kept)]
        near = np.take_along_axis(similar, nearest, axis=1)
        weights = np.exp((near - near[:, :1]) / temperature)  # only their ratios count
        for k in kept:
            shares = weights[:, :k] / weights[:, :k].sum(axis=1, keepdims=True)
            found[k][part] = np.einsum("nk,nkc->nc", shares, targets[nearest[:, :k]])
    return found


def _unit(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=float)
    size = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(size > 0, size, 1)
