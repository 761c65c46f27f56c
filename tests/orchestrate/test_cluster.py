"""Jobs of SLURM: what is one job, and what a training does before its time ends."""

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import ROOT
from helpers.waiting import until

from lssat import params
from lssat.orchestrate import cluster, hooks
from lssat.params.hardware import Hardware
from lssat.tables import DataError

USR1, TERM = 128 + signal.SIGUSR1, 128 + signal.SIGTERM


@pytest.mark.parametrize(("preset", "short"), [("sample", True), ("paper", False)])
def test_only_short_trainings_share_a_job(
    preset: str, short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSSAT_TOGETHER", "")
    values = params.load(ROOT / f"presets/{preset}.yaml")
    assert cluster.are_short(values, Hardware(device="cuda")) is short
    monkeypatch.setattr(cluster, "Costs", None)  # its jobs are told
    assert cluster.are_short(values, Hardware(device="cuda")) is short


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notes what `scontrol` was asked."""
    program = tmp_path / "scontrol"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked; exec cat {tmp_path}/says >&2\n')
    program.chmod(0o755)
    (tmp_path / "says").touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_a_training_whose_time_ends_is_queued_again(
    asked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    cluster.go_on(USR1)
    assert (asked / "asked").read_text() == "requeue 7\n"
    assert "job 7: is queued again" in capsys.readouterr().err
    (asked / "says").write_text("Requested operation is presently disabled")
    cluster.go_on(USR1)
    assert "job 7: cannot be queued again (Requested" in capsys.readouterr().err


@pytest.mark.parametrize(("job", "code"), [("7", TERM), ("7", 1), (None, USR1)])
def test_nothing_else_is_queued_again(
    asked: Path, job: str | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SLURM does so itself with what it preempts; an error would only happen again."""
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    if job:
        monkeypatch.setenv("SLURM_JOB_ID", job)
    cluster.go_on(code)
    assert not (asked / "asked").exists()


def test_of_a_group_that_failed_the_steps_are_named_that_could_not_be_done(tmp_path: Path) -> None:
    there, absent = tmp_path / "there", tmp_path / "absent"
    there.touch()

    def job(name: str, ins: list[Path], outs: list[Path], parts: list | None = None):
        return type(name, (SimpleNamespace,), {"__str__": lambda _: name})(
            input=ins, output=outs, jobs=parts, is_group=lambda: parts is not None
        )

    done, wrong = job("a", [], [there]), job("b", [there], [absent])
    waiting, alone = job("c", [absent], [tmp_path / "c"]), job("d", [], [there])
    group = job("g", [], [], [waiting, wrong, done])
    hook = hooks.Hooks.__new__(hooks.Hooks)
    hook.workflow = SimpleNamespace(scheduler=SimpleNamespace(failed=[group, alone]))
    assert hook._failed() == [alone, wrong]


def test_a_snakemake_in_a_job_passes_the_warning_on_and_goes_on(tmp_path: Path) -> None:
    step = (
        "import pathlib, signal; signal.signal(signal.SIGUSR1, lambda *_: None);"
        " pathlib.Path('ready').touch(); signal.pause(); pathlib.Path('warned').touch()"
    )
    lines = (  # the step by the Snakemake of the job
        "import subprocess, sys; from lssat.orchestrate import cluster;"
        " cluster.pass_on_the_warning();"
        f" sys.exit(subprocess.call([sys.executable, '-c', {step!r}]))"
    )
    process = subprocess.Popen([sys.executable, "-c", lines], cwd=tmp_path)
    until((tmp_path / "ready").exists, "ready")
    process.send_signal(signal.SIGUSR1)
    assert process.wait() == 0
    assert (tmp_path / "warned").exists()


SETTINGS = type("ExecutorSettings", (), {"__module__": "snakemake_executor_plugin_slurm"})()
DOWN = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"


@pytest.mark.parametrize(
    ("squeue", "said"),
    [
        (f"echo '{DOWN}' >&2; exit 1", f"squeue: SLURM gives no answer: {DOWN}. Nothing was sub"),
        ("exit 3", "squeue: SLURM gives no answer: exit code 3."),
        ("exec sleep 30", "squeue: SLURM gives no answer: none within 1 s."),
        (None, "squeue: SLURM gives no answer: it is not on PATH."),
        ('case "$*" in *--me*) exit 1; esac', None),  # SLURM before 20.02
    ],
)
def test_a_slurm_that_does_not_answer_is_refused_before_the_first_job(
    squeue: str | None, said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its executor would ask for ever, without a word."""
    monkeypatch.setattr(cluster, "_ANSWER", 1.0)
    for name, program in (("sbatch", "exit 1"), ("squeue", squeue)):
        if program is not None:
            (tmp_path / name).write_text(f"#!/bin/sh\n{program}\n")
            (tmp_path / name).chmod(0o755)
    (tmp_path / "sleep").symlink_to("/bin/sleep")
    monkeypatch.setenv("PATH", str(tmp_path))
    cluster.refuse_a_silent_slurm(object())  # of another executor
    if said is None:
        cluster.refuse_a_silent_slurm(SETTINGS)
        return
    with pytest.raises(DataError) as told:
        cluster.refuse_a_silent_slurm(SETTINGS)
    assert str(told.value).startswith(said)
    (tmp_path / "sbatch").unlink()
    with pytest.raises(DataError, match=r"^sbatch: SLURM gives no answer: it is not on PATH"):
        cluster.refuse_a_silent_slurm(SETTINGS)


def test_the_executor_for_slurm_has_the_module_that_is_looked_for() -> None:
    from snakemake_executor_plugin_slurm import ExecutorSettings

    assert ExecutorSettings.__module__ == SETTINGS.__module__ == cluster._EXECUTOR
