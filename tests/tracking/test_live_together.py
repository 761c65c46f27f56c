"""Eight trainings that log to one SQLite file at once, while somebody looks on."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import ROOT
from mlflow.tracking import MlflowClient

JOBS, EPOCHS = 8, 20
# Forked from a process that has imported MLflow: eight would take half a minute for that. Each
# logs every epoch by a call of its own, and the machine's load, so that they meet at the file.
_CODE = f"""
import os, sys, time
from pathlib import Path
import mlflow.store.tracking.sqlalchemy_store, mlflow.system_metrics.system_metrics_monitor
from lssat import params
from lssat.grid import Run
from lssat.tracking import live
from lssat.training.observe import Begun

live._GATHER, live._PATIENCE = 0.0, 300.0  # a busy machine is slow
view = params.view({str(ROOT / "params.yaml")!r}, params.views.TrainView)
values = {{name: value.model_dump() for name, value in vars(view).items()}}

def train(seed):
    run, start = Run("celeba", "vit_micro", "MRGB-RLDP-CRGB", seed), time.time()
    data = {{"train": "1" * 64, "val": "2" * 64}}
    with live.watching(run, view, {{"experiment": "x", "uri": None}}, "cpu") as observer:
        observer.begin(Begun(start, values, data, "auc", "cpu", Path(f".{{seed}}"), [], []))
        for epoch in range({EPOCHS}):
            time.sleep(0.05)
            while epoch == {EPOCHS} - 1 and not Path("seen").exists():  # by who looks on
                time.sleep(0.05)
            observer.epoch({{"epoch": epoch, "val_auc": epoch / 100}}, start + epoch)

jobs = []
for seed in range({JOBS}):
    if not (job := os.fork()):
        train(seed)
        sys.stderr.flush()
        os._exit(0)
    jobs.append(job)
sys.exit(max(os.waitpid(job, 0)[1] for job in jobs) != 0)
"""


@pytest.mark.slow
def test_eight_jobs_log_to_one_file_at_once_and_none_loses_an_epoch(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(fresh, tmp_path / "mlflow.db")
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.2")
    client, seen = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db"), set()
    with open(tmp_path / "said", "w") as said:
        jobs = subprocess.Popen([sys.executable, "-c", _CODE], cwd=tmp_path, stderr=said)
        while jobs.poll() is None:  # somebody looks on
            for run in found(client):
                history = client.get_metric_history(run.info.run_id, "val_auc")
                seen.add((run.info.status, bool(history)))
            if ("RUNNING", True) in seen:
                (tmp_path / "seen").touch()
            time.sleep(0.3)
    told = (tmp_path / "said").read_text()
    assert jobs.returncode == 0, told
    assert "locked" not in told
    assert "MLflow was not told" not in told
    assert ("RUNNING", True) in seen
    runs = found(client)
    assert sorted(run.data.params["seed"] for run in runs) == [f"{seed}" for seed in range(JOBS)]
    for run in runs:
        history = client.get_metric_history(run.info.run_id, "val_auc")
        assert [(each.step, each.value) for each in history] == [
            (epoch, epoch / 100) for epoch in range(EPOCHS)
        ]
        assert run.info.status == "FINISHED"


def found(client: MlflowClient) -> list:
    known = client.get_experiment_by_name("x-celeba")
    return client.search_runs([known.experiment_id]) if known else []
