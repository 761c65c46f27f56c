"""The report's numbers as CSV, unrounded; text that a spreadsheet would run is made harmless."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lssat import tables
from lssat.report.kit import words
from lssat.report.kit.results import Cross, Task
from lssat.report.sections import costs, format_alone
from lssat.tables import REJECTS, RunMetrics

# What stands beside every number.
_NUMBER = [
    "n", "groups", "seeds", "values", "mean", "low", "high", "confidence", "resamples",
    "baseline", "beats_baseline", "collapsed", "note",
]  # fmt: skip
_OF_RUN = [
    "best_epoch", "epochs", "select_metric", "best_value", "parameters", "decoder_parameters",
    "seconds", "imgs_per_second",
]  # fmt: skip
_EACH = [
    "task", "dataset", "split", "backbone", "configuration", "class", "prevalence",
    "train_prevalence", "level", "metric", *_NUMBER,
]  # fmt: skip
_COSTS = [cost.name for cost in costs.COSTS]


def safe(value: Any) -> Any:
    """Return the cell for a value: text that begins like a formula gets an apostrophe in front.

    Source: OWASP, "CSV Injection" (= + - @, tab and carriage return).
    """
    if isinstance(value, list | tuple):
        return safe(";".join("" if item is None else str(item) for item in value))
    return f"'{value}" if isinstance(value, str) and value[:1] in set("=+-@\t\r") else value


def write_csv(path: Path, columns: list[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows under `columns`; None becomes an empty cell."""
    cells = ([safe(row.get(column)) for column in columns] for row in rows)
    tables.write_csv(path, map(safe, columns), cells)


def write_rejects(path: Path, rejects: list[dict]) -> None:
    """Write every rejected sample with its step and reason."""
    write_csv(path, REJECTS.names, rejects)


def write(name: str, path: Path, tasks: Sequence[Task | Cross]) -> None:
    """Write one of `TABLES`; those of trainings leave out data sets that were only tested on."""
    table = TABLES[name]
    kept = tasks if table.tested else [task for task in tasks if isinstance(task, Task)]
    rows = [row for task in kept for row in table.rows(task)]
    columns = table.columns
    if table.open:
        columns = [
            *columns,
            *dict.fromkeys(key for row in rows for key in row if key not in columns),
        ]
    write_csv(path, columns, rows)


def _table(task: Task | Cross) -> Iterable[dict]:
    """Yield the rows of all metrics, and last those of the format alone.

    That is a baseline, so without configuration and runs.
    """
    facts = _facts(task.metrics, "task", "dataset", "split", "confidence", "resamples")
    facts |= _facts(task.metrics, "coverage", "coverage_present")
    for row in task.metrics["table"]:
        yield {**row, **facts, "headline": words.is_headline(row, task.metrics)}
    if isinstance(task, Task):
        yield from _format(task)


