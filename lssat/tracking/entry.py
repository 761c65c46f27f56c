"""One training as one MLflow run, made by its first epoch or from its record by the same code.

The run is known by its path and by the moment at which its training began. A tag counts the
epochs that it holds, so that whoever goes on with it, a resumed training or the step after the
last, logs none twice.
"""

import fcntl
import getpass
import json
import math
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from lssat import grid
from lssat.tables import dotted
from lssat.tables.project import Project
from lssat.tracking import names

NAME = "lssat.run"
STARTED = "lssat.started"  # milliseconds since 1970
WEIGHTS = "lssat.weights_sha256"  # set last: the run is complete
_EPOCHS = "lssat.epochs"
_LOCK, _HOST = "lssat.lock", "lssat.host"
_ROWS = 50  # epochs a call, of some ten metrics each: MLflow takes a thousand


class Training(NamedTuple):
    """What is known of a training from its start on."""

    run: grid.Run
    started: float  # seconds since 1970
    params: dict[str, Any]
    data: dict[str, str]  # split -> sha256
    git: Mapping[str, Any]
    device: str
    lock: Path | None = None  # which its process holds

    @property
    def key(self) -> str:
        """The moment at which it began, as its tag has it."""
        return f"{millis(self.started)}"


def millis(seconds: float) -> int:
    """Return MLflow's time."""
    return round(seconds * 1000)


def runs(client: Any, experiment_id: str, path: str) -> list[Any]:
    """List the MLflow runs of a run's trainings, newest first."""
    listed: list[Any] = client.search_runs([experiment_id], f"tags.`{NAME}` = '{path}'")
    return listed


def create(client: Any, experiment_id: str, training: Training) -> str:
    """Make a run, RUNNING since its training began."""
    created = client.create_run(
        experiment_id,
        start_time=millis(training.started),
        tags=_tags(training),
        run_name=names.of_run(training.run.path),
    )
    facts(client, created.info.run_id, training)
    return str(created.info.run_id)


def facts(client: Any, run_id: str, training: Training) -> None:
    """Log parameters, data sets, and a headline that is not known yet; again changes nothing."""
    from mlflow.entities import DatasetInput, InputTag, Metric, Param

    # MLflow's page of comparisons opens with the metric that its runs had first.
    unknown = Metric(names.HEADLINE, math.nan, millis(training.started), 0)

    run = training.run
    named = grid.parse(run.configuration)
    own = dict(backbone=run.backbone, configuration=str(replace(named, variant=None)))
    own |= dict(variant=named.variant or grid.BASE)
    # Its parts as well: a chart of MLflow's cuts what is longer than ten letters.
    own |= dict(masked=named.masked or "none", classified=named.classified)
    own |= dict(reconstructed="+".join(named.targets) or "none")
    values = dotted(training.params | own | dict(seed=run.seed, device=training.device))
    params = [Param(name, str(value)) for name, value in values.items()]
    client.log_batch(run_id, [unknown], params)
    contexts = {"train": "training", "val": "validation"}
    inputs = [
        DatasetInput(dataset(run.task, split, digest), [InputTag("mlflow.data.context", context)])
        for split, context in contexts.items()
        if (digest := training.data.get(split))
    ]
    client.log_inputs(run_id, datasets=inputs)


def dataset(task: str, split: str, digest: str) -> Any:
    """Return a split as MLflow knows it: by its file and the first half of its sha256."""
    from mlflow.entities import Dataset

    source = json.dumps({"uri": str(Project().data(task).splits.tables[split])})
    return Dataset(f"{task} {split}", digest[:32], "local", source)  # it takes 36 characters


def measured(run: Any) -> dict[str, float]:
    """Return the metrics that a run has, without those that are not known yet: NaN."""
    return {name: value for name, value in run.data.metrics.items() if not math.isnan(value)}


def _tags(training: Training) -> dict[str, str]:
    run, git = training.run, training.git
    tags = {
        NAME: run.path,
        STARTED: training.key,
        "lssat.task": run.task,
        "lssat.data_sha256": json.dumps(training.data, sort_keys=True),
        "lssat.git_dirty": str(git["dirty"]),
        "mlflow.source.name": f"lssat train --run {run.path}",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": _user(),
        "mlflow.note.content": note(run.path),
    }
    if git["revision"]:
        tags["mlflow.source.git.commit"] = git["revision"]
    if training.lock:
        tags |= {_LOCK: str(training.lock), _HOST: socket.gethostname()}
    given = ("DVC_STAGE", "DVC_EXP_NAME")
    return tags | {name.lower(): os.environ[name] for name in given if name in os.environ}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name, in a container
        return str(os.getuid())


def note(path: str, more: Iterable[str] = ()) -> str:
    """Return a run's description in Markdown: what more is known of it, and its commands."""
    lines = [
        *more,
        f"Train it again: `snakemake --cores 8 --forcerun train -- runs/{path}/record.json`",
        f"Use it: `lssat predict --run runs/{path} --out predicted PICTURES`",
    ]
    return "\n\n".join(lines)


def log_epochs(
    client: Any, run: Any, rows: list[dict[str, Any]], times: list[float], metric: str
) -> None:
    """Log the rows of a curve that a run does not hold yet.

    Args:
        run: its MLflow run, as it stands there.
        rows: all from the first epoch on: column -> value, None where it is undefined.
        times: at which each epoch ended, in seconds.
        metric: the task's headline, logged under the name that all tasks share too.
    """
    from mlflow.entities import Metric, RunTag

    held = int(run.data.tags.get(_EPOCHS, 0))
    for first in range(held, len(rows), _ROWS):
        metrics = []
        part = range(first, min(first + _ROWS, len(rows)))
        for number in part:
            row = dict(rows[number])
            epoch = int(row.pop("epoch"))
            row = {names.CURVE: row.get(f"val_{metric}")} | row
            at = millis(times[number])
            known = {name: float(value) for name, value in row.items() if value is not None}
            metrics += [Metric(name, value, at, epoch) for name, value in known.items()]
        client.log_batch(run.info.run_id, metrics, tags=[RunTag(_EPOCHS, str(part.stop))])


def sweep(client: Any, candidates: Iterable[Any], own: str = "") -> None:
    """Mark as KILLED those RUNNING whose process is gone.

    That is known where the file that a training holds locked as long as it lives is on this
    machine, and nobody holds it. Others stay as they are.

    Args:
        candidates: MLflow runs.
        own: the lock that this process holds, if it trains: then no other does.
    """
    for run in candidates:
        tags = run.data.tags
        here = tags.get(_HOST) == socket.gethostname()
        lock = tags.get(_LOCK)
        old = lock is None  # logged after its training, by a step that was killed
        if run.info.status == "RUNNING" and (old or (here and (lock == own or not _held(lock)))):
            client.set_terminated(run.info.run_id, "KILLED")


def _held(lock: str) -> bool:
    try:
        with open(lock, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # another process holds it; or it may not be looked at
        return True
    return False
