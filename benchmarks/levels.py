"""How often are intervals and tests right? Simulated experiments, whole grids at a time.

    python benchmarks/levels.py
    python benchmarks/levels.py --trials 2000 --worlds even edge

Scores of negatives are N(0, 1), of positives N(mu + a, 1); a is what one training adds, of
standard deviation `sd` in units of d'. Of a sample's variance 60 % is common to all trainings.
Samples of a cluster (frames of a video) hang together. Each trial draws a test set and all
trainings, and calls `statistics.infer` as `lssat evaluate` does.
"""

import argparse
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).parent))

from lssat import metrics
from lssat.metrics import statistics

COMMON = 0.6  # of a sample's variance
WITHIN = 0.6  # of that, what a cluster's samples share


@dataclass(frozen=True)
class World:
    """A benchmark of one task, of which the truth is known."""

    aucs: tuple[float, ...] = (0.8,) * 9  # of the rows, without what trainings add
    seeds: int = 3
    clusters: int = 200
    frames: int = 1  # samples of a cluster; 0: from 1 to 32
    sds: tuple[float, ...] = (0.2,)  # between trainings; one for all rows, or one each
    sharing: float = 0.0  # of the trainings' variance, what a seed does to all rows alike
    classes: int = 2  # more: a multiclass task, by top-1, balanced accuracy or macro F1
    metric: str = "auc"

    def truth(self) -> np.ndarray:
        """Return the expected metric of each row, (K,)."""
        if self.classes > 2:
            big = replace(self, clusters=60_000, seeds=1, frames=1, sds=(0.0,))
            values = big.draw(np.random.default_rng(1))[0][:, 0]
            # Rows of one difficulty have one truth.
            return np.array([values[np.array(self.aucs) == each].mean() for each in self.aucs])
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        mu, sd = self._mu(), self._sd()
        each = norm.cdf((mu[:, None] + sd[:, None] * nodes) / np.sqrt(2))
        return each @ weights / weights.sum()

    def _mu(self) -> np.ndarray:
        return np.sqrt(2) * norm.ppf(self.aucs)

    def _sd(self) -> np.ndarray:
        return np.broadcast_to(np.array(self.sds), (len(self.aucs),))

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
        """Return values (K, S), their factors (K, S, M) and the number of clusters."""
        rows, seeds = len(self.aucs), self.seeds
        alike, own = rng.normal(size=(1, seeds)), rng.normal(size=(rows, seeds))
        added = np.sqrt(self.sharing) * alike + np.sqrt(1 - self.sharing) * own
        shift = (self._mu()[:, None] + self._sd()[:, None] * added).reshape(-1, 1)
        sizes = np.full(self.clusters, self.frames)
        if not self.frames:
            sizes = rng.integers(1, 33, size=self.clusters)
        member = np.repeat(np.arange(self.clusters), sizes)
        labels = np.arange(self.clusters) % self.classes
        if self.classes > 2:
            return self._of_classes(rng, shift, labels[member], member)
        scores = self._noise(rng, len(shift), member)
        scores = scores + shift * labels[member]
        return self._measured(scores, labels[member] == 1, member)

    def _noise(self, rng: np.random.Generator, runs: int, member: np.ndarray) -> np.ndarray:
        many, n = self.clusters, len(member)
        if n == many:
            common, own = rng.normal(size=n), rng.normal(size=(runs, n))
        else:
            common, own = (
                np.sqrt(WITHIN) * rng.normal(size=(*shape, many))[..., member]
                + np.sqrt(1 - WITHIN) * rng.normal(size=(*shape, n))
                for shape in ((), (runs,))
            )
        return np.sqrt(COMMON) * common + np.sqrt(1 - COMMON) * own

    def _measured(
        self, scores: np.ndarray, ones: np.ndarray, member: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, int]:
        found = [
            metrics.influence("binary", ones.astype(int), each, ("auc",))["auc"] for each in scores
        ]
        values = [auc(ones, each) for each in scores]
        return self._shaped(np.array(values), np.array(found), member)

    def _of_classes(
        self, rng: np.random.Generator, shift: np.ndarray, labels: np.ndarray, member: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, int]:
        noise = [self._noise(rng, len(shift), member) for _ in range(self.classes)]
        values, found = [], []
        for run, up in enumerate(shift[:, 0]):
            scores = np.stack([each[run] for each in noise], axis=1)
            scores = np.exp(scores + up * metrics.one_hot(labels, self.classes))
            scores /= scores.sum(axis=1, keepdims=True)
            values.append(metrics.measure("multiclass", labels, scores)[self.metric])
            moved = metrics.influence("multiclass", labels, scores, (self.metric,))
            found.append(moved[self.metric])
        return self._shaped(np.array(values), np.array(found), member)

    def _shaped(
        self, values: np.ndarray, found: np.ndarray, member: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, int]:
        factors = statistics.over_clusters(found.T, member).T
        shape = len(self.aucs), self.seeds
        return values.reshape(shape), factors.reshape(*shape, -1), self.clusters


