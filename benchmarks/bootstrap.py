"""Time a bootstrap of the AUC: ours, a scikit-learn loop and scipy.stats.bootstrap, in one run.

    python benchmarks/bootstrap.py
    python benchmarks/bootstrap.py --samples 10000 --resamples 2000 --repeats 3

The three are interleaved; medians of CPU time. scikit-learn and scipy draw single samples, ours
draws clusters. The other two are timed on fewer resamples and their time is scaled up.
"""

import argparse
import statistics as medians
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from lssat import metrics
from lssat.metrics import statistics


def ours(labels: np.ndarray, scores: np.ndarray, groups: np.ndarray, resamples: int) -> None:
    drawn = statistics.draw(groups, resamples, seed=0)
    found = statistics.resampled(metrics.prepare("binary", labels, scores, ("auc",)), drawn)
    np.nanquantile(found["auc"], (0.025, 0.975))


def scikit_learn(
    labels: np.ndarray, scores: np.ndarray, groups: np.ndarray, resamples: int
) -> None:
    rng = np.random.default_rng(0)
    values = []
    for _ in range(resamples):
        rows = rng.integers(len(labels), size=len(labels))
        values.append(roc_auc_score(labels[rows], scores[rows]))
    np.quantile(values, (0.025, 0.975))


def scipy(labels: np.ndarray, scores: np.ndarray, groups: np.ndarray, resamples: int) -> None:
    def auc(positive: np.ndarray, negative: np.ndarray, axis: int = -1) -> np.ndarray:
        from scipy.stats import rankdata

        ranks = rankdata(np.concatenate([positive, negative], axis=axis), axis=axis)
        p, n = positive.shape[axis], negative.shape[axis]
        return (ranks[..., :p].sum(axis=axis) - p * (p + 1) / 2) / (p * n)

    parts = (scores[labels == 1], scores[labels == 0])
    bootstrap(
        parts, auc, n_resamples=resamples, vectorized=True, batch=100, method="percentile", rng=0
    )


def cpu(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--clusters", type=int, default=700)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--share", type=float, default=0.1, help="of resamples, for the others")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, options.samples)
    scores = labels + rng.normal(size=options.samples)
    groups = rng.integers(0, options.clusters, options.samples).astype(str)
    fewer = max(1, round(options.share * options.resamples))
    todo = {
        "lssat, clustered": (ours, options.resamples),
        "scikit-learn loop": (scikit_learn, fewer),
        "scipy.stats.bootstrap": (scipy, fewer),
    }
    times: dict[str, list[float]] = {name: [] for name in todo}
    for _ in range(options.repeats):
        for name, (work, resamples) in todo.items():
            seconds = cpu(partial(work, labels, scores, groups, resamples))
            times[name].append(seconds * options.resamples / resamples)
    print(f"AUC, {options.samples} samples x {options.resamples} resamples, CPU seconds")
    first = medians.median(next(iter(times.values())))
    for name, all_of_them in times.items():
        middle = medians.median(all_of_them)
        print(f"{name:24s} {middle:8.3f} s   {middle / first:6.1f} x")


if __name__ == "__main__":
    main()
