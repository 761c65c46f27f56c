"""EER and TPR at 1 % FPR in many resamples, compiled: they have no influence values.

One walk down the ranking for each resample, which ends where both are known, in place of all
curves: a tenth of the time or less. The arithmetic is that of `ranked.eer` and
`ranked.tpr_at_fpr01`, and so are the bits.
"""

import functools
from typing import Any

import numpy as np

from lssat.metrics.ranked import Order


def jumps(
    labels: np.ndarray, order: Order, counts: np.ndarray, member: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute both of a two-class question in resamples of clusters.

    Args:
        labels: (N,) of 0 and 1.
        order: of the scores.
        counts: (B, G) uint16, how often each cluster was drawn.
        member: (N,) the cluster of each sample.

    Returns:
        `eer` and `tpr_at_fpr01`, (B,) float64; nan where a resample lacks a class.
    """
    positive = np.asarray(labels) == 1
    last = np.zeros(len(positive), bool)
    last[order.ends - 1] = True
    held = np.bincount(member, minlength=counts.shape[1])
    held_positive = np.bincount(member[positive], minlength=counts.shape[1])
    trues, every = (counts.astype(np.int64) @ sizes for sizes in (held_positive, held))
    ranked = member[order.samples].astype(np.int32), positive[order.samples], last
    out = _compiled(walk)(counts, *ranked, trues, every - trues)
    return {"eer": out[0], "tpr_at_fpr01": out[1]}


@functools.cache
def _compiled(loop: Any) -> Any:
    """Compile a loop, or take it from numba's cache on disk (which saves a second)."""
    import numba

    try:
        return numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # neither the installation nor the home can be written: no cache
        return numba.njit(nogil=True)(loop)


def walk(counts, member, positive, last, trues, falses):
    """Return EER and TPR (2, B) by counts (B, G) and, along the ranking (N,), what stands there.

    `last` marks the ends of ties; `trues` and `falses` (B,) count each class in a resample.
    """
    out = np.full((2, len(counts)), np.nan)
    for b in range(len(counts)):
        if trues[b] == 0 or falses[b] == 0:
            continue
        above, lost, crossed = 0, 0, False
        before, fpr_before, best = -1.0, 0.0, 0.0
        for at in range(len(member)):
            if positive[at]:
                above += counts[b, member[at]]
            else:
                lost += counts[b, member[at]]
            if not last[at]:
                continue
            fpr, tpr = lost / falses[b], above / trues[b]
            if fpr <= 0.01:
                best = tpr
            elif crossed:
                break
            if not crossed:
                excess = fpr + tpr - 1
                if excess >= 0:
                    out[0, b] = fpr_before - before / (excess - before) * (fpr - fpr_before)
                    crossed = True
                before, fpr_before = excess, fpr
        out[1, b] = best
    return out
