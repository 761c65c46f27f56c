"""A real training that MLflow is told of: the same bytes, and one run however often it stops."""

import shutil
from pathlib import Path

import pytest
from helpers.drawn_data import write
from helpers.training import RUN, SAME, curve, files, stop_after, view
from helpers.waiting import until
from mlflow.tracking import MlflowClient

from lssat.models.checkpoint import Checkpoints
from lssat.tables import DataError, read_record, sha256
from lssat.tracking import live
from lssat.training import train as step
from lssat.training.observe import Begun

SECTION = {"experiment": "x", "uri": None}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, {"train": 48, "val": 16})
    step.train(RUN, files(folder, folder / "alone"), view())
    MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()
    return folder


@pytest.fixture
def client(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.chdir(tmp_path)
    shutil.copy(data / "mlflow.db", tmp_path)
    return MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")


def train(data: Path, out: Path) -> None:
    with live.watching(RUN, view(), SECTION, "cpu") as observer:
        step.train(RUN, files(data, out), view(), observer=observer)


def begun(lock: Path) -> Begun:
    return Begun(1_700_000_000.0, {}, {"train": "1"}, "auc", "cpu", lock, [], [])


@pytest.mark.slow
def test_a_training_is_the_same_bytes_with_and_without_mlflow(
    data: Path, tmp_path: Path, client: MlflowClient
) -> None:
    train(data, tmp_path)
    assert {name: sha256(tmp_path / name) for name in SAME} == {
        name: sha256(data / "alone" / name) for name in SAME
    }


def test_a_training_that_mlflow_fails_is_the_same_bytes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").write_bytes(b"garbage" * 1000)
    train(data, tmp_path / "out")
    assert {name: sha256(tmp_path / "out" / name) for name in SAME} == {
        name: sha256(data / "alone" / name) for name in SAME
    }
    assert capsys.readouterr().err.count("mlflow.db: is damaged") == 1


@pytest.mark.slow
@pytest.mark.parametrize("updates", [1, 4])
def test_a_training_that_stops_goes_on_as_one_run_with_the_times_of_its_record(
    data: Path, tmp_path: Path, client: MlflowClient, updates: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, updates)
        with pytest.raises(step.Stopped):
            train(data, tmp_path)
    found = client.get_experiment_by_name("x-ffpp").experiment_id
    (stopped,) = client.search_runs([found])
    assert stopped.info.status == "KILLED"
    train(data, tmp_path)
    (run,) = client.search_runs([found])
    assert (run.info.run_id, run.info.status) == (stopped.info.run_id, "FINISHED")
    times = read_record(tmp_path / "record.json")["times"]
    assert run.info.start_time == round(times["started"] * 1000)
    assert run.info.end_time >= round(times["ended"] * 1000)
    history = client.get_metric_history(run.info.run_id, "loss_cls")
    assert [(each.step, each.timestamp) for each in history] == [
        (epoch, round(at * 1000)) for epoch, at in enumerate(times["epochs"])
    ]
    assert [each.value for each in history] == [float(row["loss_cls"]) for row in curve(tmp_path)]


@pytest.mark.slow
def test_a_training_that_is_refused_undoes_nothing_of_the_one_under_way(
    data: Path, tmp_path: Path, client: MlflowClient
) -> None:
    """Two processes at the same run: the second fails, and the first one's run goes on."""
    states = Checkpoints(tmp_path / "states", "0")
    with live.watching(RUN, view(), SECTION, "cpu") as first, states.locked():
        assert first is not None
        first.begin(begun(states.lock))
        until(lambda: client.get_experiment_by_name("x-ffpp"), "the first one's run is there")
        with pytest.raises(DataError, match="another process is training this run"):
            train(data, tmp_path)
        known = client.get_experiment_by_name("x-ffpp")
        status = sorted(run.info.status for run in client.search_runs([known.experiment_id]))
        assert status == ["FAILED", "RUNNING"]
