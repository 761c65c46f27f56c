"""MLflow, and nothing else knows it: every finished run of a task becomes one MLflow run.

Logging from the runs' own files, in one process for a task, is fast, survives a restart and can
be repeated: a run that the database holds already (same path, same weights) is brought up to
date, a retrained one is added beside the old one.
"""

import csv
import fcntl
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lssat import grid
from lssat.tables import (
    DataError,
    Record,
    dotted,
    read_json,
    read_metrics,
    read_record,
    refusing,
    vouched,
    write_json,
)
from lssat.tracking import parents, store

_NAME = "lssat.run"
_NEEDS = (
    "backbone",
    "configuration",
    "seed",
    "device",
    "params",
    "data",
    "git",
    "weights_sha256",
    "curve_sha256",
)
_KEY = "lssat.weights_sha256"


@dataclass(frozen=True)
class Files:
    """Where the logging reads and writes."""

    runs: dict[str, Path]  # path of a run (its name) -> its folder
    metrics: Path  # of the task
    database: Path  # used when params give no uri
    artifacts: Path  # folder
    out: Path


def in_project(path: Path) -> Path:
    """Return where a file of MLflow's lies: below the project's folder, which is the current one.

    `dvc exp run --temp` works in a copy below `.dvc/tmp/exps`, which it removes: what is logged
    there belongs to the project.
    """
    here = Path.cwd()
    for folder in here.parents:
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            return folder.parents[2] / path
    return here / path


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """Let one process at a time in: MLflow's first use of a new database is a race."""
    if database.exists() and not os.access(database, os.W_OK, effective_ids=True):
        fix = f"Make it writable for uid {os.geteuid()}, or name another database"
        raise DataError(database, "cannot be written: it is read-only", fix)
    with refusing(database):
        database.parent.mkdir(parents=True, exist_ok=True)
        lock = open(database.with_name(f"{database.name}.lock"), "w")  # noqa: SIM115
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def connect(uri: str | None, database: Path, experiment: str, artifacts: Path) -> tuple[Any, str]:
    """Open the tracking store, making it and the experiment where they are new.

    Returns:
        the MLflow client and the experiment's id.
    """
    with _alone(in_project(database)):
        client = store.client(uri, in_project(database))
        found = client.get_experiment_by_name(experiment)
        if found is not None:
            return client, found.experiment_id
        # A server decides by itself where artifacts lie; for the local database we say it.
        place = None if uri else (in_project(artifacts) / experiment).as_uri()
        # Without the kind MLflow's pages open on those for language models, with no run in sight.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        return client, client.create_experiment(experiment, artifact_location=place, tags=kind)


def track(task: str, files: Files, experiment: str, uri: str | None) -> None:
    """Log all runs of a task: parameters, curves, test metrics, tags, record.

    Args:
        experiment: the experiment's name becomes `<experiment>-<task>`.
        uri: of a tracking server or database; None: SQLite at `files.database`.
    """
    with store.named(uri, files.database):
        client, experiment_id = connect(
            uri, files.database, f"{experiment}-{task}", files.artifacts
        )
        content = read_metrics(files.metrics, "runs", "table")
        measured = {each["run"]: each for each in content["runs"]}
        ids, weights = {}, {}
        for number, (name, folder) in enumerate(sorted(files.runs.items()), start=1):
            record = read_record(folder / "record.json", *_NEEDS)
            _sweep(client, experiment_id, name)
            weights[name] = record["weights_sha256"]
            alike = parents.alike(content, measured[name])
            run_id = _find(client, experiment_id, name, weights[name])
            ids[name] = run_id or _create(client, experiment_id, name, folder, record, alike)
            _log_test(client, ids[name], alike | measured[name]["metrics"])
            print(f"{task}: {number} of {len(files.runs)} runs in MLflow", flush=True)
        parent = parents.parent(client, experiment_id, content, weights)
        _log_test(client, parent, parents.means(content), prefix="")
        parents.adopt(client, parent, list(ids.values()))
        told = {"experiment": f"{experiment}-{task}", "parent": parent, "runs": ids}
        write_json(files.out, told)


