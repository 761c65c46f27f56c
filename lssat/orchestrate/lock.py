"""One run at a time in a project's folder.

Snakemake's own lock lists files and outlives its owner. A lock of the kernel is free again at any
death: it says who may take Snakemake's away.
"""

import fcntl
import json
import os
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import IO, Any

from lssat.orchestrate.steps import STEPS
from lssat.tables import DataError, printable, refused, refusing

OWNER = Path(".snakemake/owner")
_LOCKS = Path(".snakemake/locks")
_DVC = Path(".dvc/tmp")
_LONG = 300  # characters of a command that are told
_TRIES = 10  # to take the folder, in half a second
_ENDING = 120  # seconds that steps of a killed run may take to save their state

_held: list[IO[str]] = []  # open files hold their locks until the process ends


def hold(inside_dvc: bool) -> None:
    """Take the folder for this process, or say who has it.

    Locks that a dead run left are removed. Steps that outlived their run are waited for.

    Args:
        inside_dvc: this Snakemake is the command of one of DVC's stages.

    Raises:
        DataError: another run, or DVC, is at work here; its process is named.
    """
    with refusing(OWNER):
        OWNER.parent.mkdir(exist_ok=True)
        file = open(OWNER, "a+", encoding="utf-8")  # noqa: SIM115
    try:
        if not _take_soon(file):
            file.seek(0)
            raise busy(file.read())
        if not inside_dvc and (other := dvc_at_work()):
            raise busy(other)
        _await_steps()
    except DataError:
        file.close()
        raise
    before = OWNER.read_text(encoding="utf-8")
    file.truncate(0)
    file.write(describe())
    file.flush()
    _held.append(file)
    if _LOCKS.exists():
        there = any(_LOCKS.iterdir())  # each dry run leaves an empty folder
        shutil.rmtree(_LOCKS)
        whose = f"left by {before}, which has ended" if before else "whose run has ended"
        if there:
            print(f"{_LOCKS}: locks {whose}: removed.", file=sys.stderr)


def owner() -> str | None:
    """Return which run works in this folder, if one does; it is not disturbed."""
    try:
        with open(OWNER, encoding="utf-8") as file:
            return None if take(file, fcntl.LOCK_SH) else file.read()
    except FileNotFoundError:
        return None


def refuse_beside_another() -> None:
    """Raise a DataError that names the run, or the DVC command, at work in this folder, if any."""
    if (who := owner()) is not None or (who := dvc_at_work()):
        raise busy(who)


def describe() -> str:
    """Return what this process is, for the one who finds the folder taken."""
    words = [Path(sys.argv[0]).name.replace("__main__.py", "snakemake"), *sys.argv[1:]]
    line = printable.line(shlex.join(words))
    line = line if len(line) <= _LONG else f"{line[:_LONG]}..."  # YAML's keys have 1,024 characters
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return f"process {os.getpid()} ({line}), since {since}"


def busy(who: str) -> DataError:
    """Return the error of a folder that another run has; `who` it is, "" if that is not known."""
    problem = f"another run is at work in this folder: {who or 'it has just begun'}"
    return DataError(Path.cwd(), problem, "Wait until it has ended, or stop it")


def take(file: IO[Any], kind: int = fcntl.LOCK_EX) -> bool:
    """Lock a file, until it is closed, if nobody else has; return whether that is so."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        error.filename = file.name
        raise refused(error) or error from error
    return True


def dvc_at_work() -> str | None:
    """Return which DVC command works in this folder, if one does.

    DVC holds `lock`, but for the time of a stage's command, when `rwlock` names its process.
    """
    try:
        with open(_DVC / "rwlock", encoding="utf-8") as file:
            entries = json.load(file)
        for owners in (entries.get("write", {}), entries.get("read", {})):
            for holders in owners.values():
                for holder in holders if isinstance(holders, list) else [holders]:
                    if Path(f"/proc/{holder['pid']}").exists() and holder["pid"] != os.getpid():
                        return f"process {holder['pid']} ({holder['cmd']})"
    except (OSError, ValueError):
        pass  # no file, or one that DVC is about to write
    try:
        with open(_DVC / "lock", encoding="utf-8") as file:
            return None if take(file, fcntl.LOCK_SH) else "DVC"
    except OSError:
        return None


def _take_soon(file: IO[str]) -> bool:
    """Lock a file, in half a second: who only asks for its owner has it for an instant."""
    for _ in range(_TRIES - 1):
        if take(file):
            return True
        time.sleep(0.05)
    return take(file)


def _await_steps() -> None:
    """Wait until no step of an earlier run works on; one that was killed may save its state."""
    with refusing(STEPS):
        file = open(STEPS, "a", encoding="utf-8")  # noqa: SIM115
    with file:
        end, announced = time.monotonic() + _ENDING, False
        while not take(file):
            if time.monotonic() > end:
                raise busy(f"steps of a run that was killed ({_holders(STEPS)})")
            if not announced:
                print(f"Waiting for steps of an earlier run: {_holders(STEPS)}.", file=sys.stderr)
                announced = True
            time.sleep(0.2)


def _holders(path: Path) -> str:
    """Return the processes that hold a lock on a file, as the kernel lists them."""
    inode, processes = str(path.stat().st_ino), set()
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if "->" not in words and words[5].split(":")[-1] == inode:
            processes.add(words[4])
    return "process " + ", ".join(sorted(processes)) if processes else "unknown processes"
