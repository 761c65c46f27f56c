"""A training in MLflow while it goes on, from its first epoch to its end.

Training hands over what it has to tell and goes on. A thread of its own imports MLflow and logs:
a slow or dead store delays and stops nothing, is named once, and is tried again with the next
epoch. What did not arrive the step `track` logs from the run's files.
"""

import logging
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lssat import grid
from lssat.params.views import TrainView
from lssat.tables.environment import revision
from lssat.tables.project import Project
from lssat.tracking import entry, experiment, store
from lssat.training.observe import Begun
from lssat.training.resume import Stopped

_HERE = Project()
_GATHER = 3.0  # seconds in which epochs come together in one call
_PATIENCE = 10.0  # seconds that the end of a training waits for its last call


class _Epoch(NamedTuple):
    row: dict[str, Any]  # of the curve
    at: float


class _End(NamedTuple):
    status: str
    why: str
    at: float


@contextmanager
def watching(
    run: grid.Run, params: TrainView, tracking: dict[str, Any] | None, device: str
) -> Iterator["Live | None"]:
    """Give the observer of a training, and tell MLflow how it ended.

    Args:
        params: the view of the rule `train`.
        tracking: values of the section `tracking`; None: there is no observer.
    """
    if tracking is None:
        yield None
        return
    observer = Live(run, params, tracking, device)
    try:
        yield observer
    except Stopped as stopped:
        observer.end("KILLED", str(stopped))
        raise
    except BaseException as error:
        observer.end("FAILED", f"{error}" or type(error).__name__)
        raise
    observer.end("FINISHED")


class Live:
    """Tells MLflow of one training; its methods return at once, but for `end`."""

    def __init__(
        self,
        run: grid.Run,
        params: TrainView,
        tracking: dict[str, Any],
        device: str,
        database: Path = _HERE.database,
        artifacts: Path = _HERE.artifacts,
    ):
        values = {name: value.model_dump() for name, value in vars(params).items()}
        lock = Path()
        self.run, self.tracking = run, tracking
        self.places = database, artifacts
        self.begun = Begun(time.time(), values, {}, "", device, lock, [], [])
        # Of epochs' rows, which training keeps as well.
        self.queue: queue.SimpleQueue[_Epoch | _End] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._work, daemon=True, name="mlflow")
        self.rows: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.client: Any = None
        self.run_id = ""
        self.monitor: Any = None
        self.said = False  # that MLflow failed

    def begin(self, begun: Begun) -> None:
        """Make the run, or go on with it."""
        self.begun = begun
        self.rows, self.times = list(begun.curve), list(begun.times)
        self.thread.start()

    def epoch(self, row: dict[str, Any], at: float) -> None:
        """Log an epoch."""
        self.queue.put(_Epoch(dict(row), at))

    def end(self, status: str, why: str = "") -> None:
        """End the run; wait some seconds for that, not for ever."""
        self.queue.put(_End(status, why, time.time()))
        if not self.thread.ident:  # it failed before its first epoch
            self.thread.start()
        self.thread.join(_PATIENCE)
        if self.thread.is_alive():
            self._say(f"it has not answered for {_PATIENCE:.0f} s")

    def _work(self) -> None:
        ended = None
        while True:
            try:
                if not self.client:
                    self._open()
                self._log(ended)
            except Exception as error:  # whatever MLflow trips over, training goes on
                self._say(f"{error}")
            if ended:
                return
            ended = self._gather()

    def _gather(self) -> _End | None:
        """Wait for the next epoch, and a little for others; return the end when it has come."""
        until = None
        while True:
            try:
                wait = None if until is None else max(0.0, until - time.monotonic())
                message = self.queue.get(timeout=wait)
            except queue.Empty:
                return None
            if isinstance(message, _End):
                return message
            self.rows.append(message.row)
            self.times.append(message.at)
            until = until or time.monotonic() + _GATHER

    def _open(self) -> None:
        """Find the run of this training, or make it; see that dead ones are KILLED."""
        database, artifacts = self.places
        uri, begun = self.tracking["uri"], self.begun
        name = f"{self.tracking['experiment']}-{self.run.task}"
        with store.named(uri, database):
            client, experiment_id = experiment.connect(uri, database, name, artifacts)
            training = entry.Training(
                run=self.run,
                started=begun.started,
                params=begun.params,
                data=begun.data,
                git=revision(),
                device=begun.device,
                lock=begun.lock,
            )
            others = entry.runs(client, experiment_id, self.run.path)
            same = [run for run in others if run.data.tags.get(entry.STARTED) == training.key]
            entry.sweep(client, [run for run in others if run not in same], str(begun.lock))
            if same:
                self.run_id = same[0].info.run_id
                client.update_run(self.run_id, status="RUNNING")
                entry.facts(client, self.run_id, training)
            else:
                self.run_id = entry.create(client, experiment_id, training)
        self.client = client
        if begun.data:  # else it never began
            self._watch_machine(bool(same))

    def _watch_machine(self, resumed: bool) -> None:
        """Log what the machine does, as MLflow measures it, every ten seconds."""
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        # A store that fails is named once, by the thread that logs epochs.
        logging.getLogger("mlflow.system_metrics").setLevel(logging.CRITICAL)
        uri = self.client.tracking_uri
        self.monitor = SystemMetricsMonitor(self.run_id, resume_logging=resumed, tracking_uri=uri)
        self.monitor.start()

    def _log(self, ended: _End | None) -> None:
        with store.named(self.tracking["uri"], self.places[0]):
            run = self.client.get_run(self.run_id)
            entry.log_epochs(self.client, run, self.rows, self.times, self.begun.metric)
            if ended:
                if self.monitor:
                    self.monitor.finish()
                if ended.why:
                    self.client.set_tag(self.run_id, "lssat.error", ended.why[:5000])
                at = entry.millis(ended.at)
                self.client.set_terminated(self.run_id, ended.status, at)

    def _say(self, why: str) -> None:
        """Name what failed, once."""
        if not self.said:
            self.said = True
            text = f"{self.run.path}: MLflow was not told, and training goes on: {why}"
            print(text, file=sys.stderr, flush=True)
