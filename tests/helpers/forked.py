"""The programs as typed, without their imports: forked from a process that has made them once.

Snakemake, DVC and `lssat` take one to two seconds of CPU before they do anything, and
tests/workflow starts them hundreds of times. A fork is that program with its own folder,
environment and arguments. Only other people's packages are there before it: this project's modules
are read by each fork, from the folder in which it runs.
"""

import atexit
import gc
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

# A program -> the function that its script in .venv/bin calls.
PROGRAMS = {"snakemake": "snakemake.cli", "dvc": "dvc.cli", "lssat": "lssat.cli"}
_MADE = (
    "snakemake.cli", "snakemake.dag", "snakemake.profiles", "snakemake.report.html_reporter",
    "snakemake_executor_plugin_slurm", "snakemake_storage_plugin_s3",
    "dvc.cli.parser", "dvc.lock", "dvc.repo.index", "dvc.rwlock", "dvc.ui.table",
    "dvc_data.hashfile.db.local", "dvc_data.index.checkout", "dvc_data.index.push",
    "numpy", "PIL.Image", "pyarrow.csv", "pyarrow.parquet", "pydantic", "rich.json", "typer",
)  # fmt: skip
_MOST = 1 << 18  # bytes of a message


def run(command: tuple[str, ...], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a program in a folder to its end; return its code and what it printed."""
    words = json.dumps([command, str(folder), environment]).encode()
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8", errors="replace") as told:
        try:
            socket.send_fds(_server(), [words], [write])
        finally:
            os.close(write)
        text = told.read()  # to the end of the program, and of all that it leaves at work
    return int(_server().recv(_MOST)), text


@cache
def _server() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-c", f"from helpers import forked; forked.serve({theirs.fileno()})"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def serve(number: int) -> None:
    """Import, then fork a program for each message, one at a time, until nobody asks."""
    for name in _MADE:
        importlib.import_module(name)
    assert "lssat" not in sys.modules
    assert threading.active_count() == 1, threading.enumerate()  # a fork would miss them
    gc.freeze()
    with socket.socket(fileno=number) as line:
        while True:
            message, (*streams,), _, _ = socket.recv_fds(line, _MOST, 1)
            if not message:
                return
            if not (pid := os.fork()):
                line.close()
                _become(*json.loads(message), streams[0])
            os.close(streams[0])
            line.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(command: list[str], folder: str, environment: dict[str, str], stream: int) -> None:
    """Be the program in this process, as a new interpreter would with this environment."""
    for each in (1, 2):
        os.dup2(stream, each)
    os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    scripts = Path(sys.executable).parent
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
    known = [place for place in sys.path if place not in ("", str(Path(__file__).parents[1]))]
    sys.path[:] = [str(scripts), *environment["PYTHONPATH"].split(os.pathsep), *known]
    sys.argv = [str(scripts / command[0]), *command[1:]]
    sys.exit(importlib.import_module(PROGRAMS[command[0]]).main())
