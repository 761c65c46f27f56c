"""From a task's predictions to the content of its metrics.json: metrics, intervals, baselines.

Only rows of the test split count. All runs of a task must have scored the same samples: their
intervals come from the same resampled clusters.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from lssat import grid, metrics, statistics
from lssat.params import Evaluate
from lssat.scores.calibrated import calibrations
from lssat.scores.compare import comparisons, ranked_first
from lssat.scores.levels import Level, levels
from lssat.scores.scored import Scored, by_seed

# The metrics that get a row with an interval in the table, of each kind of task.
TABLE = {
    "binary": ("auc", "eer", "ap", "accuracy", "balanced_accuracy"),
    "multilabel": ("balanced_accuracy", "accuracy", "f1", "auc", "ap"),
    "multiclass": ("top1", "macro_f1", "balanced_accuracy", "mean_ovr_accuracy"),
}


def summarise(
    predictions: pa.Table,
    task: grid.Task,
    train_labels: np.ndarray,
    coverage: float,
    options: Evaluate,
) -> dict[str, Any]:
    """Compute the content of results/<task>/metrics.json.

    Args:
        predictions: schema PREDICTIONS, of all runs of the task; rows of other splits than test
            are left out.
        task: what the splits say that it is (`grid.read_task`).
        train_labels: (M,) or (M, A), of the training split, for the trivial baseline.
        coverage: share of the manifest's test samples that have a prediction, 0 to 1.
        options: resamples, confidence and seed of the intervals.

    Returns:
        plain values that are valid JSON: undefined is None with a note. `low` and `high` cover
        other test clusters and, with two or more seeds, other seeds (`statistics.bootstrap`).
        A run is `collapsed` when it predicts a single class or its headline metric does not
        beat the trivial baseline; a row is when one of its runs is.

    Raises:
        DataError: no test rows, runs with different samples, or labels of different lengths.
    """
    parts = [
        _part(every, predictions, task, train_labels, options)
        for every in levels(predictions, task.name, task.kind)
    ]
    facts: dict[str, Any] = dict(task=task.name, dataset=task.name, kind=task.kind)
    facts |= dict(title=task.title, classes=list(task.classes), metric=task.metric)
    facts |= dict(level=parts[0]["level"], split="test", coverage=float(coverage))
    facts |= dict(confidence=options.confidence, resamples=options.resamples)
    facts |= dict(groups=parts[0]["groups"])
    # Encoders of images and of clips may see other numbers of videos: each row has its own n.
    facts["n"] = {name: n for part in reversed(parts) for name, n in part["n"].items()}
    names = ("runs", "table", "subsets", "roc", "comparisons", "ranked_first")
    return facts | {name: [row for part in parts for row in part[name]] for name in names}


def _part(
    every: list[Level],
    predictions: pa.Table,
    task: grid.Task,
    train_labels: np.ndarray,
    options: Evaluate,
) -> dict[str, Any]:
    """Summarise the runs that were scored on one kind of row: images, frames or clips."""
    head = every[-1]
    runs = {run: _run(run, every, task, train_labels) for run in head.scores}
    rows = by_seed(list(runs))
    drawn = {level.name: _draw(level, options) for level in every}
    values = {level.name: _values(level, drawn[level.name]) for level in every}
    table: list[dict] = []
    subsets: list[dict] = []
    for scored in rows:
        mine = [runs[run] for run in scored.runs]
        for level in reversed(every):
            baselines = _baseline(level, train_labels)
            found = _intervals(scored, values[level.name], drawn[level.name], options)
            table += _rows(scored, level, drawn[level.name], found, mine, baselines)
        subsets += _subsets(scored, head, drawn[head.name], options)
    for run, each in calibrations(predictions, task.name, head).items():
        runs[run]["calibration"] = each
    heads = {run: each[task.metric] for run, each in values[head.name].items()}
    means = {run: each["metrics"][f"{head.name}/{task.metric}"] for run, each in runs.items()}
    return {
        "level": head.name,
        "groups": drawn[head.name].clusters,
        "n": {level.name: len(level.labels) for level in every},
        "runs": list(runs.values()),
        "table": table,
        "subsets": subsets,
        "roc": [_roc(run, head) for run in head.scores],
        "comparisons": comparisons(rows, head, task.metric, heads, means, options),
        "ranked_first": ranked_first(rows, task.metric, heads, options),
    }


def flat(content: dict[str, Any]) -> dict[str, float | None]:
    """Return the headline rows of metrics.json under flat keys, for `dvc metrics show`.

    `<task>.<backbone>.<configuration as in paths>.<metric>` is the mean over seeds; the same
    with `.low` and `.high` is its interval. Across data sets they begin with
    `<task>.cross.<dataset>`.
    """
    found: dict[str, float | None] = {}
    first = content["task"]
    if content["dataset"] != first:
        first = f"{first}.cross.{content['dataset']}"
    for row in content["table"]:
        if (row["level"], row["metric"]) == (content["level"], content["metric"]):
            slug = grid.parse(row["configuration"]).slug
            key = f"{first}.{row['backbone']}.{slug}.{row['metric']}"
            found |= {key: row["mean"], f"{key}.low": row["low"], f"{key}.high": row["high"]}
    return found


def _draw(level: Level, options: Evaluate) -> statistics.Resamples:
    strata = None if level.kind == "multilabel" else level.labels
    return statistics.draw(level.groups, options.resamples, options.seed, strata)


def _run(run: str, every: list[Level], task: grid.Task, train_labels: np.ndarray) -> dict:
    """Return the entry of one run: its metrics at each level, and whether it collapsed."""
    found: dict[str, float | None] = {}
    notes: dict[str, str] = {}
    for level in every:
        values = metrics.measure(level.kind, level.labels, level.scores[run])
        for name in metrics.NAMES[level.kind]:
            found[f"{level.name}/{name}"] = values[name]
        notes |= {f"{level.name}/{name}": note for name, note in values["notes"].items()}
    head = every[-1]
    baseline = _baseline(head, train_labels)[task.metric]
    if reason := _collapsed(head, run, found[f"{head.name}/{task.metric}"], baseline):
        notes["collapsed"] = reason
    parts = grid.Run.of(run)
    text = str(grid.parse(parts.configuration))
    entry = dict(run=run, backbone=parts.backbone, configuration=text, seed=parts.seed)
    return entry | dict(metrics=found, notes=notes, collapsed=reason is not None)


def _collapsed(level: Level, run: str, value: float | None, baseline: float | None) -> str | None:
    """Say why the run counts as collapsed (faults.md, case 38), or None."""
    scores = level.scores[run]
    if reason := metrics.unusable(scores):
        return f"is of no use: {reason}"
    chosen = metrics.predicted(level.kind, scores)
    if (chosen == chosen[0]).all() and not (level.labels == level.labels[0]).all():
        return "predicts the same for every sample"
    if value is not None and baseline is not None and value <= baseline:
        return f"does not beat the trivial baseline ({value:.3f}, baseline {baseline:.3f})"
    return None


def _baseline(level: Level, train_labels: np.ndarray) -> dict[str, float | None]:
    classes = next(iter(level.scores.values())).shape[-1]
    return metrics.trivial(level.kind, train_labels, level.labels, classes)


def _values(level: Level, drawn: statistics.Resamples) -> dict[str, dict[str, np.ndarray]]:
    """Return for each run with finite scores the metrics of the table in every resample."""
    able = {run: each for run, each in level.scores.items() if not metrics.unusable(each)}
    names = TABLE[level.kind]
    return {
        run: statistics.resampled(metrics.prepare(level.kind, level.labels, each, names), drawn)
        for run, each in able.items()
    }


def _intervals(
    scored: Scored,
    values: dict[str, dict[str, np.ndarray]],
    drawn: statistics.Resamples,
    options: Evaluate,
) -> dict[str, statistics.Interval]:
    if not all(run in values for run in scored.runs):
        return {}
    mine = [values[run] for run in scored.runs]
    return statistics.intervals_of(mine, drawn, options.confidence, options.seed)


def _rows(
    scored: Scored,
    level: Level,
    drawn: statistics.Resamples,
    intervals: dict[str, statistics.Interval],
    runs: list[dict[str, Any]],
    baselines: dict[str, float | None],
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table for one backbone, configuration and level."""
    fallen = [f"seed {r['seed']} {r['notes']['collapsed']}" for r in runs if r["collapsed"]]
    size = dict(n=len(level.labels), groups=drawn.clusters, seeds=scored.seeds, runs=scored.runs)
    for metric in TABLE[level.kind]:
        key, baseline = f"{level.name}/{metric}", baselines[metric]
        notes = [run["notes"][key] for run in runs if key in run["notes"]]
        notes += [f"collapsed: {each}" for each in fallen]
        row = _row([run["metrics"][key] for run in runs], intervals.get(metric), notes)
        yield dict(
            **scored.labels,
            level=level.name,
            metric=metric,
            **size,
            **row,
            baseline=baseline,
            beats_baseline=_beats(row, baseline, metric),
            collapsed=bool(fallen),
        )


