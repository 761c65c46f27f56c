"""The experiment of a task: where it is, and how MLflow's pages open it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lssat.tables import DataError, refusing
from lssat.tracking import names, store

_VIEW = "lssat"  # the name of the view that the experiment's description links to
_SHARED = f"mlflow.sharedViewState.{_VIEW}"
_COLUMNS = {  # of its table, and their widths in pixels
    "params.`backbone`": 110,
    "params.`configuration`": 150,
    "params.`seed`": 60,
    f"metrics.`{names.HEADLINE}`": 115,
    "metrics.`test_baseline`": 110,
    f"metrics.`{names.CURVE}`": 115,
    "metrics.`run_seconds`": 100,
}
_FIRST = {"attributes.`Run Name`": 260}


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
def alone(database: Path) -> Iterator[None]:
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


def client(uri: str | None, database: Path) -> Any:
    """Open the tracking store."""
    with alone(in_project(database)):
        return store.client(uri, in_project(database))


def connect(uri: str | None, database: Path, experiment: str, artifacts: Path) -> tuple[Any, str]:
    """Open the tracking store, making it and the experiment where they are new.

    Returns:
        the MLflow client and the experiment's id.
    """
    with alone(in_project(database)):
        made = store.client(uri, in_project(database))
        found = made.get_experiment_by_name(experiment)
        if found is not None and _SHARED in found.tags:
            return made, found.experiment_id
        # A server decides by itself where artifacts lie; for the local database we say it.
        place = None if uri else (in_project(artifacts) / experiment).as_uri()
        own = found.experiment_id if found else made.create_experiment(experiment, place)
        for name, value in _tags(own).items():
            made.set_experiment_tag(own, name, value)
        return made, own


def _tags(experiment_id: str) -> dict[str, str]:
    widths = _FIRST | _COLUMNS
    view = {
        "selectedColumns": list(_COLUMNS),
        "columnOrder": list(widths),
        "columnWidths": widths,
        "orderByKey": f"metrics.`{names.HEADLINE}`",
        "orderByAsc": False,
    }
    link = f"#/experiments/{experiment_id}/runs?viewStateShareKey={_VIEW}"
    return {
        # Without the kind MLflow's pages open on those for language models, with no run in sight.
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.experiment.primaryMetric.name": names.HEADLINE,
        "mlflow.note.content": f"[Table of backbone, configuration, seed and headline]({link}). "
        f"One run a backbone, configuration and seed; `{names.HEADLINE}` is the task's headline "
        f"on test data, `{names.CURVE}` the same on validation by epoch. A parent run, "
        "`benchmark ...`, holds the report.",
        _SHARED: json.dumps(view),  # last: it says that the others are there
    }
