"""The runs of one level: their metrics, and how these vary over test sets.

All intervals and differences in the tables come from here and from
`statistics.infer`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lssat import metrics
from lssat.evaluation.scores.heap import give_back
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.run_group import Scored
from lssat.metrics import statistics
from lssat.params import Confidence, IntervalOptions

_FEW = 10  # clusters of a class below which an interval is widened, with a note
_SAYS_NOTHING = 0.8  # width of an interval in [0, 1] that is not printed as one

_ALPHA = 0.05  # of all sentences together about which rows beat the baseline

# Each seed's value and factor; of a row of the tables.
Cells = dict[int, tuple[float, np.ndarray]]


class Span(NamedTuple):
    """The interval of a row; None with a note where there is none.

    `surely`: ends of which, over all rows of the metric and all attributes, classes or subsets that
    stand beside each other, each is right in 95 % of worlds together.
    """

    low: float | None
    high: float | None
    note: str | None = None
    surely: tuple[float, float] | None = None


class Measured(NamedTuple):
    """What `measured` returns; runs whose scores are not finite have notes alone."""

    kind: str
    clusters: int
    negatives: int  # samples of a binary task's class 0
    held: np.ndarray  # (K,) clusters with a sample of each class, (2, A) of attributes
    values: dict[str, dict[str, Any]]  # run -> metric -> value, None where undefined
    factors: dict[str, dict[str, np.ndarray]]  # run -> metric -> (P,), `each/` (P, A)
    notes: dict[str, dict[str, str]]  # run -> metric -> note about its value


def measured(
    level: Level,
    options: IntervalOptions | None,
    each: bool = False,
    names: Sequence[str] | None = None,
) -> Measured:
    """Measure every run of a level.

    Args:
        options: None where no metric is estimated from resamples.
        each: also measure each attribute or class, under `each/<name>`.
        names: the metrics; None: those of `metrics.NAMES`.
    """
    names = metrics.NAMES[level.kind] if names is None else names
    values, factors, notes, jumps = {}, {}, {}, {}
    jumping = [name for name in names if name in metrics.JUMPS]
    drawn: tuple[Any, ...] = ()
    if jumping:
        assert options is not None
        drawn = statistics.draw(level.groups, options.resamples, options.seed)
    member = np.unique(np.asarray(level.groups), return_inverse=True)[1]  # texts sort slowly
    for run, scores in level.scores.items():
        if why := metrics.unusable(scores):
            notes[run] = dict.fromkeys(names, why)
            continue
        orders = metrics.in_order(scores)
        run_metrics = metrics.measure(level.kind, level.labels, scores, orders)
        notes[run] = run_metrics["notes"]
        more = {f"each/{name}": value for name, value in run_metrics.get("each", {}).items()}
        values[run] = {name: run_metrics[name] for name in names} | (more if each else {})
        moved = metrics.influence(level.kind, level.labels, scores, names, each, orders)
        factors[run] = {
            name: statistics.over_clusters(value, member) for name, value in moved.items()
        }
        if jumping:
            jumps[run] = metrics.jumps(level.labels, orders[0], *drawn)
        del orders, moved  # before those of the next run are made
        give_back()
    for name in jumping if jumps else ():
        resampled = statistics.from_resamples(np.array([own[name] for own in jumps.values()]))
        for run, factor in zip(jumps, resampled, strict=True):
            factors[run][name] = factor
    negatives = int((level.labels == 0).sum()) if level.kind == "binary" else 0
    clusters = len(set(level.groups))
    return Measured(level.kind, clusters, negatives, holding(level), values, factors, notes)


def without_each(results: Measured) -> Measured:
    """Leave out the factors of each attribute or class, the largest by far, once they are used."""
    names = metrics.NAMES[results.kind]
    own = {run: {n: of[n] for n in names if n in of} for run, of in results.factors.items()}
    return results._replace(factors=own)


def holding(level: Level) -> np.ndarray:
    """Return how many clusters hold each class: (K,), or (2, A) of attributes."""
    _, member = np.unique(np.asarray(level.groups), return_inverse=True)
    if level.kind == "multilabel":
        columns = level.labels.T
        return np.array(
            [[len(np.unique(member[column == k])) for column in columns] for k in (0, 1)]
        )
    scores = next(iter(level.scores.values()))
    classes = 2 if level.kind == "binary" else scores.shape[1]
    return np.array([len(np.unique(member[level.labels == k])) for k in range(classes)])


def cells(
    scored: Scored, results: Measured, metric: str, column: int | None = None
) -> Cells | None:
    """Return the values and factors of a row by seed; None where one is undefined."""
    seed_cells = {}
    for run, seed in zip(scored.runs, scored.seeds, strict=True):
        value = results.values.get(run, {}).get(metric)
        factor = results.factors.get(run, {}).get(metric)
        if column is not None and value is not None and factor is not None:
            value, factor = value[column], factor[:, column]
        if value is None or factor is None:
            return None
        seed_cells[seed] = (float(value), factor)
    return seed_cells


def mean(rows: Sequence[Cells]) -> Cells:
    """Return the mean of rows, on the seeds that all have."""
    seeds = [seed for seed in rows[0] if all(seed in row for row in rows)]
    parts = {seed: [row[seed] for row in rows] for seed in seeds}
    return {
        seed: (float(np.mean([v for v, _ in part])), np.mean([f for _, f in part], axis=0))
        for seed, part in parts.items()
    }


def infer(
    rows: Sequence[Cells],
    clusters: int,
    options: Confidence,
    pairs: Iterable[tuple[int, int]] | None = (),
    edge: float | None = None,
    confidence: float | None = None,
    others: int | None = None,
) -> statistics.Inference:
    """Return `statistics.infer` of rows; by default of no pair, with None of each two."""
    seeds = sorted({seed for row in rows for seed in row})
    length = max((len(factor) for row in rows for _, factor in row.values()), default=0)
    values = np.full((len(rows), len(seeds)), np.nan)
    factors = np.zeros((*values.shape, length))
    for k, row in enumerate(rows):
        for seed, (value, factor) in row.items():
            values[k, seeds.index(seed)], factors[k, seeds.index(seed)] = value, factor
    flat = factors.reshape(-1, length)
    covariance = (flat @ flat.T).reshape(*values.shape, *values.shape)
    chosen = None if pairs is None else list(pairs)
    confidence = options.confidence if confidence is None else confidence
    return statistics.infer(values, covariance, clusters, confidence, chosen, edge, others)


def intervals(
    scored: Sequence[Scored],
    results: Measured,
    metric: str,
    options: Confidence,
    column: int | None = None,
    beside: int = 1,
) -> dict[tuple[str, str], Span]:
    """Return the interval of each row's mean over seeds, by (backbone, configuration).

    Absent where a run has no value; None with a note where too little is known. All rows are
    given together, since the variance of training is estimated from all of them.

    Args:
        column: of the attribute or class.
        beside: how many attributes, classes or subsets a table holds that asks the same of each;
            `surely` is corrected for all of them.
    """
    all_cells = {key(row): cells(row, results, metric, column) for row in scored}
    rows = {name: row for name, row in all_cells.items() if row}
    reason, note, clusters = trust(results, metric, column)
    if reason or not rows:
        return dict.fromkeys(rows, Span(None, None, reason))
    spans, surely = (
        infer(
            list(rows.values()), clusters, options, (), edge(results, metric, column), confidence
        ).rows
        for confidence in (options.confidence, 1 - 2 * _ALPHA / (len(rows) * max(beside, 1)))
    )
    return {
        name: _span(one, both, note, len(row), results.clusters)
        for (name, row), one, both in zip(rows.items(), spans, surely, strict=True)
    }


def key(scored: Scored) -> tuple[str, str]:
    """Return the key of a row."""
    return scored.backbone, scored.configuration


def _span(
    row: statistics.Row, surely: statistics.Row, note: str | None, seeds: int, clusters: int
) -> Span:
    if not np.isfinite([row.low, row.high]).all():
        return Span(None, None, "no interval: its variance is undefined")
    if row.high - row.low >= _SAYS_NOTHING:
        of_seeds = "1 seed" if seeds == 1 else f"{seeds} seeds"
        why = f"{of_seeds} on {clusters} clusters are too few"
        ends = f"it would reach from {row.low:.2f} to {row.high:.2f}"
        return Span(None, None, f"no interval: {why}, {ends}")
    return Span(row.low, row.high, note, (surely.low, surely.high))


def trust(
    results: Measured, metric: str, column: int | None = None
) -> tuple[str | None, str | None, int]:
    """Return why a metric has no interval, a note about it, and the clusters that it rests on.

    A class in a single cluster has no variance between clusters; one in few clusters has its own
    degrees of freedom.
    """
    if results.clusters < 2:
        return "no interval: all samples are one cluster", None, results.clusters
    least = metrics.METRICS[metric.removeprefix("each/")].negatives
    if results.negatives < least:
        why = f"{results.negatives} negatives; a rate at 1 % false positives needs {least:,}"
        return f"no interval: {why}", None, results.clusters
    held = _needed(results, metric, column)
    few = int(held.min()) if len(held) else results.clusters
    if few == 1:
        return "no interval: a class stands in a single cluster", None, few
    if few < _FEW:
        return None, f"a class stands in only {few} clusters", few + 1
    return None, None, results.clusters


def _needed(results: Measured, metric: str, column: int | None) -> np.ndarray:
    """Return the clusters that hold each class on which a metric rests."""
    name = metric.removeprefix("each/")
    if results.kind == "multilabel":
        held = results.held[:, column] if column is not None else np.empty(0, int)
    else:
        held = results.held if column is None else results.held[[column]]
    needs = metrics.METRICS[name].needs
    held = held if needs is None else held[list(needs)]
    return held[held > 0]


def edge(results: Measured, metric: str, column: int | None = None) -> float:
    """Return `edge` of `statistics.infer`: the effective size where no error is left."""
    held, name = _needed(results, metric, column), metric.removeprefix("each/")
    if name == "auc" and len(held) == 2:
        return statistics.auc_edge(*(int(n) for n in held))
    if name == "mean_ovr_accuracy":
        return 2 / (len(results.held) * results.clusters)
    if len(held):  # a mean over classes, each of its own clusters
        return float((1 / held).sum() / len(held) ** 2)
    return 1 / results.clusters
