"""The experiment of a task: where it is, and how MLflow's pages open it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lssat.tables import DataError, refusing
from lssat.tracking import names, store, view


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
        opened = store.client(uri, in_project(database))
        existing = opened.get_experiment_by_name(experiment)
        if existing is not None and existing.tags.get(view.TAG) == view.shared():
            return opened, existing.experiment_id
        # A server decides by itself where artifacts lie; for the local database we say it.
        place = None if uri else (in_project(artifacts) / experiment).as_uri()
        own = existing.experiment_id if existing else opened.create_experiment(experiment, place)
        for name, value in _tags(own).items():
            # Its owner may edit the others.
            if existing is None or name == view.TAG or name not in existing.tags:
                opened.set_experiment_tag(own, name, value)
        return opened, own


def _tags(experiment_id: str) -> dict[str, str]:
    table, charts = view.link(experiment_id), view.link(experiment_id, charts=True)
    return {
        # Without the kind MLflow's pages open on those for language models, with no run in sight.
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.experiment.primaryMetric.name": names.HEADLINE,
        "mlflow.note.content": f"**[Table]({table}) · [Charts]({charts})** of all runs, the best "
        f"first. One run a backbone, configuration and seed; `{names.HEADLINE}` is the task's "
        f"headline on test data, `{names.CURVE}` the same on validation by epoch. A parent run, "
        "`benchmark ...`, holds the report.",
        view.TAG: view.shared(),  # last: it says that the others are there
    }
