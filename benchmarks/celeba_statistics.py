"""How long do the statistics of a whole task take, once logits are read?

    python benchmarks/celeba_statistics.py

90 runs (10 backbones x 3 configurations x 3 seeds) on the test split of CelebA: 19,962 images of
1,000 people, 40 attributes. Prints seconds of CPU of each part, on one thread (the
default of `train.threads`): more threads of BLAS wait for each other here.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lssat import metrics
from lssat.evaluation.scores import comparisons, measured, per_class
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.run_group import by_seed
from lssat.params import Evaluate

CONFIGURATIONS = ("MRGB-RRGB-CRGB", "MRGB-RLDP-CRGB", "none-none-CRGB")


def drawn(images: int, people: int, attributes: int, runs: list[str]) -> Level:
    """Draw labels, people and scores of all runs."""
    rng = np.random.default_rng(0)
    labels = (rng.random((images, attributes)) < rng.uniform(0.03, 0.8, attributes)).astype(int)
    common = labels + rng.normal(size=labels.shape)
    scores = {
        run: 1 / (1 + np.exp(1 - common - 0.5 * rng.normal(size=labels.shape))) for run in runs
    }
    groups = [f"{who}" for who in rng.integers(people, size=images)]
    ids = [f"{n:06}.jpg" for n in range(images)]
    return Level("image", "multilabel", ids, labels, groups, np.full(images, ""), scores)


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Do some work and print the CPU seconds that it took."""
    started = time.process_time()
    found = work()
    print(f"{name:34} {time.process_time() - started:6.1f} s", flush=True)
    return found


@threadpool_limits.wrap(limits=1)
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=19_962)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--attributes", type=int, default=40)
    parser.add_argument("--backbones", type=int, default=10)
    asked = parser.parse_args()
    runs = [
        f"celeba/timm_{backbone}/{configuration}/seed{seed}"
        for backbone in range(asked.backbones)
        for configuration in CONFIGURATIONS
        for seed in range(3)
    ]
    level = drawn(asked.images, asked.people, asked.attributes, runs)
    options = Evaluate(resamples=2000, confidence=0.95, seed=0, batch_size=1)
    rows, metric = by_seed(runs), "balanced_accuracy"
    began = time.process_time()
    found = timed("metrics and influence values", lambda: measured.measured(level, options, True))
    timed(
        "intervals of the table",
        lambda: [
            measured.intervals(rows, found, name, options) for name in metrics.NAMES[level.kind]
        ],
    )
    timed("intervals of each attribute", lambda: per_class.intervals(rows, level, found, options))
    pairs = timed(
        "each two rows", lambda: comparisons.compared(rows, level, metric, found, options)
    )
    timed("comparisons", lambda: comparisons.comparisons(pairs, rows))
    timed(
        "backbones, ranks",
        lambda: (comparisons.backbones(pairs, rows), comparisons.ranks(pairs, rows)),
    )
    print(f"{'together, ' + str(len(runs)) + ' runs':34} {time.process_time() - began:6.1f} s")


if __name__ == "__main__":
    main()