def _facts(content: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return what holds for all rows of a file."""
    return {name: content[name] for name in names}


def _format(task: Task) -> Iterable[dict]:
    """Yield what size, quality and codec of the files reach, by metric."""
    probe = task.format
    facts = _facts(probe, "task", "split", "level", "n", "groups", "confidence")
    facts |= _facts(task.metrics, "dataset", "coverage", "coverage_present")
    facts |= {"backbone": format_alone.LABEL, "swept": False}
    for row in probe["rows"]:
        score = {"mean": row["value"], "values": [row["value"]]}
        is_headline = row["metric"] == task.metrics["metric"]
        above = {"beats_baseline": probe["above"]} if is_headline else {}
        yield {**row, **facts, **score, "headline": is_headline, **above}


def _part(name: str, kind: str = "") -> Callable[[Task | Cross], Iterable[dict]]:
    """Return what yields the rows of a part of metrics.json, of tasks of a kind if one is given."""

    def rows(task: Task | Cross) -> Iterable[dict]:
        facts = _facts(task.metrics, "task", "dataset", "split", "confidence", "resamples", name)
        found = facts.pop(name) if kind in ("", task.metrics["kind"]) else []
        yield from ({**row, **facts} for row in found)

    return rows


def _confusion(task: Task | Cross) -> Iterable[dict]:
    """Yield true x predicted class: `count` summed over seeds, `share` of the true class."""
    for row in _part("confusion")(task):
        for i, true in enumerate(row["classes"]):
            for j, predicted in enumerate(row["classes"]):
                cell = {"true": true, "predicted": predicted}
                if row["counts"] is not None:
                    shares = row["shares"][i]
                    cell["count"] = row["counts"][i][j]
                    cell["share"] = None if shares is None else shares[j]
                yield {**row, **cell}


def _comparisons(task: Task) -> Iterable[dict]:
    """Yield pairs of rows, and of backbones by their means over shared configurations."""
    over_all = {"compared": "backbone, mean over configurations", "n": None, "groups": None}
    means: list[Mapping[str, Any]] = [{**row, **over_all} for row in task.metrics["backbones"]]
    for row in (*task.metrics["comparisons"], *means):
        arms: dict[str, Any] = {"task": task.name}
        for arm in "ab":
            name = row[arm]["backbone"], row[arm].get("configuration")
            arms[f"backbone_{arm}"], arms[f"configuration_{arm}"] = name
            arms[f"seeds_{arm}"] = row[arm]["seeds"]
            arms[f"collapsed_{arm}"] = name in task.collapsed if name[1] else None
        yield {**row, **arms}


def _run(task: Task, run: RunMetrics) -> dict[str, Any]:
    """Return the row of a run; of how another program made one nothing is known."""
    row = {**run, **_facts(task.metrics, "dataset", "split"), "task": task.name}
    row = {name: value for name, value in row.items() if name in TABLES["runs"].columns}
    record: Mapping[str, Any] | None = task.records.get(run["run"])
    if record is None:
        return row | run["metrics"]
    return {
        **row,
        **{key: record[key] for key in _OF_RUN},
        "mlflow_experiment": task.files.experiment,
        "mlflow_run": run["run"].split("/", maxsplit=1)[1],
        "git_revision": record["git"]["revision"],
        "git_dirty": record["git"]["dirty"],
        **{f"data_{part}": digest for part, digest in record["data"].items()},
        **run["metrics"],
    }


def _costs(task: Task) -> Iterable[dict]:
    """Yield the headline rows with their costs in the records' own units, and their fronts.

    A cost is the mean over seeds, `<cost>_by_seed` holds each; `front_<cost>` says whether the
    row is on the Pareto front of the means.
    """
    rows = costs.priced(task)
    fronts = {cost.name: costs.front(rows, cost) for cost in costs.COSTS}
    for entry in rows:
        row: dict[str, Any] = {"task": task.name, "devices": entry.devices}
        for name in _COSTS:
            row[name] = entry.mean(name)
            row[f"{name}_by_seed"] = entry.seeds.get(name)
            row[f"front_{name}"] = any(entry is other for other in fronts[name])
        yield {**entry.row, **row}


def _curves(task: Task) -> Iterable[dict]:
    """Yield each run's epochs: both losses unweighted, and each validation metric."""
    collapsed = {run["run"]: run["collapsed"] for run in task.metrics["runs"]}
    for run, curve in task.curves.items():
        for values in zip(*curve.values(), strict=True):
            epoch = dict(zip(curve, values, strict=True))
            yield {"task": task.name, "run": run, "collapsed": collapsed[run], **epoch}


def _slices(task: Task) -> Iterable[dict]:
    """Yield each group of a slice's row with the row's gap; differences of all have no group."""
    for sliced in task.slices:
        facts = _facts(sliced, "task", "source", "confidence")
        for row in sliced["rows"]:
            shared = {**facts, **row, "collapsed": words.pair(row) in task.collapsed}
            shared |= {"gap_low": row["low"], "gap_high": row["high"]}
            for group in row["groups"]:
                note = "; ".join(filter(None, (group["note"], row["note"])))
                yield {**shared, **group, "worst": group["group"] == row["worst"], "note": note}
        for disparity in sliced["disparities"]:
            yield {**facts, **disparity, "collapsed": words.pair(disparity) in task.collapsed}


def _robustness(task: Task) -> Iterable[dict]:
    """Yield clean, re-encoded alike, each perturbation and strength, and the means."""
    scores = task.robustness
    for row in scores["rows"]:
        shared = {**row, **_facts(scores, "task", "confidence")}
        shared |= {"collapsed": words.pair(row) in task.collapsed}
        recoded: Mapping[str, Any] = row["recoded"]
        left = {f"retained{end}": recoded[f"survives{end}"] for end in ("", "_low", "_high")}
        yield shared | row["clean"] | {"perturbation": "none", "strength": 0}
        yield {**shared, **recoded, **left, "perturbation": "recoded", "strength": 0}
        yield from (shared | point for point in row["points"])
        yield from (shared | kind | {"strength": "mean"} for kind in row["kinds"])
        yield shared | row["corrupted"] | {"perturbation": "mean", "strength": "mean"}


class Csv(NamedTuple):
    """One file: its columns, and the rows of a task."""

    columns: list[str]
    rows: Callable[[Any], Iterable[Mapping[str, Any]]]
    tested: bool = False  # also of data sets that runs were only tested on
    open: bool = False  # what else the rows have makes further columns


TABLES = {
    "table": Csv(
        ["task", "dataset", "split", "backbone", "configuration", "level", "metric", "headline",
         "n", "groups", "seeds", "values", "mean", "low", "high", "confidence", "resamples",
         "baseline", "beats_baseline", "collapsed", "swept", "coverage",
         "coverage_present", "note", "runs"],
        _table,
        tested=True,
    ),
    "subsets": Csv(
        ["task", "dataset", "split", "backbone", "configuration", "subset", "level", "metric",
         *_NUMBER, "runs"],
        _part("subsets"),
        tested=True,
    ),
    "attributes": Csv(_EACH, _part("each", "multilabel"), tested=True),
    "classes": Csv(_EACH, _part("each", "multiclass"), tested=True),
    "confusion": Csv(
        ["task", "dataset", "split", "backbone", "configuration", "level", "n", "seeds", "true",
         "predicted", "count", "share", "collapsed", "note", "runs"],
        _confusion,
        tested=True,
    ),
    "comparisons": Csv(
        ["task", "compared", "backbone_a", "configuration_a", "seeds_a", "collapsed_a",
         "backbone_b", "configuration_b", "seeds_b", "collapsed_b", "level", "metric", "n",
         "groups", "difference", "low", "high", "effect", "error", "freedom", "p", "p_holm",
         "least", "note"],
        _comparisons,
    ),
    "runs": Csv(
        ["run", "task", "dataset", "split", "backbone", "configuration", "seed", *_OF_RUN,
         "collapsed", "mlflow_experiment", "mlflow_run", "git_revision", "git_dirty",
         "data_train", "data_val"],
        lambda task: [_run(task, run) for run in task.metrics["runs"]],
        open=True,
    ),
    "costs": Csv(
        ["task", "backbone", "configuration", "level", "metric", "n", "seeds", "mean", "low",
         "high", "baseline", "collapsed", "devices", "runs", *_COSTS,
         *(f"{name}_by_seed" for name in _COSTS), *(f"front_{name}" for name in _COSTS)],
        _costs,
    ),
    "curves": Csv([], _curves, open=True),
    "slices": Csv(
        ["task", "source", "attribute", "backbone", "configuration", "level", "metric", "seeds",
         "group", "n", "clusters", "values", "mean", "low", "high", "worst", "gap", "gap_low",
         "gap_high", "expected", "p", "p_holm", "confidence", "collapsed", "note", "runs"],
        _slices,
    ),
    "robustness": Csv(
        ["task", "backbone", "configuration", "level", "metric", "n", "groups", "seeds",
         "perturbation", "strength", "values", "mean", "low", "high", "confidence", "baseline",
         "drop", "drop_low", "drop_high", "retained", "retained_low", "retained_high",
         "collapsed", "note", "runs"],
        _robustness,
    ),
}  # fmt: skip