def _beats(row: dict[str, Any], baseline: float | None, metric: str) -> bool:
    """Say whether the whole interval lies on the better side of the baseline."""
    if row["low"] is None or baseline is None:
        return False
    lower = metric in metrics.LOWER_IS_BETTER
    return row["high"] < baseline if lower else row["low"] > baseline


def _row(
    values: list[float | None], interval: statistics.Interval | None, notes: list[str]
) -> dict[str, Any]:
    """Return mean, interval and note of one metric; one undefined seed leaves all undefined."""
    defined = [value for value in values if value is not None]
    mean = float(np.mean(defined)) if len(defined) == len(values) else None
    if mean is None or interval is None:
        interval = statistics.Interval(None, None)
    elif interval.note:
        notes = [*notes, interval.note]
    note = "; ".join(dict.fromkeys(notes)) or None
    return dict(values=values, mean=mean, low=interval.low, high=interval.high, note=note)


def _subsets(
    scored: Scored, level: Level, drawn: statistics.Resamples, options: Evaluate
) -> Iterator[dict[str, Any]]:
    """Yield the AUC of each manipulation method against all reals."""
    if level.kind != "binary":
        return
    for subset in sorted(set(level.subsets[level.labels == 1])):
        mask = (level.labels == 0) | (level.subsets == subset)
        scores = {run: level.scores[run][mask] for run in scored.runs}
        part = level._replace(labels=level.labels[mask], scores=scores)
        found = [metrics.binary(part.labels, each) for each in scores.values()]
        notes = [each["notes"]["auc"] for each in found if "auc" in each["notes"]]
        chosen = drawn.of(mask)
        interval = _intervals(scored, _values(part, chosen), chosen, options).get("auc")
        size = dict(n=int(mask.sum()), groups=drawn.of(mask).clusters, seeds=scored.seeds)
        where = dict(subset=str(subset), level=level.name, metric="auc", runs=scored.runs)
        row = _row([each["auc"] for each in found], interval, notes)
        yield scored.labels | where | size | row


def _roc(run: str, level: Level) -> dict[str, Any]:
    """Return the ROC curve of a run: macro average one-vs-rest unless there are two classes."""
    labels, scores = level.labels, level.scores[run]
    if level.kind == "multiclass":
        labels = metrics.one_hot(labels, scores.shape[1])
    return {"run": run, "level": level.name, **metrics.roc(labels, scores)}
