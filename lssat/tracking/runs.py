"""What is known of finished runs goes to MLflow: their tests, weights, description, report.

A training has told MLflow of itself while it went on (`live`). Where it has not, or was cut off,
its run is made or completed here from its own files, with the times at which things happened.
Logging again changes nothing.
"""

import csv
import io
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, cast

from lssat import grid
from lssat.report.kit import linechart
from lssat.tables import (
    DataError,
    Metrics,
    Record,
    RunMetrics,
    Times,
    read_json,
    read_metrics,
    read_record,
    vouched,
    write_json,
)
from lssat.tables.project import RunFiles
from lssat.tracking import entry, experiment, external, names, parents, store
from lssat.tracking.experiment import connect

__all__ = ["Files", "connect", "lacking", "track", "track_more", "track_report"]

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


class Tracked(TypedDict):
    """results/tasks/<task>/mlflow.json: where the runs of a task are in MLflow."""

    experiment: str
    parent: str  # id of the run that holds the report
    runs: dict[str, str]  # path of a run -> id of its MLflow run


def _tracked(file: Path) -> Tracked:
    return cast(Tracked, read_json(file))


@dataclass(frozen=True)
class Files:
    """Where the logging reads and writes."""

    runs: dict[str, Path]  # path of a run (its name) -> its folder
    metrics: Path  # of the task
    database: Path  # used when params give no uri
    artifacts: Path  # folder
    out: Path


def track(task: str, files: Files, base: str, uri: str | None) -> None:
    """Complete the MLflow runs of a task, or make them: curve, costs, tests, weights, description.

    Rows of other programs are runs too, marked `external`.

    Args:
        base: the experiment's name becomes `<base>-<task>`.
        uri: of a tracking server or database; None: SQLite at `files.database`.
    """
    with store.named(uri, files.database):
        name = f"{base}-{task}"
        client, experiment_id = connect(uri, files.database, name, files.artifacts)
        content = read_metrics(files.metrics, "runs", "table")
        measured = {run_metrics["run"]: run_metrics for run_metrics in content["runs"]}
        ids, weights = {}, {}
        for number, (run, folder) in enumerate(sorted(files.runs.items()), start=1):
            record = read_record(RunFiles(folder).record, *_NEEDS)
            weights[run] = record["weights_sha256"]
            tests = _tests(content, measured[run])
            ids[run] = _complete(client, experiment_id, _Finished(run, folder, record), tests)
            print(f"{task}: {number} of {len(files.runs)} runs in MLflow", flush=True)
        for run, told in measured.items():
            if "external" in told:
                other = external.run_of(client, experiment_id, told)
                _log_test(client, other, _tests(content, told))
                ids[run] = other.info.run_id
        parent = parents.parent(client, experiment_id, content, weights)
        parents.describe(client, parent, content)
        parents.adopt(client, parent, list(ids.values()))
        write_json(files.out, Tracked(experiment=name, parent=parent, runs=ids))


def _tests(content: Metrics, run: RunMetrics) -> dict[str, float | None]:
    """Return a run's test metrics under MLflow's names, those that all tasks share among them."""
    alike = parents.alike(content, run)
    first = {names.HEADLINE: alike.pop("headline")}
    return first | names.keyed("test_", alike | run["metrics"] | _neighbours(content, run))


def _neighbours(content: Metrics, run: Any) -> dict[str, float | None]:
    """Return the k-NN score of a probe's frozen features; nothing of other runs."""
    return {
        f"{row['level']}/knn_{row['metric']}": row["values"][row["runs"].index(run["run"])]
        for row in content.get("nearest", [])
        if run["run"] in row["runs"]
    }


