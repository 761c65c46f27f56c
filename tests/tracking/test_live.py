"""MLflow while a run trains: from its first epoch on, as one run, and never in training's way."""

import contextlib
import fcntl
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT
from helpers.waiting import until
from mlflow.tracking import MlflowClient

from lssat import params
from lssat.grid import Run
from lssat.tables import DataError
from lssat.tracking import entry, experiment, live
from lssat.training.observe import Begun
from lssat.training.resume import Stopped

RUN = Run("celeba", "vit_micro", "MRGB-RLDP-CRGB", 0)
VIEW = params.view(str(ROOT / "params.yaml"), params.views.TrainView)
SECTION = {"experiment": "x", "uri": None}
START = 1_700_000_000.0


@pytest.fixture
def client(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.chdir(tmp_path)
    shutil.copy(fresh, tmp_path / "mlflow.db")
    monkeypatch.setattr(live, "_PATIENCE", 300.0)  # a busy machine is slow; tests of it set theirs
    return MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")


def begun(started: float = START, epochs: int = 0, lock: Path = Path("/none/.lock")) -> Begun:
    """What training tells when it begins, or goes on after so many epochs."""
    values = {name: value.model_dump() for name, value in vars(VIEW).items()}
    times = [started + number for number in range(epochs)]
    curve = [row(number) for number in range(epochs)]
    data = {"train": "1" * 64, "val": "2" * 64}
    return Begun(started, values, data, "auc", "cpu", lock, curve, times)


def row(epoch: int) -> dict[str, Any]:
    return dict(epoch=epoch, lr=0.1, loss_cls=1.0 - epoch / 10, val_auc=epoch / 10)


def found(client: MlflowClient) -> list[Any]:
    """All runs of the experiment, newest first."""
    known = client.get_experiment_by_name("x-celeba")
    return client.search_runs([known.experiment_id]) if known else []


def steps(client: MlflowClient, run: Any, name: str = "loss_cls") -> list[tuple[int, int]]:
    """Steps, and milliseconds since the start."""
    history = client.get_metric_history(run.info.run_id, name)
    return [(each.step, each.timestamp - round(START * 1000)) for each in history]


def trained(epochs: int, error: BaseException) -> None:
    """Train some epochs, then end with an error."""
    with live.watching(RUN, VIEW, SECTION, "cpu") as observer:
        observer.begin(begun())
        for epoch in range(epochs):
            observer.epoch(row(epoch), START + epoch)
        raise error


@pytest.mark.slow
def test_a_run_is_there_while_it_trains_and_ends_with_it(client: MlflowClient) -> None:
    with live.watching(RUN, VIEW, SECTION, "cpu") as observer:
        observer.begin(begun())
        observer.epoch(row(0), START + 1)
        until(lambda: any(steps(client, run) for run in found(client)), "its first epoch is there")
        (run,) = found(client)
        assert run.info.status == "RUNNING"
        assert run.info.start_time == START * 1000
        assert run.info.run_name == "vit_micro MRGB-RLDP-CRGB seed0"
        assert run.data.params["seed"] == "0"
        assert [each.dataset.name for each in run.inputs.dataset_inputs] == [
            "celeba train",
            "celeba val",
        ]
        observer.epoch(row(1), START + 2)
        observer.epoch(row(2), START + 2.5)
    (run,) = found(client)
    assert run.info.status == "FINISHED"
    assert run.info.end_time > run.info.start_time
    wanted = [(0, 1000), (1, 2000), (2, 2500)]
    assert steps(client, run) == steps(client, run, "Headline_val") == wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Stopped("stopped by SIGTERM", 143), "KILLED"),
        (DataError("ffpp", "the loss is not finite", "Lower train.lr"), "FAILED"),
        (KeyboardInterrupt(), "FAILED"),
    ],
)
def test_case_33_a_run_that_ends_otherwise_says_so(
    client: MlflowClient, error: BaseException, status: str
) -> None:
    with pytest.raises(type(error)):
        trained(1, error)
    (run,) = found(client)
    assert run.info.status == status
    assert run.data.tags["lssat.error"] == (str(error) or "KeyboardInterrupt")
    assert steps(client, run) == [(0, 0)]


@pytest.mark.slow
def test_case_33_a_run_that_fails_before_its_first_epoch_is_there(client: MlflowClient) -> None:
    with pytest.raises(DataError), live.watching(RUN, VIEW, SECTION, "cpu"):
        raise DataError("train.parquet", "is missing", "Make it")
    (run,) = found(client)
    assert (run.info.status, run.data.params["train.lr"]) == ("FAILED", str(VIEW.train.lr))


