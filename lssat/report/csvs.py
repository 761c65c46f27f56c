"""The report's numbers as CSV, unrounded; text that a spreadsheet would run is made harmless."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lssat import tables
from lssat.report.kit import words
from lssat.report.kit.results import Cross, Task
from lssat.report.sections import costs, format_alone
from lssat.tables import REJECTS, RunMetrics
from lssat.tables.analysis_tables import Slices

_RUN = [
    "best_epoch", "epochs", "select_metric", "best_value", "parameters", "decoder_parameters",
    "seconds", "imgs_per_second",
]  # fmt: skip


def safe(value: Any) -> Any:
    """Return the cell for a value: text that begins like a formula gets an apostrophe in front.

    Source: OWASP, "CSV Injection" (= + - @, tab and carriage return).
    """
    if isinstance(value, list | tuple):
        return safe(";".join("" if item is None else str(item) for item in value))
    return f"'{value}" if isinstance(value, str) and value[:1] in set("=+-@\t\r") else value


def write_csv(path: Path, columns: list[str], rows: Iterable[dict]) -> None:
    """Write rows under `columns`; None becomes an empty cell."""
    cells = ([safe(row.get(column)) for column in columns] for row in rows)
    tables.write_csv(path, map(safe, columns), cells)


def write_table(path: Path, tasks: Sequence[Task | Cross]) -> None:
    """Write one row per data set x backbone x configuration x level x metric.

    Last of a task's are those of the format alone: a baseline, so without configuration and runs.
    """
    columns = [
        "task", "dataset", "split", "backbone", "configuration", "level", "metric", "headline",
        "n", "groups", "seeds", "values", "mean", "low", "high", "confidence", "resamples",
        "baseline", "beats_baseline", "collapsed", "swept", "coverage",
        "coverage_present", "note", "runs",
    ]  # fmt: skip
    write_csv(path, columns, (row for task in tasks for row in _table(task)))


def _table(task: Task | Cross) -> Iterable[dict]:
    shared = ("dataset", "split", "confidence", "resamples", "coverage")
    for row in task.metrics["table"]:
        is_headline = (row["level"], row["metric"]) == (
            task.metrics["level"],
            task.metrics["metric"],
        )
        facts: Mapping[str, Any] = task.metrics
        common = {key: facts[key] for key in shared}
        common["coverage_present"] = task.metrics.get("coverage_present", common["coverage"])
        yield {**row, **common, "task": task.metrics["task"], "headline": is_headline}
    if isinstance(task, Task):
        yield from _format(task)


def _format(task: Task) -> Iterable[dict]:
    """Yield what size, quality and codec of the files reach, by metric."""
    probed, facts = task.format, ("dataset", "coverage", "coverage_present")
    made: Mapping[str, Any] = task.metrics
    shared = {key: probed[key] for key in ("task", "split", "level", "n", "groups", "confidence")}
    shared |= {key: made.get(key, made["coverage"]) for key in facts}
    shared |= {"backbone": format_alone.LABEL, "swept": False}
    for row in probed["rows"]:
        is_headline = row["metric"] == task.metrics["metric"]
        above = {"beats_baseline": probed["above"]} if is_headline else {}
        own = {"mean": row["value"], "values": [row["value"]], "headline": is_headline}
        yield {**row, **shared, **own, **above}


def write_subsets(path: Path, tasks: Sequence[Task | Cross]) -> None:
    """Write one row per data set x backbone x configuration x subset x level x metric."""
    columns = [
        "task", "dataset", "split", "backbone", "configuration", "subset", "level", "metric",
        *_NUMBER, "runs",
    ]  # fmt: skip
    write_csv(path, columns, _with_facts(tasks, "subsets"))


# What stands beside every number.
_NUMBER = [
    "n", "groups", "seeds", "values", "mean", "low", "high", "confidence", "resamples",
    "baseline", "beats_baseline", "collapsed", "note",
]  # fmt: skip


def _with_facts(tasks: Sequence[Task | Cross], part: str) -> Iterable[dict]:
    """Yield the rows of a part of metrics.json with what holds for all of them."""
    shared = ("task", "dataset", "split", "confidence", "resamples")
    for task in tasks:
        facts: Mapping[str, Any] = task.metrics
        for row in facts[part]:
            yield {**row, **{key: facts[key] for key in shared}}


def write_each(path: Path, tasks: Sequence[Task | Cross], kind: str) -> None:
    """Write one row per data set x backbone x configuration x attribute or class x metric.

    Args:
        kind: of the tasks that are written: `multilabel` (attributes) or `multiclass` (classes).
    """
    first = ["task", "dataset", "split", "backbone", "configuration", "class"]
    columns = [*first, "prevalence", "train_prevalence", "level", "metric", *_NUMBER]
    wanted = [task for task in tasks if task.metrics["kind"] == kind]
    write_csv(path, columns, _with_facts(wanted, "each"))


def write_confusion(path: Path, tasks: Sequence[Task | Cross]) -> None:
    """Write one row per data set x backbone x configuration x true class x predicted class.

    `count` is summed over seeds, `share` is of the samples of the true class.
    """
    columns = [
        "task", "dataset", "split", "backbone", "configuration", "level", "n", "seeds", "true",
        "predicted", "count", "share", "collapsed", "note", "runs",
    ]  # fmt: skip
    write_csv(path, columns, _confusion(tasks))


def _confusion(tasks: Sequence[Task | Cross]) -> Iterable[dict]:
    for row in _with_facts(tasks, "confusion"):
        for i, true in enumerate(row["classes"]):
            for j, predicted in enumerate(row["classes"]):
                cell = {"true": true, "predicted": predicted}
                if row["counts"] is not None:
                    shares = row["shares"][i]
                    cell["count"] = row["counts"][i][j]
                    cell["share"] = None if shares is None else shares[j]
                yield {**row, **cell}


def write_comparisons(path: Path, tasks: list[Task]) -> None:
    """Write one row per pair of rows, or of backbones over their configurations, compared."""
    columns = [
        "task", "compared", "backbone_a", "configuration_a", "seeds_a", "collapsed_a",
        "backbone_b", "configuration_b", "seeds_b", "collapsed_b", "level", "metric", "n", "groups",
        "difference", "low", "high", "effect", "error", "freedom", "p", "p_holm", "least", "note",
    ]  # fmt: skip
    rows = [
        {**row, "task": task.name}
        | {f"{key}_{arm}": value for arm in "ab" for key, value in row[arm].items()}
        | {f"collapsed_{arm}": _down(task, row[arm]) for arm in "ab"}
        for task in tasks
        for row in (*task.metrics["comparisons"], *_over_all(task))
    ]
    write_csv(path, columns, rows)


def _over_all(task: Task) -> list[dict]:
    """Return the pairs of backbones by their means over shared configurations."""
    kept = ("backbone", "seeds")
    return [
        row
        | {"compared": "backbone, mean over configurations", "n": None, "groups": None}
        | {arm: {name: row[arm][name] for name in kept} | {"configuration": None} for arm in "ab"}
        for row in task.metrics["backbones"]
    ]


def _down(task: Task, arm: dict) -> bool | None:
    return words.pair(arm) in task.collapsed if arm["configuration"] else None


def write_runs(path: Path, tasks: list[Task]) -> None:
    """Write one row per run: where it came from, what it cost, and each of its test metrics."""
    first = [
        "run",
        "task",
        "dataset",
        "split",
        "backbone",
        "configuration",
        "seed",
        *_RUN,
    ]
    first += ["collapsed", "mlflow_experiment", "mlflow_run", "git_revision", "git_dirty"]
    first += ["data_train", "data_val"]
    rows = [_run(task, run) for task in tasks for run in task.metrics["runs"]]
    scores = dict.fromkeys(name for row in rows for name in row if name not in first)
    write_csv(path, [*first, *scores], rows)


def _run(task: Task, run: RunMetrics) -> dict:
    """Return the row of a run; of how another program made one nothing is known."""
    head: dict[str, Any] = {
        "run": run["run"],
        "task": task.name,
        "dataset": task.metrics["dataset"],
        "split": task.metrics["split"],
        **{key: run[key] for key in ("backbone", "configuration", "seed")},
    }
    collapsed = {"collapsed": bool(run["collapsed"])}
    if run["run"] not in task.records:
        return {**head, **collapsed, **run["metrics"]}
    record = task.records[run["run"]]
    facts: Mapping[str, Any] = record
    return {
        **head,
        **{key: facts[key] for key in _RUN},
        **collapsed,
        "mlflow_experiment": task.files.experiment,
        "mlflow_run": run["run"].split("/", maxsplit=1)[1],
        "git_revision": record["git"]["revision"],
        "git_dirty": record["git"]["dirty"],
        **{f"data_{part}": digest for part, digest in record["data"].items()},
        **run["metrics"],
    }


def write_costs(path: Path, tasks: list[Task]) -> None:
    """Write one row per headline row: its score, its costs in the records' own units, its fronts.

    A cost is the mean over seeds, `<cost>_by_seed` holds each; `front_<cost>` says whether the
    row is on the Pareto front of the means.
    """
    score = [
        "task", "backbone", "configuration", "level", "metric", "n", "seeds", "mean", "low",
        "high", "baseline", "collapsed", "devices", "runs",
    ]  # fmt: skip
    names = [cost.name for cost in costs.COSTS]
    columns = [*score, *names, *(f"{name}_by_seed" for name in names)]
    columns += [f"front_{name}" for name in names]
    write_csv(path, columns, (row for task in tasks for row in _costs(task)))


def _costs(task: Task) -> Iterable[dict]:
    rows = costs.priced(task)
    fronts = {cost.name: costs.front(rows, cost) for cost in costs.COSTS}
    for entry in rows:
        row: dict[str, Any] = {"task": task.name, "devices": entry.devices}
        for cost in costs.COSTS:
            row[cost.name] = entry.mean(cost.name)
            row[f"{cost.name}_by_seed"] = entry.seeds.get(cost.name)
            row[f"front_{cost.name}"] = any(entry is other for other in fronts[cost.name])
        yield {**entry.row, **row}


def write_curves(path: Path, tasks: list[Task]) -> None:
    """Write one row per run and epoch: both losses unweighted, and each validation metric."""
    rows = []
    for task in tasks:
        fallen = {run["run"]: bool(run["collapsed"]) for run in task.metrics["runs"]}
        for run, curve in task.curves.items():
            first = {"task": task.name, "run": run, "collapsed": fallen[run]}
            for place in range(len(curve["epoch"])):
                rows.append(first | {name: values[place] for name, values in curve.items()})
    columns = dict.fromkeys(name for row in rows for name in row)
    write_csv(path, list(columns), rows)


def write_rejects(path: Path, rejects: list[dict]) -> None:
    """Write every rejected sample with its step and reason."""
    write_csv(path, REJECTS.names, rejects)


def write_slices(path: Path, tasks: list[Task]) -> None:
    """Write one row per slice's row and group, with its gap; differences of all have no group."""
    columns = [
        "task", "source", "attribute", "backbone", "configuration", "level", "metric", "seeds",
        "group", "n", "clusters", "values", "mean", "low", "high", "worst", "gap", "gap_low",
        "gap_high", "expected", "p", "p_holm", "confidence", "collapsed", "note", "runs",
    ]  # fmt: skip
    rows = (
        row | {"collapsed": words.pair(row) in task.collapsed}
        for task in tasks
        for each in task.slices
        for row in _slices(each)
    )
    write_csv(path, columns, rows)