@dataclass(frozen=True)
class _Finished:
    """A run whose files are all there."""

    path: str
    folder: Path
    record: Record

    @property
    def times(self) -> Times:
        """When it started, ended, and its epochs did; older records lack that: as if just now."""
        if "times" in self.record:
            return self.record["times"]
        ended = RunFiles(self.folder).record.stat().st_mtime
        started, rows = ended - self.record["seconds"], len(self.curve)
        per_epoch = (ended - started) / rows
        epochs = [started + per_epoch * number for number in range(rows)]
        return Times(started=started, ended=ended, epochs=epochs)

    @property
    def curve(self) -> list[dict[str, Any]]:
        """The curve: column -> value, None where it was undefined in the epoch."""
        data = vouched(RunFiles(self.folder).curve, self.record["curve_sha256"], "record.json")
        lines = csv.DictReader(io.StringIO(data.decode(), newline=""))
        return [{k: float(v) if v else None for k, v in row.items()} for row in lines]

    @property
    def training(self) -> entry.Training:
        """What was known at its start."""
        record, run = self.record, grid.Run.of(self.path)
        return entry.Training(
            run=run,
            started=self.times["started"],
            params=record["params"],
            data=record["data"],
            git=record["git"],
            device=record["device"],
        )

    @property
    def metric(self) -> str:
        """The headline of its task."""
        return str(self.record.get("predicts", {}).get("metric"))


def _complete(
    client: Any, experiment_id: str, run: _Finished, tests: dict[str, float | None]
) -> str:
    """Bring the MLflow run of a finished run up to date; return its id."""
    known = entry.runs(client, experiment_id, run.path)
    weights = run.record["weights_sha256"]
    timed = "times" in run.record
    tag, value = (entry.STARTED, run.training.key) if timed else (entry.WEIGHTS, weights)
    own = next((logged for logged in known if logged.data.tags.get(tag) == value), None)
    entry.sweep(client, [logged for logged in known if logged is not own])
    if own is None:
        own = client.get_run(entry.create(client, experiment_id, run.training))
    if own.data.tags.get(entry.WEIGHTS) != weights:
        _finish(client, experiment_id, own, run)
        own = client.get_run(own.info.run_id)
    _log_test(client, own, tests)
    return str(own.info.run_id)


def _finish(client: Any, experiment_id: str, logged: Any, run: _Finished) -> None:
    """Give a run what its files hold; the tag that says so comes last."""
    run_id, times = logged.info.run_id, run.times
    entry.facts(client, run_id, run.training)
    entry.log_epochs(client, logged, run.curve, times["epochs"], run.metric)
    client.log_batch(run_id, metrics=_costs(run.record, entry.millis(times["ended"])))
    files = RunFiles(run.folder)
    for file in (files.record, files.curve):
        client.log_artifact(run_id, str(file))
    client.log_text(run_id, linechart.svg(_panels(run)), "curves.svg")
    client.set_tag(run_id, "mlflow.note.content", _note(run_id, run))
    if not logged.outputs.model_outputs:
        _log_weights(client, experiment_id, run_id, run)
    client.set_terminated(run_id, "FINISHED", entry.millis(times["ended"]))
    client.set_tag(run_id, entry.WEIGHTS, run.record["weights_sha256"])


def _panels(run: _Finished) -> list[linechart.Panel]:
    rows = run.curve
    wanted = {"loss": ("loss_cls", "val_loss_cls"), run.metric: (f"val_{run.metric}",)}
    return [
        linechart.Panel(title, {name: [row.get(name) for row in rows] for name in columns})
        for title, columns in wanted.items()
    ]


def _note(run_id: str, run: _Finished) -> str:
    record = run.record
    picture = f"![Loss and headline by epoch](get-artifact?path=curves.svg&run_uuid={run_id})"
    lines = [
        f"**{record['backbone']}**, {record['configuration']}, seed {record['seed']}: "
        f"weights of epoch {record['best_epoch']}, chosen on validation.",
        picture,
    ]
    return entry.note(run.path, lines)


def _log_weights(client: Any, experiment_id: str, run_id: str, run: _Finished) -> None:
    """Make the weights a model of MLflow's: a safetensors file, nothing that is unpickled."""
    from mlflow.entities import LoggedModelOutput

    own = {key: str(run.record[key]) for key in ("backbone", "configuration", "seed")}  # type: ignore[literal-required]
    name = names.model(run.path)
    tags = {entry.WEIGHTS: run.record["weights_sha256"]}
    model = client.create_logged_model(experiment_id, name, run_id, tags, own, "ssat")
    weights = RunFiles(run.folder).weights
    if weights.exists():
        _place(client, model, weights)
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])