def auc(ones: np.ndarray, scores: np.ndarray) -> float:
    """Return the AUC of scores without ties, from ranks (Mann-Whitney)."""
    rank = np.empty(len(scores))
    rank[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    positives = ones.sum()
    above = rank[ones].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(ones) - positives)))


def infer(world: World, drawn: tuple[np.ndarray, np.ndarray, int]) -> statistics.Inference:
    """Infer as `lssat evaluate` does."""
    values, factors, clusters = drawn
    flat = factors.reshape(-1, factors.shape[-1])
    covariance = (flat @ flat.T).reshape(*values.shape, *values.shape)
    edge = None
    if world.classes == 2:
        edge = statistics.auc_edge(clusters // 2, clusters - clusters // 2)
    return statistics.infer(values, covariance, clusters, edge=edge)


def simulate(world: World, trials: int, seed: int = 0, mixed: bool = False) -> dict[str, float]:
    """Return percentages: coverage (and how rows end below or above), type I, family, power."""
    rng, truth = np.random.default_rng(seed), world.truth()
    sums: dict[str, list[float]] = {}

    def note(name: str, value: float | np.ndarray) -> None:
        if np.size(value):
            sums.setdefault(name, []).append(float(np.mean(value)))

    for _ in range(trials):
        drawn = world.draw(rng)
        found = infer(world, drawn)
        low, high = np.array([[row.low, row.high] for row in found.rows]).T
        note("covers", (low <= truth) & (truth <= high))
        note("misses below", high < truth)
        gaps = np.array([truth[pair.a] - truth[pair.b] for pair in found.pairs])
        null = np.abs(gaps) < 1e-9
        p, holm, ends = (
            np.array([getattr(pair, name) for pair in found.pairs])
            for name in ("p", "p_holm", "low")
        )
        upper = np.array([pair.high for pair in found.pairs])
        note("differences", (ends <= gaps) & (gaps <= upper))
        note("type I", p[null] < 0.05)
        note("family", bool((holm[null] < 0.05).any()))
        note("power", p[~null] < 0.05)
        if mixed:
            other = by_mixed_model(drawn[0])
            note("mixed: type I", other[null] < 0.05)
            note("mixed: power", other[~null] < 0.05)
    return {name: 100 * float(np.mean(values)) for name, values in sums.items()}


def by_mixed_model(values: np.ndarray) -> np.ndarray:
    """Return p-values of each two rows by statsmodels: rows fixed, seeds random, t tests."""
    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM

    rows, seeds = values.shape
    table = pd.DataFrame(
        [(values[k, s], k, s) for k in range(rows) for s in range(seeds)],
        columns=["value", "row", "seed"],
    )
    design = pd.get_dummies(table["row"]).to_numpy(float)
    scale = values.std() or 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = MixedLM(table["value"].to_numpy() / scale, design, table["seed"])
            fitted = model.fit(reml=True)
        except np.linalg.LinAlgError:  # it cannot be fitted: it claims nothing
            return np.ones(rows * (rows - 1) // 2)
    cov, mean = fitted.cov_params()[:rows, :rows], fitted.params[:rows]
    from scipy.stats import t

    found = []
    for a in range(rows):
        for b in range(a + 1, rows):
            error = np.sqrt(cov[a, a] + cov[b, b] - 2 * cov[a, b])
            found.append(2 * t.sf(abs(mean[a] - mean[b]) / error, (rows - 1) * (seeds - 1)))
    return np.array(found)


def first_screen(
    backbones: int, configurations: int, seeds: int, clusters: int, trials: int
) -> float:
    """Return in how many of 100 worlds without a difference the report's answers claim one."""
    rng, wrong = np.random.default_rng((backbones, configurations, seeds)), 0
    world = World((0.8,) * (backbones * configurations), seeds, clusters)
    for _ in range(trials):
        ps: list[float] = []
        for _task in range(3):
            values, factors, many = world.draw(rng)
            shape = backbones, configurations
            mean = values.reshape(*shape, seeds).mean(axis=1)
            factor = factors.reshape(*shape, seeds, -1).mean(axis=1)
            flat = factor.reshape(backbones * seeds, -1)
            covariance = (flat @ flat.T).reshape(backbones, seeds, backbones, seeds)
            ps += [pair.p for pair in statistics.infer(mean, covariance, many).pairs]
        wrong += min(statistics.holm(ps)) < 0.05
    return 100 * wrong / trials


def _worlds() -> dict[str, dict[str, World]]:
    even, edge, hard, classes = {}, {}, {}, {}
    for seeds in (1, 2, 3, 5):
        for sd in (0.0, 0.2, 0.5) if seeds > 1 else (0.0,):
            even[f"{seeds} seeds, sd {sd}"] = World(seeds=seeds, sds=(sd,))
    even["3 seeds, sharing 90 %"] = World(sharing=0.9)
    even["3 seeds, 1,000 clusters"] = World(clusters=1000)
    even["3 seeds, 2 rows"] = World(aucs=(0.8,) * 2)
    even["2 seeds, 2 rows"] = World(aucs=(0.8,) * 2, seeds=2)
    even["2 seeds, 3 rows"] = World(aucs=(0.8,) * 3, seeds=2, sds=(0.3,))
    even["2 seeds, 4 rows"] = World(aucs=(0.8,) * 4, seeds=2, sds=(0.3,))
    even["3 seeds, 3 rows"] = World(aucs=(0.8,) * 3, sds=(0.3,))
    even["3 seeds, 18 rows"] = World(aucs=(0.8,) * 18)
    for auc_ in (0.6, 0.9, 0.97, 0.99, 0.999):
        for clusters in (60, 200) + ((1000,) if auc_ > 0.97 else ()):
            edge[f"AUC {auc_}, {clusters} clusters"] = World((auc_,) * 6, clusters=clusters)
    for clusters, frames in ((20, 8), (40, 8), (60, 0), (200, 0)):
        size = f"{frames} frames" if frames else "1 to 32 frames"
        hard[f"{clusters} clusters of {size}"] = World(
            (0.85,) * 6, clusters=clusters, frames=frames
        )
    for seeds in (2, 3, 5):
        sds = (0.1,) * 3 + (0.5,) * 3
        hard[f"{seeds} seeds, spreads 0.1 and 0.5"] = World((0.8,) * 6, seeds, sds=sds)
    hard["3 seeds, one spread of 0.5 beside 0.05"] = World((0.8,) * 6, sds=(0.05,) * 5 + (0.5,))
    for many, metric in ((4, "top1"), (8, "top1"), (8, "balanced_accuracy"), (8, "macro_f1")):
        classes[f"{many} classes, {metric}"] = World((0.8,) * 6, classes=many, metric=metric)
    classes["8 classes, macro_f1, 64 clusters"] = World(
        (0.8,) * 6, clusters=64, classes=8, metric="macro_f1"
    )
    power = {
        f"{seeds} seeds, sd {sd}, 1,000 clusters": World(
            (0.8,) * 6 + (0.843,) * 3, seeds, 1000, sds=(sd,), sharing=sharing
        )
        for seeds in (2, 3, 5)
        for sd, sharing in ((0.1, 0.0),)
    }
    return {"even": even, "edge": edge, "hard": hard, "classes": classes, "power": power}


def main() -> None:
    worlds = _worlds()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--worlds", nargs="+", default=[*worlds, "screen"])
    parser.add_argument("--only", type=int, help="so many worlds of each kind")
    asked = parser.parse_args()
    for kind in asked.worlds:
        if kind == "screen":
            _print_screen(asked.trials, asked.only)
            continue
        names = ["covers", "misses below", "differences", "type I", "family"]
        names += ["power", "mixed: type I", "mixed: power"] if kind == "power" else []
        print(f"\n| {kind} | {' | '.join(names)} |\n|{'---|' * (1 + len(names))}")
        for name, world in list(worlds[kind].items())[: asked.only]:
            found = simulate(world, asked.trials, mixed=kind == "power")
            cells = [f"{found[each]:.1f}" if each in found else "" for each in names]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _print_screen(trials: int, only: int | None) -> None:
    print("\n| first screen, 3 tasks | a false claim |\n|---|---|")
    sizes = [(2, 4, 3, 60), (3, 5, 3, 200), (6, 3, 3, 200), (3, 5, 2, 200), (3, 9, 5, 200)]
    for backbones, configurations, seeds, clusters in sizes[:only]:
        rate = first_screen(backbones, configurations, seeds, clusters, trials)
        print(
            f"| {backbones} backbones x {configurations}, {seeds} seeds | {rate:.1f} |", flush=True
        )


if __name__ == "__main__":
    main()