def lacking(tracked: list[Path], database: Path, uri: str | None) -> list[Path]:
    """Return those files of MLflow ids, as `track` writes them, of which a run is not there.

    So it is where results came from another machine, or from another state of `mlflow.db`.
    """
    with store.named(uri, database):
        with _alone(in_project(database)):
            client = store.client(uri, in_project(database))
        found = []
        for file in tracked:
            told = read_json(file)
            ids = (told["parent"], *told["runs"].values())
            if not all(parents.known(client, run_id) for run_id in ids):
                found.append(file)
        return found


def track_report(
    tracked: list[Path], files: list[Path], database: Path, uri: str | None, out: Path
) -> None:
    """Attach the report to the parent run of each task.

    Where results were pulled from elsewhere, this MLflow has not got their runs: then the report
    stays where it is, and `out` says so.

    Args:
        tracked: what `track` wrote for each task.
        files: the page, its figures and its tables.
        out: JSON to write: experiment -> id of the parent run that holds the report, or null.
    """
    with store.named(uri, database):
        with _alone(in_project(database)):
            client = store.client(uri, in_project(database))
        held: dict[str, str | None] = {}
        for file in tracked:
            known = read_json(file)
            there = parents.known(client, known["parent"])
            if there:
                parents.attach(client, known["parent"], files)
            else:
                lost = f"{file}: names the run {known['parent']}, which this MLflow does not have"
                print(f"{lost}; the report is attached to none. Remove it to log the runs here.")
            held[known["experiment"]] = known["parent"] if there else None
        write_json(out, held)


def track_more(
    prefix: str, measured: Path, tracked: Path, database: Path, uri: str | None, out: Path
) -> None:
    """Add what a later step measured to MLflow runs: `cross/<dataset>/...`, `slice/...`.

    Args:
        prefix: of the metrics' names, with its slash.
        measured: the JSON of that step, with `runs`: each a `run` with its `metrics`.
        tracked: what `track` wrote: the ids of the MLflow runs.
        out: JSON to write: the experiment and the ids of the runs that were added to.

    Raises:
        DataError: MLflow has lost the experiment, e.g. its database was removed.
    """
    with store.named(uri, database):
        known = read_json(tracked)
        with _alone(in_project(database)):
            client = store.client(uri, in_project(database))
        there = client.get_experiment_by_name(known["experiment"])
        if there is None:
            problem = f"names the experiment {known['experiment']}, which MLflow does not have"
            raise DataError(
                tracked, problem, "Remove this file, so that its step logs the runs again"
            )
        ids = {}
        for each in read_json(measured)["runs"]:
            ids[each["run"]] = known["runs"][each["run"]]
            named = parents.keyed(prefix, each["metrics"])
            _log_test(client, ids[each["run"]], named, prefix="")
        write_json(out, {"experiment": known["experiment"], "runs": ids})


def fail(
    run: grid.Run,
    why: str,
    params: SimpleNamespace,
    tracking: dict[str, Any],
    database: Path = Path("mlflow.db"),
    artifacts: Path = Path("mlartifacts"),
) -> None:
    """Log a training that ended with an error as an MLflow run with the status FAILED.

    Args:
        why: the error's text; it becomes the run's tag `lssat.error`.
        params: the view of the rule `train`.
        tracking: values of the section `tracking`.
    """
    with store.named(tracking["uri"], database):
        experiment = f"{tracking['experiment']}-{run.task}"
        client, experiment_id = connect(tracking["uri"], database, experiment, artifacts)
        tags = {_NAME: run.path, "lssat.task": run.task, "lssat.error": why[:5000]}
        made = client.create_run(
            experiment_id, tags=tags, run_name=run.path.split("/", maxsplit=1)[1]
        )
        values = {key: value.model_dump() for key, value in vars(params).items()}
        client.log_batch(made.info.run_id, params=_params(values))
        client.set_terminated(made.info.run_id, "FAILED")


