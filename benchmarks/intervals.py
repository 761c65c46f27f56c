"""How often an interval over training seeds holds the truth: ours and a plain bootstrap of seeds.

    python benchmarks/intervals.py
    python benchmarks/intervals.py --trials 500 --seeds 2 3

Each trial draws a test set that all runs share, and runs that differ in their seed; `between` is
the spread between seeds in units of that between test sets. Both see the same resamples.
"""

import argparse

import numpy as np

from lssat import statistics

FREE = (-np.inf, np.inf)


def plain(values: np.ndarray, seed: int) -> statistics.Interval:
    """Draw as many seeds as there are, with no correction."""
    seeds, resamples = values.shape
    chosen = np.random.default_rng(seed).integers(seeds, size=(seeds, resamples))
    means = np.take_along_axis(values, chosen, axis=0).mean(axis=0)
    return statistics.percentiles(means, 0.95)


def covered(seeds: int, between: float, trials: int, resamples: int) -> tuple[float, float]:
    """Return the percentages of trials in which ours and the plain one hold the truth, 0."""
    rng = np.random.default_rng((seeds, int(100 * between)))
    held = np.zeros(2)
    for trial in range(trials):
        runs = rng.normal() + between * rng.normal(size=(seeds, 1))
        values = runs + rng.normal(size=resamples)
        both = statistics.interval(values, 0.95, trial, FREE), plain(values, trial)
        held += [found.low <= 0 <= found.high for found in both]
    ours, other = 100 * held / trials
    return ours, other


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=3000)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 5, 10])
    parser.add_argument("--between", type=float, nargs="+", default=[0.5, 1, 2, 5])
    chosen = parser.parse_args()
    print("| seeds | " + " | ".join(f"between {each:g}" for each in chosen.between) + " |")
    print("|---" * (1 + len(chosen.between)) + "|")
    for seeds in chosen.seeds:
        found = [covered(seeds, each, chosen.trials, chosen.resamples) for each in chosen.between]
        print(f"| {seeds} | " + " | ".join(f"{a:.1f} (plain {b:.1f})" for a, b in found) + " |")


if __name__ == "__main__":
    main()