@pytest.mark.slow
@pytest.mark.parametrize("again", [2, 1, 0])
def test_a_run_that_is_resumed_goes_on_as_the_same_and_logs_no_epoch_twice(
    client: MlflowClient, again: int
) -> None:
    """The state that it goes on from may lie before the last epoch that MLflow knows."""
    with pytest.raises(Stopped):
        trained(2, Stopped("stopped", 143))
    with live.watching(RUN, VIEW, SECTION, "cpu") as observer:
        observer.begin(begun(epochs=again))
        until(lambda: found(client)[0].info.status == "RUNNING", "it runs again")
        for epoch in range(again, 4):
            observer.epoch(row(epoch), START + epoch)
    (run,) = found(client)
    assert run.info.status == "FINISHED"
    assert steps(client, run) == [(0, 0), (1, 1000), (2, 2000), (3, 3000)]


@pytest.mark.slow
def test_another_training_of_the_run_is_another_run_and_a_dead_one_is_killed(
    client: MlflowClient, tmp_path: Path
) -> None:
    """A process that is killed tells nothing: its run stays RUNNING until the next one looks."""
    lock = tmp_path / ".lock"
    killed = live.Live(RUN, VIEW, SECTION, "cpu")
    killed.begin(begun(lock=lock))
    until(lambda: found(client), "it is there")
    with live.watching(RUN, VIEW, SECTION, "cpu") as observer:
        observer.begin(begun(START + 100, lock=lock))
    killed.monitor.finish()
    assert [run.info.status for run in found(client)] == ["FINISHED", "KILLED"]


@contextlib.contextmanager
def held(lock: Path) -> Iterator[None]:
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.mark.slow
def test_only_what_is_known_to_be_dead_is_killed(
    client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, own = experiment.connect(None, Path("mlflow.db"), "x-celeba", tmp_path / "art")
    git = {"revision": None, "dirty": None}

    def made(lock: str) -> str:
        return entry.create(
            client, own, entry.Training(RUN, START, {}, {}, git, "cpu", tmp_path / lock)
        )

    alive, dead, gone = made("alive"), made("dead"), made("never")
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    elsewhere = made("dead")
    monkeypatch.undo()
    (tmp_path / "dead").touch()
    with held(tmp_path / "alive"):
        entry.sweep(client, entry.runs(client, own, RUN.path))
    status = {run.info.run_id: run.info.status for run in found(client)}
    assert [status[each] for each in (alive, elsewhere)] == ["RUNNING", "RUNNING"]
    assert [status[each] for each in (dead, gone)] == ["KILLED", "KILLED"]


@pytest.mark.slow
def test_mlflow_that_fails_is_named_once_and_tried_again(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    tries, log_epochs = threading.Semaphore(0), entry.log_epochs

    def broken(*_: Any) -> None:
        tries.release()
        raise OSError("no space left")

    monkeypatch.setattr(live, "_GATHER", 0.0)
    monkeypatch.setattr(entry, "log_epochs", broken)
    with live.watching(RUN, VIEW, SECTION, "cpu") as observer:
        observer.begin(begun())
        for epoch in range(3):
            tries.acquire(timeout=60)
            observer.epoch(row(epoch), START + epoch)
        tries.acquire(timeout=60)
        monkeypatch.setattr(entry, "log_epochs", log_epochs)
    said = capsys.readouterr().err
    assert said.count("MLflow was not told, and training goes on: ") == 1
    assert "no space left" in said
    assert steps(client, found(client)[0]) == [(0, 0), (1, 1000), (2, 2000)]


def test_mlflow_that_never_answers_holds_up_neither_an_epoch_nor_for_long_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for_ever, asked = threading.Event(), threading.Event()

    def silent(*_: Any) -> None:
        asked.set()
        for_ever.wait()

    monkeypatch.setattr(experiment, "connect", silent)
    monkeypatch.setattr(live, "_PATIENCE", 0.1)
    with live.watching(RUN, VIEW, SECTION, "cpu") as observer:
        observer.begin(begun())
        assert asked.wait(60)
        for epoch in range(100):
            observer.epoch(row(epoch), START + epoch)
    assert "it has not answered for 0 s" in capsys.readouterr().err
    for_ever.set()


def test_where_nothing_is_tracked_nobody_looks_on() -> None:
    with live.watching(RUN, VIEW, None, "cpu") as observer:
        assert observer is None


def test_mlflow_reports_nothing_to_its_makers() -> None:
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert is_telemetry_disabled()
