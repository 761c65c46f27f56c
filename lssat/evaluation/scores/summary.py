"""From a task's predictions to the content of its metrics.json: metrics, intervals, baselines.

Only rows of the test split count. All runs of a task must have scored the same samples: their
intervals come from the same resampled clusters.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from lssat import grid, metrics
from lssat.evaluation.scores import cells
from lssat.evaluation.scores.calibrated import calibrations
from lssat.evaluation.scores.comparisons import backbones, compared, comparisons, ranks
from lssat.evaluation.scores.levels import Level, levels
from lssat.evaluation.scores.measured import Measured, intervals, key, measured, without_each
from lssat.evaluation.scores.per_class import Apart, confusion, each
from lssat.evaluation.scores.per_class import intervals as each_intervals
from lssat.evaluation.scores.power import power
from lssat.evaluation.scores.run_group import Design, by_seed
from lssat.evaluation.scores.subsets import subsets
from lssat.evaluation.scores.sweep import sweep
from lssat.evaluation.scores.variants import gains, variants
from lssat.params import Evaluate
from lssat.tables import Metrics
from lssat.tables.contracts import VERSION


def summarise(
    predictions: pa.Table,
    task: grid.Task,
    train_labels: np.ndarray,
    coverage: float,
    options: Evaluate,
    design: Design | None = None,
) -> dict[str, Any]:
    """Compute the content of results/<task>/metrics.json.

    Args:
        predictions: schema PREDICTIONS, of all runs of the task; rows of other splits than test
            are left out.
        task: as the splits describe it (`grid.read_task`).
        train_labels: (M,) or (M, A), of the training split, for the trivial baseline.
        coverage: share of the samples that the lists name in the test split that have a
            prediction, 0 to 1.
        options: resamples, confidence and seed of the intervals.
        design: which configurations are the grid's: variants have rows with
            `swept` true and stand in `sweep` (see `scores.sweep`), but not in
            `comparisons`, `backbones` and `ranks`. By default all are the grid's.

    Returns:
        plain values that are valid JSON: undefined is None with a note. `low` and `high` cover
        other test clusters and, with two or more seeds, other trainings (`statistics.infer`).
        A run is `collapsed` when it predicts a single class or its headline metric does not
        beat the trivial baseline; a row is when one of its runs is.

    Raises:
        DataError: no test rows, runs with different samples, or labels of different lengths.
    """
    parts = [
        _part(row_levels, predictions, task, train_labels, options, design or Design())
        for row_levels in levels(predictions, task.name, task.kind)
    ]
    facts: dict[str, Any] = dict(version=VERSION, task=task.name, dataset=task.name, kind=task.kind)
    facts |= dict(title=task.title, classes=list(task.classes), metric=task.metric)
    facts |= dict(level=parts[0]["level"], split="test", coverage=float(coverage))
    facts |= dict(confidence=options.confidence, resamples=options.resamples)
    facts |= dict(groups=parts[0]["groups"])
    # Encoders of images and of clips may see other numbers of videos: each row has its own n.
    facts["n"] = {name: n for part in reversed(parts) for name, n in part["n"].items()}
    names = ["runs", "table", "subsets", "each", "confusion", "roc"]
    names += ["comparisons", "backbones", "ranks", "power", "sweep", "variants", "gains"]
    return facts | {name: [row for part in parts for row in part[name]] for name in names}


def _part(
    row_levels: list[Level],
    predictions: pa.Table,
    task: grid.Task,
    train_labels: np.ndarray,
    options: Evaluate,
    design: Design,
) -> dict[str, Any]:
    """Summarise the runs that were scored on one kind of row: images, frames or clips."""
    head = row_levels[-1]
    results = {level.name: measured(level, options, each=level is head) for level in row_levels}
    runs = {run: _run(run, row_levels, results, task, train_labels) for run in head.scores}
    rows = by_seed(list(runs))
    known = {
        (level.name, metric): intervals(rows, results[level.name], metric, options)
        for level in row_levels
        for metric in metrics.NAMES[level.kind]
    }
    known_each = each_intervals(rows, head, results[head.name], options)
    results[head.name] = without_each(results[head.name])
    apart = Apart(head, task.classes, results[head.name], known_each, train_labels)
    table: list[dict] = []
    by_class: list[dict] = []
    confusions: list[dict] = []
    for scored in rows:
        own_runs = [runs[run] for run in scored.runs]
        for level in reversed(row_levels):
            baselines = cells.baseline(level, train_labels)
            own = {
                metric: known[level.name, metric].get(key(scored))
                for metric in metrics.NAMES[level.kind]
            }
            if scored.runs[0] not in level.scores:
                continue  # another program scored whole videos
            swept = design.sweeps(scored.configuration)
            outside = cells.made_elsewhere(scored)
            of_metrics = cells.rows(
                scored, level, results[level.name], own, own_runs, baselines, outside
            )
            table += [row | {"swept": swept} for row in of_metrics]
        by_class += each(scored, apart, own_runs)
        confusions += confusion(scored, apart, own_runs)
    parts = [
        row
        for level in reversed(row_levels)
        for row in subsets(
            [scored for scored in rows if scored.runs[0] in level.scores],
            *(level, runs, train_labels, options),
        )
    ]
    for run, calibrated in calibrations(predictions, task.name, head).items():
        runs[run]["calibration"] = calibrated
    grid_rows = [scored for scored in rows if not design.sweeps(scored.configuration)]
    pairs = compared(rows, head, task.metric, results[head.name], options)
    return {
        "level": head.name,
        "groups": results[head.name].clusters,
        "n": {level.name: len(level.labels) for level in row_levels},
        "runs": list(runs.values()),
        "table": table,
        "subsets": parts,
        "each": by_class,
        "confusion": confusions,
        "roc": [_roc(run, head) for run in head.scores],
        "comparisons": comparisons(pairs, grid_rows),
        "backbones": backbones(pairs, grid_rows),
        "ranks": ranks(pairs, grid_rows),
        "power": power(rows, grid_rows, row_levels, results, options),
        "sweep": sweep(rows, table, design.lambda_cls, pairs),
        "variants": variants(rows, table, pairs),
        "gains": gains(rows, pairs),
    }


def flat(content: Metrics) -> dict[str, float | None]:
    """Return the headline rows of metrics.json under flat keys.

    `<task>.<backbone>.<configuration as in paths>.<metric>` is the mean over seeds; the same
    with `.low` and `.high` is its interval. Across data sets they begin with
    `<task>.cross.<dataset>`.
    """
    values: dict[str, float | None] = {}
    first = content["task"]
    if content["dataset"] != first:
        first = f"{first}.cross.{content['dataset']}"
    for row in content["table"]:
        if (row["level"], row["metric"]) == (content["level"], content["metric"]):
            slug = grid.parse(row["configuration"]).slug
            key = f"{first}.{row['backbone']}.{slug}.{row['metric']}"
            values |= {key: row["mean"], f"{key}.low": row["low"], f"{key}.high": row["high"]}
    return values


def _run(
    run: str,
    row_levels: list[Level],
    results: dict[str, Measured],
    task: grid.Task,
    train_labels: np.ndarray,
) -> dict:
    """Return the entry of one run: its metrics at each level, and whether it collapsed."""
    values: dict[str, float | None] = {}
    notes: dict[str, str] = {}
    for level in row_levels:
        own = results[level.name]
        if run not in level.scores:
            continue
        for name in metrics.NAMES[level.kind]:
            values[f"{level.name}/{name}"] = own.values.get(run, {}).get(name)
        notes |= {f"{level.name}/{name}": note for name, note in own.notes[run].items()}
    head = row_levels[-1]
    baseline = cells.baseline(head, train_labels)[task.metric]
    if reason := _collapsed(head, run, values[f"{head.name}/{task.metric}"], baseline):
        notes["collapsed"] = reason
    parts = grid.Run.of(run)
    text = str(grid.parse(parts.configuration))
    entry = dict(run=run, backbone=parts.backbone, configuration=text, seed=parts.seed)
    return entry | dict(metrics=values, notes=notes, collapsed=reason is not None)


def _collapsed(level: Level, run: str, value: float | None, baseline: float | None) -> str | None:
    """Say why the run counts as collapsed, or None."""
    scores = level.scores[run]
    if reason := metrics.unusable(scores):
        return f"is of no use: {reason}"
    chosen = metrics.predicted(level.kind, scores)
    if (chosen == chosen[0]).all() and not (level.labels == level.labels[0]).all():
        return "decides the same for every sample"
    if value is not None and baseline is not None and value <= baseline:
        return f"does not beat the trivial baseline ({value:.3f}, baseline {baseline:.3f})"
    return None


def _roc(run: str, level: Level) -> dict[str, Any]:
    """Return the ROC curve of a run: macro average one-vs-rest unless there are two classes."""
    labels, scores = level.labels, level.scores[run]
    if level.kind == "multiclass":
        labels = metrics.one_hot(labels, scores.shape[1])
    return {"run": run, "level": level.name, **metrics.roc(labels, scores)}
