"""Features of samples projected to two dimensions: PCA, then t-SNE, both scikit-learn's."""

from typing import Any

import numpy as np

PERPLEXITY = 30.0  # of t-SNE; less for few samples
_FEW = 12  # samples that have too few neighbours for t-SNE
_KEPT = 50  # principal components that t-SNE is given


def project(features: np.ndarray, seed: int) -> dict[str, Any]:
    """Project features (N, F) to two dimensions.

    The same features and seed give the same points on one machine with the same threads.

    Returns:
        `points`: [x, y] of each sample, of no unit; `method` in words; `trustworthiness` in
        [0, 1], the share of neighbourhoods in the plane that are real (Venna and Kaski 2001; 1 is
        best), None where there are too few samples. Samples that are all the same, as those of a
        collapsed run, or that are not finite, fall on one point.
    """
    finite = np.isfinite(features).all()
    if len(features) < 2 or not finite or not np.ptp(features, axis=0).any():
        nothing = dict(points=[[0.0, 0.0]] * len(features), trustworthiness=None)
        why = "all features are the same" if finite else "a feature is not finite"
        return nothing | dict(method=f"No projection: {why}")
    from sklearn.decomposition import PCA  # seconds, only needed here
    from sklearn.manifold import TSNE, trustworthiness

    n = len(features)
    kept = min(_KEPT, n, features.shape[1])
    parts = PCA(kept, svd_solver="full").fit_transform(features.astype(np.float64))
    if n < _FEW or kept < 2:
        flat = np.pad(parts[:, :2], ((0, 0), (0, max(0, 2 - parts.shape[1]))))
        return dict(points=flat.round(4).tolist(), method="PCA", trustworthiness=None)
    perplexity = min(PERPLEXITY, (n - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed)
    flat = tsne.fit_transform(parts)
    near = min(10, (n - 1) // 2)
    real = float(trustworthiness(parts, flat, n_neighbors=near))
    method = f"PCA to {kept} dimensions, then t-SNE with perplexity {perplexity:.3g}"
    return dict(points=flat.round(3).tolist(), method=method, trustworthiness=real)
