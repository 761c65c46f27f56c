"""Jobs of SLURM: which trainings share one, and what a step does for itself in it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from types import FrameType

from lssat.orchestrate.plan import Costs, machine_of
from lssat.params import Params
from lssat.params.hardware import Hardware
from lssat.tables import DataError

JOB = "SLURM_JOB_ID"
_TOGETHER = "LSSAT_TOGETHER"
_EXECUTOR = "snakemake_executor_plugin_slurm"
_ANSWER = 120.0  # seconds that SLURM may take to say something: a large one is slow at times
_NOWHERE = "it is not on PATH"
_SHORT = 60.0  # seconds of a training; a preempted job does all of its trainings again


def are_short(values: Params, hardware: Hardware) -> bool:
    """Say whether by the plan all trainings are short, so that several of them are one job.

    The jobs themselves are told what the run that submits them has found.
    """
    if answer := os.environ.get(_TOGETHER):
        return answer == "yes"
    costs = Costs(values, machine_of(hardware, 1, 1, here=False))
    short = max(costs.train(run) for run in values.runs()) <= _SHORT
    os.environ[_TOGETHER] = "yes" if short else "no"
    return short


def refuse_a_silent_slurm(settings: object) -> None:
    """Before the first job: is there what submits jobs, and what says whether they have ended?

    Its executor asks a silent `squeue` for ever, without a word.

    Args:
        settings: of Snakemake's executor; of another than SLURM's nothing is asked.

    Raises:
        DataError: SLURM does not answer; its own words are in it.
    """
    if not type(settings).__module__.startswith(_EXECUTOR):
        return
    squeue = ["squeue", "--noheader", f"--user={os.geteuid()}"]  # --me is of SLURM 20.02
    submits = "" if shutil.which("sbatch") else _NOWHERE
    for name, why in (("sbatch", submits), ("squeue", _no_answer(squeue))):
        if why:
            fix = "Nothing was submitted. Try again when SLURM answers, or run without its profile"
            raise DataError(name, f"SLURM gives no answer: {why}", fix)


def _no_answer(command: list[str]) -> str:
    """Return why a command of SLURM says nothing; "" where it does."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_ANSWER)
    except FileNotFoundError:
        return _NOWHERE
    except subprocess.TimeoutExpired:
        return f"none within {_ANSWER:.0f} s"
    if done.returncode == 0:
        return ""
    return " ".join(done.stderr.split()) or f"exit code {done.returncode}"


def go_on(code: int) -> None:
    """Queue this job again where its time was about to end, as SIGUSR1 says.

    Preempted jobs, and those of a dead node, SLURM queues again by itself. Elsewhere than in a
    job of SLURM nothing is done.

    Args:
        code: the exit code of a training that has saved its state: 128 + the signal's number.
    """
    job = os.environ.get(JOB)
    if code != 128 + signal.SIGUSR1 or job is None or shutil.which("scontrol") is None:
        return
    command = ["scontrol", "requeue", job]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    why = done.stderr.strip()
    result = f"cannot be queued again ({why}); start it again by hand" if why else "is queued again"
    print(f"job {job}: {result}", file=sys.stderr)


def pass_on_the_warning() -> None:
    """Let the steps that this Snakemake has started know that their job's time is about to end.

    SLURM sends SIGUSR1 to the program that it has started itself, this one, which would end.
    """
    import psutil

    def pass_on(number: int, _: FrameType | None) -> None:
        for step in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                step.send_signal(number)

    signal.signal(signal.SIGUSR1, pass_on)