def _slices(sliced: Slices) -> Iterable[dict]:
    shared = {
        "task": sliced["task"],
        "source": sliced["source"],
        "confidence": sliced["confidence"],
    }
    for row in sliced["rows"]:
        gap = {"gap_low": row["low"], "gap_high": row["high"]}
        for group in row["groups"]:
            note = "; ".join(filter(None, (group["note"], row["note"])))
            is_worst = group["group"] == row["worst"]
            yield shared | row | gap | group | {"worst": is_worst, "note": note}
    yield from (shared | row for row in sliced["disparities"])


def write_robustness(path: Path, tasks: list[Task]) -> None:
    """Write rows of clean, re-encoded alike, each perturbation and strength, and of means."""
    columns = [
        "task", "backbone", "configuration", "level", "metric", "n", "groups", "seeds",
        "perturbation", "strength", "values", "mean", "low", "high", "confidence", "baseline",
        "drop", "drop_low", "drop_high", "retained", "retained_low", "retained_high", "collapsed",
        "note", "runs",
    ]  # fmt: skip
    write_csv(path, columns, (row for task in tasks for row in _robustness(task)))


def _robustness(task: Task) -> Iterable[dict]:
    scores = task.robustness
    shared = {"task": scores["task"], "confidence": scores["confidence"]}
    for row in scores["rows"]:
        own = {**shared, **row, "collapsed": words.pair(row) in task.collapsed}
        yield own | row["clean"] | {"perturbation": "none", "strength": 0}
        recoded = row["recoded"]
        share = {
            "retained": recoded["survives"],
            "retained_low": recoded["survives_low"],
            "retained_high": recoded["survives_high"],
        }
        yield own | recoded | share | {"perturbation": "recoded", "strength": 0}
        yield from (own | point for point in row["points"])
        yield from (own | kind | {"strength": "mean"} for kind in row["kinds"])
        yield own | row["corrupted"] | {"perturbation": "mean", "strength": "mean"}
