"""The parent run of a benchmark in MLflow: one for each state of a task's grid.

A state is the set of a task's runs with their weights. Its runs are children of its parent, which
holds what belongs to none of them alone: means over seeds with their intervals, and the report.
A run that is in several states, since a seed was added, is a child of the newest.
"""

import hashlib
from pathlib import Path
from typing import Any

from lssat.grid import states
from lssat.tables import Metrics, RunMetrics, sha256

_STATE = "lssat.state"
_REPORT = "lssat.report_sha256"
_PARENT = "mlflow.parentRunId"  # MLflow's own name: its pages then fold children under parents


def parent(client: Any, experiment_id: str, content: Metrics, weights: dict[str, str]) -> str:
    """Return the id of the state's parent run, made where it is new.

    Args:
        content: of the task's metrics.json.
        weights: run -> sha256 of its weights.
    """
    digest = states.state(weights)
    wanted = f"tags.`{_STATE}` = '{digest}'"
    for left in client.search_runs([experiment_id], f"{wanted} and attributes.status = 'RUNNING'"):
        client.set_terminated(left.info.run_id, "KILLED")  # by a process that was killed
    finished = client.search_runs(
        [experiment_id], f"{wanted} and attributes.status = 'FINISHED'", max_results=1
    )
    return finished[0].info.run_id if finished else _create(client, experiment_id, content, weights)


def _create(client: Any, experiment_id: str, content: Metrics, weights: dict[str, str]) -> str:
    from mlflow.entities import Param

    runs = [run for run in content["runs"] if run["run"] in weights]  # not those of other programs
    tags = {"lssat.task": content["task"], "lssat.role": "benchmark"}
    tags[_STATE], name = states.state(weights), states.named(weights)
    run_id = client.create_run(experiment_id, tags=tags, run_name=name).info.run_id
    lists = {
        f"{key}s": ", ".join(map(str, dict.fromkeys(run[key] for run in runs)))
        for key in ("backbone", "configuration", "seed")
    }
    facts = {key: content[key] for key in ("task", "level", "metric", "confidence", "resamples")}
    logged = [Param(key, str(value)[:6000]) for key, value in {**facts, **lists}.items()]
    client.log_batch(run_id, params=logged)
    client.set_terminated(run_id, "FINISHED")
    return run_id


def describe(client: Any, parent_id: str, content: Metrics) -> None:
    """Give a parent its description: the headline of each row, mean over seeds and interval."""
    level, metric = content["level"], content["metric"]
    rows = [row for row in content["table"] if (row["level"], row["metric"]) == (level, metric)]
    lines = [
        f"| {row['backbone']} | {row['configuration']} | {_number(row['mean'])} | "
        f"{_number(row['low'])} to {_number(row['high'])} | "
        f"{'collapsed' if row['collapsed'] else ''} |"
        for row in rows
    ]
    head = (
        f"{level} {metric} on the test split, mean over seeds with its "
        f"{100 * content['confidence']:g} % interval"
    )
    if rows:
        head += f"; the trivial baseline has {_number(rows[0]['baseline'])}"
    columns = ["| backbone | configuration | mean | interval | flag |", "|---|---|---|---|---|"]
    text = "\n".join([f"{head}:", "", *columns, *lines])
    client.set_tag(parent_id, "mlflow.note.content", text[:5000])  # it takes so many


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def adopt(client: Any, parent_id: str, children: list[str]) -> None:
    """Make runs the children of a parent."""
    for child in children:
        if client.get_run(child).data.tags.get(_PARENT) != parent_id:
            client.set_tag(child, _PARENT, parent_id)


def alike(content: Metrics, run: RunMetrics) -> dict[str, float | None]:
    """Return a run's metrics under names that every task has, so that tasks can be compared.

    `headline` and its `baseline`, `accuracy` (top-1 where a sample is of one of many classes),
    `balanced_accuracy`, `collapsed` (0 or 1): all at the headline's level. `coverage` is of the
    listed samples, `coverage_present` of those that are there.
    """
    level, metric = content["level"], content["metric"]
    metrics = {
        name.removeprefix(f"{level}/"): value
        for name, value in run["metrics"].items()
        if name.startswith(f"{level}/")
    }
    rows = [row for row in content["table"] if (row["level"], row["metric"]) == (level, metric)]
    own = next(row for row in rows if run["run"] in row["runs"])
    return {
        "headline": metrics[metric],
        "baseline": own["baseline"],
        "accuracy": metrics["top1"] if content["kind"] == "multiclass" else metrics["accuracy"],
        "balanced_accuracy": metrics["balanced_accuracy"],
        "collapsed": float(run["collapsed"]),
        **{name: content[name] for name in ("coverage", "coverage_present") if name in content},
    }


def known(client: Any, run_id: str) -> bool:
    """Say whether MLflow has a run."""
    from mlflow.exceptions import MlflowException

    try:
        client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise
    return True


def attach(client: Any, run_id: str, files: list[Path]) -> None:
    """Attach files to a run below `report/`, unless the very same are there already."""
    lines = "\n".join(f"{file.name} {sha256(file)}" for file in files)
    digest = hashlib.sha256(lines.encode()).hexdigest()
    if client.get_run(run_id).data.tags.get(_REPORT) == digest:
        return
    for file in files:
        client.log_artifact(run_id, str(file), "report")
    client.set_tag(run_id, _REPORT, digest)
