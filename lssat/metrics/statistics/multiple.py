"""Many tests at once."""

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float] | np.ndarray) -> list[float]:
    """Return Holm's adjusted p-values (1979); nan stays nan and does not count as a test."""
    values = np.asarray(p, dtype=float)
    adjusted = np.full(len(values), np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    steps = (len(order) - np.arange(len(order))) * values[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted.tolist()
