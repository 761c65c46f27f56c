"""How far a run is: events of Snakemake, weights of the plan, epochs of the trainings."""

import inspect
import io
import json
import logging
import os
import time
from enum import Enum
from pathlib import Path

import pytest
from helpers import recorded
from rich.console import Console

from lssat.orchestrate import events, progress, run

RUN = {"task": "celeba", "backbone": "vit_mini", "configuration": "none-none-CRGB", "seed": "0"}


class Event(Enum):
    """Snakemake's names of events (snakemake.logging.LogEvent)."""

    STARTED = "job_started"
    FINISHED = "job_finished"
    FAILED = "job_error"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".snakemake").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def snakemake(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """Snakemake's logger."""
    logger = logging.getLogger("snakemake.logging")
    monkeypatch.setattr(logger, "propagate", False)
    logger.setLevel(logging.INFO)
    return logger


def test_the_names_of_events_are_snakemakes() -> None:
    from snakemake.logging import LogEvent

    assert {event.value for event in Event} <= {event.value for event in LogEvent}
    from snakemake.logging import logger

    assert logger.name == events._LOGGER


def test_events_tell_what_runs_has_ended_and_failed(snakemake: logging.Logger) -> None:
    jobs = [
        (1, "train", RUN, "logs/a.log", 10.0),
        (2, "texture", {"task": "celeba", "shard": "00000"}, "", 2.0),
        (3, "report", {}, "", 1.0),
    ]
    writer, reader = events.Writer(jobs, cores=2), events.Reader()
    snakemake.info("", extra=dict(event=Event.STARTED, jobs=[1, 2]))
    reader.read(os.getpid())
    assert [job.name for job in reader.jobs.values() if job.running] == [
        "train celeba/vit_mini/none-none-CRGB/seed0",
        "texture celeba/00000",
    ]
    snakemake.info("", extra=dict(event=Event.FINISHED, job_id=2))
    snakemake.info("", extra=dict(event=Event.FINISHED, job_id=7))  # `all`, which makes nothing
    snakemake.error("", extra=dict(event=Event.FAILED, jobid=1))
    snakemake.info("4 of 9 steps (44%) done")
    reader.read(os.getpid())
    assert [job.rule for job in reader.finished] == ["texture"]
    assert [number for number, job in reader.jobs.items() if job.failed] == [1]
    writer.end("failed")
    reader.read()
    assert reader.ended == "failed"
    assert not any(isinstance(each, events.Writer) for each in snakemake.handlers)


def test_of_a_failure_is_kept_what_the_cluster_says_and_whether_its_log_is_this_runs(
    snakemake: logging.Logger, folder: Path
) -> None:
    for name in ("a.log", "b.log"):
        (folder / name).write_text("earlier\n")
        os.utime(folder / name, (1, 1))
    jobs = [(number, "train", RUN, name, 1.0) for number, name in enumerate(("a.log", "b.log"))]
    writer = events.Writer([*jobs, (2, "report", {}, "c.log", 1.0)], cores=2, cluster=True)
    (folder / "b.log").write_text("this run's\n")
    long = "SLURM-job '2' failed, SLURM status is: 'FAILED'. For further error details see x"
    for number, said in ((0, "sbatch failed: no account.\n  sbatch call: x"), (1, long), (2, None)):
        snakemake.error("", extra=dict(event=Event.FAILED, jobid=number, rule_msg=said))
    writer.end("failed")
    reader = events.Reader()
    reader.read()
    assert reader.cluster
    assert [reader.jobs[number].words for number in range(3)] == [
        ("sbatch failed: no account.", True),
        ("SLURM-job '2' failed, SLURM status is: 'FAILED'.", False),
        ("", True),
    ]
    assert writer.words == {job.log: job.words for job in reader.jobs.values()}


def test_the_record_of_a_failure_has_the_executors_words() -> None:
    """`rule_msg`, in Snakemake's own code: what an executor hands to `print_job_error`."""
    from snakemake.jobs import Job

    assert "rule_msg=msg" in inspect.getsource(Job.get_log_error_info)


def test_events_of_an_earlier_run_are_not_taken_for_this_ones(snakemake: logging.Logger) -> None:
    events.Writer([(1, "report", {}, "", 1.0)], cores=2).end("done")
    reader = events.Reader()
    reader.read(os.getpid() + 1)
    assert not reader.jobs
    reader.read()
    assert reader.jobs


def test_half_a_line_is_left_for_the_next_look() -> None:
    line = json.dumps({"at": 1.0, "pid": 5, "cores": 1, "jobs": [[1, "report", {}, "", 1.0]]})
    events.FILE.write_text(line[:20])
    reader = events.Reader()
    reader.read()
    assert not reader.jobs
    events.FILE.write_text(line + "\n")
    reader.read()
    assert reader.jobs


@pytest.mark.parametrize(
    "torn",
    [b"\xff\xfe\x00", b"", b'{"at": 1.0, "sta', b"[]", b"7", b'{"finished": 1}'],
)
def test_lines_that_a_full_disk_tore_are_passed_over(torn: bytes) -> None:
    line = json.dumps({"at": 1.0, "pid": 5, "cores": 1, "jobs": [[1, "report", {}, "", 1.0]]})
    end = json.dumps({"at": 3.0, "finished": 1})
    events.FILE.write_bytes(b"\n".join((torn, line.encode(), torn, end.encode(), b"")))
    reader = events.Reader()
    reader.read()
    assert [job.rule for job in reader.finished] == ["report"]


def test_a_training_says_its_epoch_losses_and_time(folder: Path) -> None:
    reader = events.Reader(began=1000.0)
    job = events.Job("train", RUN, "train.log", 100.0, started=1000.0)
    reader.jobs[1] = job
    found = progress.Progress(reader)
    assert found.trainings(1010.0)[0][1:] == ("first epoch", "", "")
    (folder / "train.log").write_text(
        "celeba/x: initial weights scratch\n"
        "celeba/x: epoch 1 of 8, lr 0.1, loss_cls 0.9, loss_rec 2, val_loss_cls 0.6\n"
        "celeba/x: epoch 2 of 8, lr 0.1, loss_cls 0.58, loss_rec 1.4, val_loss_cls 0.37\n"
    )
    os.utime("train.log", (1040.0, 1040.0))
    assert found.trainings(1050.0) == [
        ("celeba/vit_mini/none-none-CRGB/seed0", "epoch 2 of 8", "loss_cls 0.58, loss_rec 1.4",
         "1:50"),
    ]  # fmt: skip
    os.utime("train.log", (900.0, 900.0))  # of an earlier run
    assert found.trainings(1050.0)[0][1] == "first epoch"


def test_a_share_is_of_cost_and_not_of_jobs() -> None:
    reader = events.Reader(began=0.0)
    for number in range(9):
        reader.jobs[number] = events.Job("audit", {}, "", 1.0, 0.0, 10.0)
    reader.jobs[9] = events.Job("train", RUN, "absent.log", 91.0)
    reader.finished = list(reader.jobs.values())[:9]
    assert progress.Progress(reader).share(10.0) == pytest.approx(0.09)


@pytest.mark.parametrize("slower", [0.4, 1.0, 3.0])
def test_the_time_left_is_right_within_30_percent_from_one_third_on(slower: float) -> None:
    """Replayed from the events of a run of `make`; the last seconds are not held to a share."""
    run = recorded.run(recorded.read(recorded.MAKE)).stretched(slower)
    for share, left, was in run.left():
        assert left == pytest.approx(was, rel=0.3, abs=0.01 * run.wall), share


def test_on_a_busy_machine_the_time_left_is_right_within_a_half_again() -> None:
    """Of the run that the plan was not fitted on, by the clock: others had some 20 processes.

    Not of its last part: what is left then is little, and the steps are others.
    """
    run = recorded.run(recorded.read(recorded.OTHER))
    for share, left, was in run.left(range(34, 86)):
        assert was / 1.5 <= left <= was * 1.5, share


class Ended:
    """A process that has ended."""

    pid = 5

    def wait(self, timeout: float) -> int:
        return 0


def seen(terminal: bool) -> str:
    """What the view of a run shows."""
    now = time.time()
    jobs = [[1, "train", RUN, "train.log", 10.0], [2, "audit", {"task": "celeba"}, "", 1.0]]
    lines = [{"at": now - 60, "pid": 5, "cores": 2, "jobs": jobs}]
    lines += [{"at": now - 60, "started": [1, 2]}, {"at": now - 30, "finished": 2}]
    events.FILE.write_text("".join(json.dumps(line) + "\n" for line in lines))
    Path("train.log").write_text("x: epoch 3 of 8, lr 0.1, loss_cls 0.58, loss_rec 1.4\n")
    screen = io.StringIO()
    view = run.View(Ended(), Console(file=screen, force_terminal=terminal, width=100))  # type: ignore[arg-type]
    view.reader.read(5)
    if terminal:
        view.console.print(view.progress.screen(now, 100))
    else:
        view.follow()
    return screen.getvalue()


def test_a_log_has_a_line_for_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert seen(terminal=False) == ""
    told = capsys.readouterr().out
    assert told.startswith("[1 of 2] audit celeba  ")
    assert " 0:30 spent, " in told
    assert told.count("\n") == 1


def test_a_terminal_shows_the_trainings_at_work() -> None:
    told = seen(terminal=True)
    assert "1 of 2 steps" in told
    assert "celeba/vit_mini/none-none-CRGB/seed0" in told
    assert "epoch 3 of 8" in told
    assert "loss_cls 0.58, loss_rec 1.4" in told
