"""`lssat status`: what is done, at work, to do and why, and what failed."""

import fcntl
import io
import json
import os
from pathlib import Path

import pytest
from helpers import ROOT
from rich.console import Console

from lssat.orchestrate import events, lock, status

RUN = {"task": "celeba", "backbone": "vit_mini", "configuration": "none-none-CRGB", "seed": "0"}
OTHER = RUN | {"seed": "1"}
GRAPH = [
    ["audit", {"task": "celeba"}, "logs/audit/celeba.log", None],
    ["train", RUN, "logs/train/0.log", "Missing output files: runs/x, runs/y"],
    ["train", OTHER, "logs/train/1.log", "Params have changed since last execution: before: x"],
    ["report", {}, "logs/report.log", "Input files updated by another job: a, b"],
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("Snakefile", "profiles"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "params.yaml").write_text((ROOT / "presets/sample.yaml").read_text())
    (tmp_path / ".snakemake").mkdir()
    (tmp_path / "logs/train").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(status, "_graph", lambda: GRAPH)
    return tmp_path


def told() -> str:
    screen = io.StringIO()
    status.show(status.status(), Console(file=screen, width=120))
    return screen.getvalue()


def states() -> list[str]:
    return [step.state for step in status.status().steps]


def happened(**last: object) -> None:
    """A run whose first training has failed and whose second is at work."""
    jobs = [
        [1, "train", RUN, "logs/train/0.log", 9.0],
        [2, "train", OTHER, "logs/train/1.log", 9.0],
    ]
    lines: list[dict] = [{"at": 1.0, "pid": 5, "cores": 2, "jobs": jobs}]
    lines += [{"at": 2.0, "started": [1, 2]}, {"at": 3.0, "failed": 1}]
    lines += [{"at": 4.0, **last}] if last else []
    events.FILE.write_text("".join(json.dumps(line) + "\n" for line in lines))
    Path("logs/train/0.log").write_text("begins\nx.npy: has sha256 a. Remove it.\n")
    Path("logs/train/1.log").write_text("x: epoch 3 of 8, lr 1, loss_cls 0.5, loss_rec 1.4\n")


def test_steps_to_do_have_a_reason() -> None:
    assert states() == ["done", "to do", "to do", "to do"]
    said = told()
    assert "nobody is at work here" in said
    assert "not made yet, params have changed since last execution" in said
    assert "follows an earlier step" in said
    assert "3 of 4 steps to do, about " in said


def test_a_failure_has_the_last_line_of_its_log_and_where_it_is() -> None:
    happened(ended="failed")
    assert states() == ["done", "failed", "to do", "to do"]
    said = told()
    assert "failed: train celeba/vit_mini/none-none-CRGB/seed0: x.npy: has sha256 a. Remove" in said
    assert "the whole of it: logs/train/0.log" in said


def test_what_was_stopped_has_not_failed() -> None:
    happened(ended="stopped")
    assert states() == ["done", "to do", "to do", "to do"]
    assert "stopped, goes on" in told()


def test_running_is_what_a_living_run_has_begun() -> None:
    happened()
    assert "the last run was killed" in told()
    assert "running" not in states()
    with open(lock.OWNER, "w") as file:
        file.write("process 5 (snakemake --cores 8), since today")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        assert states() == ["done", "failed", "running", "to do"]
        said = told()
    assert "at work: process 5 (snakemake --cores 8), since today" in said
    assert "celeba/vit_mini/none-none-CRGB/seed1  epoch 3 of 8" in said
    assert " left" in said


@pytest.mark.parametrize("wrote", [True, False])
def test_what_waits_in_a_clusters_queue_is_not_called_at_work(wrote: bool) -> None:
    happened()
    first, *others = events.FILE.read_text().splitlines()
    started = {"at": 5000.0, "started": [2]}
    lines = [json.dumps(json.loads(first) | {"cluster": True}), *others, json.dumps(started)]
    events.FILE.write_text("".join(f"{line}\n" for line in lines))
    os.utime("logs/train/1.log", (5001, 5001) if wrote else (1, 1))
    with open(lock.OWNER, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("process 5")
        file.flush()
        assert states()[2] == ("running" if wrote else "to do")
        said = told()
    assert ("sent to the cluster, no word of it yet" in said) != wrote
    assert ("seed1  sent to the cluster" in said) != wrote


def test_a_job_that_never_began_is_not_told_by_an_earlier_log() -> None:
    happened(ended="failed")
    text = events.FILE.read_text()
    words = '"failed": 1, "said": "sbatch failed: no account.", "silent": true'
    events.FILE.write_text(text.replace('"failed": 1', words))
    said = told()
    assert "seed0: sbatch failed: no account.; it wrote no log in this run" in said
    assert "has sha256" not in said


def test_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_graph", lambda: [[*job[:3], None] for job in GRAPH])
    assert "all is done and up to date" in told()