def _sweep(client: Any, experiment_id: str, name: str) -> None:
    """Mark as KILLED what a killed process left as RUNNING; only one logs a run at a time."""
    left = f"tags.`{_NAME}` = '{name}' and attributes.status = 'RUNNING'"
    for run in client.search_runs([experiment_id], left):
        client.set_terminated(run.info.run_id, "KILLED")


def _find(client: Any, experiment_id: str, name: str, digest: str) -> str | None:
    wanted = f"tags.`{_NAME}` = '{name}' and tags.`{_KEY}` = '{digest}'"
    found = client.search_runs(
        [experiment_id], f"{wanted} and attributes.status = 'FINISHED'", max_results=1
    )
    return found[0].info.run_id if found else None


def _create(
    client: Any, experiment_id: str, name: str, folder: Path, record: Record, first: dict
) -> str:
    """Make a run; MLflow's page of comparisons opens with the metric that was logged first."""

    run = client.create_run(
        experiment_id, tags=_tags(name, record), run_name=name.split("/", maxsplit=1)[1]
    )
    run_id = run.info.run_id
    own = {key: record[key] for key in ("backbone", "configuration", "seed", "device")}
    params = _params(record["params"] | own)
    metrics = _metrics(first, "test/")
    metrics += _curve(folder / "curve.csv", record, run.info.start_time) + _costs(record)
    client.log_batch(run_id, metrics, params)
    for file in ("record.json", "curve.csv"):
        client.log_artifact(run_id, str(folder / file))
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _tags(name: str, record: Record) -> dict[str, str]:
    run = grid.Run.of(name)
    tags = {
        _NAME: name,
        _KEY: record["weights_sha256"],
        "lssat.task": run.task,
        "lssat.data_sha256": json.dumps(record["data"], sort_keys=True),
        "lssat.git_dirty": str(record["git"]["dirty"]),
        "mlflow.source.name": f"lssat train {run.path}",
    }
    if record["git"]["revision"]:
        tags["mlflow.source.git.commit"] = record["git"]["revision"]
    return tags


def _params(values: dict[str, Any]) -> list[Any]:
    from mlflow.entities import Param

    return [Param(key, str(value)) for key, value in dotted(values).items()]


def _curve(file: Path, record: Record, start: int) -> list[Any]:
    from mlflow.entities import Metric

    found = []
    data = vouched(file, record["curve_sha256"], "record.json")
    for row in csv.DictReader(io.StringIO(data.decode(), newline="")):
        epoch = int(row.pop("epoch"))
        for key, value in row.items():
            if value != "":  # undefined in this epoch
                found.append(Metric(_metric_name(key), float(value), start + epoch, epoch))
    return found


def _metric_name(column: str) -> str:
    split, rest = column.split("_", 1) if column.startswith("val_") else ("train", column)
    return f"{split}/{rest}"


def _costs(record: Record) -> list[Any]:
    from mlflow.entities import Metric

    names = ("parameters", "decoder_parameters", "seconds", "imgs_per_second", "best_epoch")
    made: Mapping[str, Any] = record
    found = {name: made[name] for name in names}
    found |= {k: v for k, v in record.get("costs", {}).items() if isinstance(v, (int, float))}
    return [Metric(f"cost/{name}", float(value), 0, 0) for name, value in found.items()]


def _metrics(values: dict[str, float | None], prefix: str) -> list[Any]:
    from mlflow.entities import Metric

    known = {name: value for name, value in values.items() if value is not None}
    return [Metric(f"{prefix}{name}", float(value), 0, 0) for name, value in known.items()]


def _log_test(
    client: Any, run_id: str, metrics: dict[str, float | None], prefix: str = "test/"
) -> None:
    known = client.get_run(run_id).data.metrics
    new = [each for each in _metrics(metrics, prefix) if known.get(each.key) != each.value]
    client.log_batch(run_id, new)