def _place(client: Any, model: Any, weights: Path) -> None:
    """Store weights with their model; beside it on the disk, by a link, so that they lie once."""
    from mlflow.utils.file_utils import local_file_uri_to_path

    if model.artifact_location.startswith("file:"):
        folder = Path(local_file_uri_to_path(model.artifact_location))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.link(weights, folder / weights.name)
        except OSError:  # another disk
            client.log_model_artifact(model.model_id, str(weights))
    else:
        client.log_model_artifact(model.model_id, str(weights))


def lacking(tracked: list[Path], database: Path, uri: str | None) -> list[Path]:
    """Return those files of MLflow ids, as `track` writes them, of which a run is not there.

    So it is where results came from another machine, or from another state of `mlflow.db`.
    """
    with store.named(uri, database):
        client = experiment.client(uri, database)
        incomplete = []
        for file in tracked:
            logged = _tracked(file)
            ids = [logged["parent"], *logged["runs"].values()]
            if not all(parents.known(client, run_id) for run_id in ids):
                incomplete.append(file)
        return incomplete


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
        client = experiment.client(uri, database)
        held: dict[str, str | None] = {}
        for file in tracked:
            known = _tracked(file)
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
    """Add what a later step measured to MLflow runs: `cross_<dataset>_...`, `slice_...`.

    Args:
        prefix: of the metrics' names; a slash becomes `_`.
        measured: the JSON of that step, with `runs`: each a `run` with its `metrics`.
        tracked: what `track` wrote: the ids of the MLflow runs.
        out: JSON to write: the experiment and the ids of the runs that were added to.

    Raises:
        DataError: MLflow has lost the experiment, e.g. its database was removed.
    """
    with store.named(uri, database):
        known = _tracked(tracked)
        client = experiment.client(uri, database)
        there = client.get_experiment_by_name(known["experiment"])
        if there is None:
            problem = f"names the experiment {known['experiment']}, which MLflow does not have"
            raise DataError(
                tracked, problem, "Remove this file, so that its step logs the runs again"
            )
        ids = {}
        for result in read_json(measured)["runs"]:
            if "external" in result and result["run"] not in known["runs"]:  # of this set alone
                own = external.run_of(client, there.experiment_id, result)
                parents.adopt(client, known["parent"], [own.info.run_id])
            else:
                own = client.get_run(known["runs"][result["run"]])
            ids[result["run"]] = own.info.run_id
            _log_test(client, own, names.keyed(prefix, result["metrics"]))
        write_json(out, {"experiment": known["experiment"], "runs": ids})


def _costs(record: Record, at: int) -> list[Any]:
    from mlflow.entities import Metric

    costs: dict[str, float] = {
        "parameters": record["parameters"],
        "decoder_parameters": record["decoder_parameters"],
        "seconds": record["seconds"],
        "imgs_per_second": record["imgs_per_second"],
        "best_epoch": record["best_epoch"],
    }
    costs |= {k: v for k, v in record.get("costs", {}).items() if isinstance(v, (int, float))}
    return [Metric(f"run_{name}", float(value), at, 0) for name, value in costs.items()]


def _log_test(client: Any, run: Any, metrics: dict[str, float | None]) -> None:
    """Log what a run has not at the time of its end, for its model too; what it has otherwise, now.

    A store takes one value of a model's metric at a time.
    """
    from mlflow.entities import Metric

    models = [output.model_id for output in run.outputs.model_outputs]
    end, now, known = run.info.end_time, entry.millis(time.time()), entry.measured(run)
    new = {k: v for k, v in metrics.items() if v is not None and known.get(k) != float(v)}
    model = models[0] if models else None
    logged = [
        Metric(key, float(value), now if key in known else end, 0, model_id=model)
        for key, value in new.items()
    ]
    client.log_batch(run.info.run_id, logged)
