"""A step ends with the run that started it. Imports nothing heavy: each step begins with this."""

import ctypes
import fcntl
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import IO

STEPS = Path(".snakemake/steps")  # each step at work holds a lock on it
PARENT = "LSSAT_PARENT"  # the process id of the Snakemake that starts steps
_SET_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG

_held: list[IO[str]] = []  # open files hold their locks until the process ends


def lead() -> None:
    """Say in the environment that steps are children of this process, and end with one's own.

    Snakemake that `lssat run` or DVC started gets SIGTERM when that process is gone.
    """
    os.environ[PARENT] = str(os.getpid())
    _own_programs_first()
    if os.environ.get("LSSAT_RUN") == str(os.getppid()) or "DVC_STAGE" in os.environ:
        _die_with_parent()


def _own_programs_first() -> None:
    """Let `lssat` in the steps' commands be this environment's, where it was not activated."""
    ours, path = Path(sys.executable).parent, os.environ.get("PATH", "")
    if (ours / "lssat").is_file() and shutil.which("lssat") != str(ours / "lssat"):
        os.environ["PATH"] = f"{ours}{os.pathsep}{path}" if path else str(ours)


def follow() -> None:
    """Of a step: end with the process that started it, and let the next run wait for this one."""
    if os.environ.get(PARENT) != str(os.getppid()):
        return
    _die_with_parent()
    if STEPS.exists():
        file = open(STEPS, encoding="utf-8")  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_SH)
        _held.append(file)


def _die_with_parent() -> None:
    before = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):  # Linux
        libc.prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != before:  # it has died meanwhile
            os.kill(os.getpid(), signal.SIGTERM)
