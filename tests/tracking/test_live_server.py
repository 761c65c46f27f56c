"""A real training and a real MLflow server: told while it goes on, and when the server dies."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.drawn_data import write
from helpers.mlflow_server import Server
from helpers.tracked import measured
from helpers.training import RUN, curve, files, stop_after, view
from helpers.waiting import until
from mlflow.tracking import MlflowClient

from lssat.tables import read_record, write_json
from lssat.tracking import entry, live
from lssat.tracking import runs as tracking
from lssat.training import train as step
from lssat.training.resume import Stopped


@pytest.fixture(scope="module")
def server(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server, and beside its database the data of a training."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(fresh, folder)
    write(folder / "data", {"train": 48, "val": 16})
    made = Server(folder)
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, of one experiment; a busy machine is slow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(live, "_PATIENCE", 300.0)
    return tmp_path


def train(server: Server, out: Path, die_after: int | None = None) -> None:
    """Train a run of four epochs; let the server die when it knows so many of them."""
    section = {"experiment": out.parent.name, "uri": server.uri}
    with live.watching(RUN, view(epochs=4), section, "cpu") as told:
        assert told is not None
        observer: Any = told if die_after is None else Killing(told, server, die_after)
        given = files(server.folder / "data", out), view(epochs=4)
        step.train(RUN, *given, observer=observer)


class Killing:
    """Passes on what a training tells; kills the server when it knows so many epochs."""

    def __init__(self, observer: live.Live, server: Server, epochs: int):
        self.begin, self.observer, self.server, self.left = observer.begin, observer, server, epochs
        self.name = observer.tracking["experiment"]

    def epoch(self, row: dict[str, Any], at: float) -> None:
        self.observer.epoch(row, at)
        self.left -= 1
        if self.left == 0:
            known = [*range(int(row["epoch"]) + 1)]
            until(lambda: steps(self.server, self.name) == known, "the server knows them")
            self.server.kill()


def found(server: Server, experiment: str) -> Any:
    """The only training of an experiment, None where it has none."""
    client = MlflowClient(server.uri)
    there = client.get_experiment_by_name(f"{experiment}-ffpp")
    only = f"tags.`{entry.NAME}` = '{RUN.path}'"
    known = client.search_runs([there.experiment_id], only) if there else []
    assert len(known) < 2
    return known[0] if known else None


def steps(server: Server, experiment: str) -> list[int]:
    """The epochs that the server knows of that run."""
    run = found(server, experiment)
    known = run and MlflowClient(server.uri).get_metric_history(run.info.run_id, "loss_cls")
    return [each.step for each in known or []]


@pytest.mark.slow
def test_a_server_is_told_of_a_training_that_stops_and_goes_on_as_one_run(
    server: Server, place: Path, capfd: pytest.CaptureFixture
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 4)  # in the second epoch
        with pytest.raises(Stopped):
            train(server, place / "out")
    stopped = found(server, place.name)
    assert (stopped.info.status, steps(server, place.name)) == ("KILLED", [0])
    train(server, place / "out")
    run = found(server, place.name)
    assert (run.info.run_id, run.info.status) == (stopped.info.run_id, "FINISHED")
    assert steps(server, place.name) == [0, 1, 2, 3]
    times = read_record(place / "out/record.json")["times"]
    assert run.info.start_time == round(times["started"] * 1000)
    assert "MLflow was not told" not in capfd.readouterr().err


@pytest.mark.slow
def test_a_server_that_dies_stops_no_training_is_named_once_and_is_told_all_later(
    server: Server, place: Path, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # it would ask for minutes
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    train(server, place / "out", die_after=1)
    until(
        lambda: "SystemMetricsMonitor" not in {each.name for each in threading.enumerate()},
        "it gives up",
    )
    assert [row["epoch"] for row in curve(place / "out")] == ["0", "1", "2", "3"]
    said = capfd.readouterr().err
    assert said.count("MLflow was not told, and training goes on: ") == 1
    assert "Failed" not in said  # of MLflow's own monitor
    assert f"tracking.uri {server.uri}: MLflow's server gives no answer" in said
    server.start()
    dead = found(server, place.name)
    assert (dead.info.status, steps(server, place.name)) == ("RUNNING", [0])
    write_json(place / "metrics.json", measured(0.8))
    tracking.track("ffpp", tracked(place), place.name, server.uri)
    told = MlflowClient(server.uri).get_run(dead.info.run_id)
    assert (told.info.status, steps(server, place.name)) == ("FINISHED", [0, 1, 2, 3])
    assert told.data.metrics["test_video_auc"] == 0.8


def tracked(place: Path) -> tracking.Files:
    """What the step `track` reads and writes."""
    return tracking.Files(
        {RUN.path: place / "out"}, place / "metrics.json",
        place / "none.db", place / "none", place / "tracked.json",
    )  # fmt: skip
