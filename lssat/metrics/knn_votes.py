"""The weighted nearest neighbours of features, as DINO scores a frozen encoder.

Wu et al. 2018 (1805.01978), with the temperature 0.07 and the numbers of neighbours of DINO
(2104.14294, `eval_knn.py`): the votes of the k most similar training samples count exp(s / T),
where s is the cosine of the angle between two features.
"""

import numpy as np

TEMPERATURE = 0.07
NEIGHBOURS = (10, 20, 100, 200)  # DINO reports 20, and evaluates these
_AT_ONCE = 2**24  # similarities that are held at a time: 128 MiB


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
    shares_by_k = {k: np.empty((len(asked), targets.shape[1])) for k in kept}
    at_once = max(1, _AT_ONCE // len(known))
    for start in range(0, len(asked), at_once):
        part = slice(start, start + at_once)
        similar = asked[part] @ known.T
        nearest = _nearest(similar, max(kept))
        near = np.take_along_axis(similar, nearest, axis=1)
        weights = np.exp((near - near[:, :1]) / temperature)  # only their ratios count
        for k in kept:
            shares = weights[:, :k] / weights[:, :k].sum(axis=1, keepdims=True)
            shares_by_k[k][part] = np.einsum("nk,nkc->nc", shares, targets[nearest[:, :k]])
    return shares_by_k


def _nearest(similar: np.ndarray, k: int) -> np.ndarray:
    """Return the columns (n, k) of the largest of each row, from the largest; of equals the first.

    Only those k are sorted, which of many samples are few.
    """
    near = np.sort(np.argpartition(similar, -k, axis=1)[:, -k:], axis=1)
    values = np.take_along_axis(similar, near, axis=1)
    near = np.take_along_axis(near, np.argsort(-values, axis=1, kind="stable"), axis=1)
    as_large = (similar >= values.min(axis=1, keepdims=True)).sum(axis=1)
    for row in np.flatnonzero(as_large > k):  # equals of which some are left out
        near[row] = np.argsort(-similar[row], kind="stable")[:k]
    return near


def _unit(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=float)
    size = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(size > 0, size, 1)
