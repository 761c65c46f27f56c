"""The order in which an epoch goes through the training split: a function of (seed, epoch)."""

import numpy as np


def order(labels: np.ndarray, sampler: str, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of an epoch's N samples, and how often each was drawn before.

    Args:
        labels: (N, A) integers, of the training split.
        sampler: `uniform`: every sample once. `balanced`: every class equally often, see
            `balanced_order`.

    Returns:
        int64 (N,) places and int64 (N,) counts: 0 at a sample's first time in the epoch. With
        the count a sample's flips and masks can differ from one time to the next.

    Raises:
        ValueError: `balanced` with several labels a sample: no order balances these.
    """
    if sampler == "uniform":
        places = np.random.default_rng([seed, epoch]).permutation(len(labels))
        return places, np.zeros_like(places)
    if labels.shape[1] != 1:
        raise ValueError(f"sampler: balanced needs one label a sample, here are {labels.shape[1]}")
    places = balanced_order(labels[:, 0], seed, epoch)
    return places, _times_before(places)


def balanced_order(labels: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """Draw N samples so that each of the K classes found makes N / K of them.

    A class's samples are gone through in a new order again and again until its share is full:
    within a class no sample is drawn two times more often than another. The N mod K draws that
    are left fall to classes by lot.

    Args:
        labels: (N,) integers.

    Returns:
        int64 (N,) places, in random order.
    """
    rng = np.random.default_rng([seed, epoch])
    classes = np.unique(labels)
    share, left = divmod(len(labels), len(classes))
    more = rng.permutation(len(classes)) < left
    parts = []
    for label, one in zip(classes, more, strict=True):
        members, wanted = np.flatnonzero(labels == label), share + int(one)
        rounds = [rng.permutation(members) for _ in range(-(-wanted // len(members)))]
        parts.append(np.concatenate([*rounds, members[:0]])[:wanted])
    return rng.permutation(np.concatenate(parts))


def _times_before(places: np.ndarray) -> np.ndarray:
    """Count, for each entry, the earlier ones that are equal."""
    by_place = np.argsort(places, kind="stable")
    ordered = places[by_place]
    start = np.searchsorted(ordered, ordered, "left")
    times = np.empty_like(places)
    times[by_place] = np.arange(len(places)) - start
    return times


def numbers(seed: int, epoch: int, places: np.ndarray, times: np.ndarray, count: int) -> np.ndarray:
    """Draw each sample's random numbers of an epoch, whatever stands beside it in a batch.

    Philox (Salmon et al. 2011) is a function of a key, here (seed, epoch), and a counter, here
    (place, time): jumping to a sample costs nothing, seeding a generator for each would.

    Args:
        places, times: int64 (N,), what `order` gives.

    Returns:
        float32 (N, count) in [0, 1).
    """
    bits = np.random.Philox(key=[seed, epoch])
    draw, state = np.random.Generator(bits), bits.state
    out = np.empty((len(places), count), np.float32)
    for row, (place, time) in enumerate(zip(places.tolist(), times.tolist(), strict=True)):
        state["state"]["counter"][:] = (0, 0, place, time)
        state["buffer_pos"], state["has_uint32"] = 4, 0  # nothing is left over from before
        bits.state = state
        draw.random(count, dtype=np.float32, out=out[row])
    return out
