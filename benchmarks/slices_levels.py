"""How often equal groups are said to differ, and how often a gap's interval holds the true gap.

    python benchmarks/slices_levels.py
    python benchmarks/slices_levels.py --trials 200 --groups 5 20

Each trial draws a test set of clusters, which all runs share, and runs that differ in their seed,
each with a spread between groups of its own. Three rows a table, as three configurations; the
first is counted with its p-value, `any` says how often one of the three is said to differ after
Holm's correction, `apart` how often the interval holds a true gap of two groups' scores.
"""

import argparse

import numpy as np
from scipy.stats import norm

from lssat import metrics
from lssat.metrics import statistics

ROWS, SHARED = 3, 0.6  # rows of a table; share of a sample's variance common to all trainings


def world(
    rng: np.random.Generator, groups: int, clusters: int, seeds: int, between: float, shift: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Draw labels, clusters and groups (N,), and scores (S, N) of each row.

    Clusters hold one to four samples; one in ten holds samples of two groups. The first group's
    positives score higher by `shift`.
    """
    size = rng.integers(1, 5, clusters)
    cluster = np.repeat(np.arange(clusters), size)
    group = (np.arange(clusters) % groups)[cluster]
    mixed = (cluster % 10 == 0) & (rng.random(len(cluster)) < 0.5)
    group[mixed] = rng.integers(groups, size=mixed.sum())
    labels = rng.integers(2, size=len(cluster))
    common = np.sqrt(0.3) * rng.normal(size=clusters)[cluster]
    common += np.sqrt(SHARED - 0.3) * rng.normal(size=len(cluster))
    made = []
    for _ in range(ROWS):
        own = np.sqrt(1 - SHARED) * rng.normal(size=(seeds, len(cluster)))
        skill = 1.3 + between * rng.normal(size=(seeds, 1))
        skill = skill + between * rng.normal(size=(seeds, groups))[:, group] + shift * (group == 0)
        made.append(norm.cdf((common + own) + skill * (labels - 0.5)))
    return labels, cluster, group, made


def measured(
    labels: np.ndarray, cluster: np.ndarray, group: np.ndarray, scores: np.ndarray, metric: str
) -> statistics.Groups | None:
    """Return a row's groups as `lssat slices` does; None where a group lacks a class."""
    seeds, many = len(scores), int(group.max()) + 1
    values, factors = np.empty((seeds, many)), np.zeros((seeds, int(cluster.max()) + 1, many))
    freedom, edge = np.empty(many), np.empty(many)
    for g in range(many):
        mine = group == g
        held = [len(np.unique(cluster[mine & (labels == k)])) for k in (0, 1)]
        where, clusters = np.unique(cluster[mine]), len(np.unique(cluster[mine]))
        if min(held) < 2:
            return None
        few = clusters if metric == "accuracy" or min(held) >= 10 else min(held) + 1
        freedom[g] = max(few - 2, 1)
        edge[g] = 1 / clusters if metric == "accuracy" else statistics.auc_edge(*held)
        for s, score in enumerate(scores):
            made = metrics.prepare("binary", labels[mine], score[mine], [metric])
            values[s, g] = made(np.ones((1, mine.sum()), np.uint16))[metric][0]
            moved = metrics.influence("binary", labels[mine], score[mine], [metric])[metric]
            factors[s, where, g] = statistics.over_clusters(moved, cluster[mine])
    return statistics.Groups(values, factors, freedom, edge, np.zeros(many, int))


def truth(metric: str, shift: float) -> float:
    """Return the true gap, at which the mean training has it."""
    of = (lambda d: norm.cdf(d / np.sqrt(2))) if metric == "auc" else (lambda d: norm.cdf(d / 2))
    return float(of(1.3 + shift) - of(1.3))


def counted(metric: str, groups: int, clusters: int, seeds: int, between: float, trials: int):
    """Return percentages: false p < .05, any of the rows after Holm, coverage of 0, of a gap."""
    found = []
    for trial in range(trials):
        one = []
        for shift in (0.0, 1.0):
            rng = np.random.default_rng((trial, groups, clusters, seeds))
            labels, cluster, group, rows = world(rng, groups, clusters, seeds, between, shift)
            tried = [measured(labels, cluster, group, scores, metric) for scores in rows]
            made = [each for each in tried if each is not None]
            if len(made) < len(tried):
                break
            gaps = statistics.largest_gaps(made, 0.95)
            if not shift:
                one += [gaps[0].p < 0.05, min(statistics.holm([g.p for g in gaps])) < 0.05]
            one.append(gaps[0].low <= truth(metric, shift) <= gaps[0].high)
        if len(one) == 4:
            found.append(one)
    return [*(100 * np.mean(found, axis=0) if found else [np.nan] * 4), len(found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--groups", type=int, nargs="+", default=[2, 5, 10, 20])
    parser.add_argument("--clusters", type=int, nargs="+", default=[60, 300])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--between", type=float, default=0.2)
    parser.add_argument("--metrics", nargs="+", default=["auc", "accuracy"])
    chosen = parser.parse_args()
    print("| metric | groups | clusters | seeds | p < .05 | any | holds 0 | holds a gap | trials |")
    print("|---" * 9 + "|")
    for metric in chosen.metrics:
        for groups in chosen.groups:
            for clusters in chosen.clusters:
                for seeds in chosen.seeds:
                    between = chosen.between if seeds > 1 else 0.0
                    told = counted(metric, groups, clusters, seeds, between, chosen.trials)
                    cells = [f"{each:.1f}" for each in told[:4]]
                    row = [metric, str(groups), str(clusters), str(seeds), *cells, str(told[4])]
                    print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
