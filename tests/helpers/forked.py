"""The programs as typed, without their imports: forked from a process that has made them once.

Snakemake, DVC and `lssat` take one to five seconds of CPU before they do anything, and
tests/workflow starts them hundreds of times, as they start each other. A fork is that program with
its own folder, environment and arguments. Only other people's packages are there before it: this
project's modules are read by each fork, from the folder in which it runs.
"""

import atexit
import gc
import importlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

from helpers import ask

# A program -> the module whose `main` its script in .venv/bin calls.
PROGRAMS = {"snakemake": "snakemake.cli", "dvc": "dvc.cli", "lssat": "lssat.cli"}
_TOOLS = (
    "snakemake.cli", "snakemake.dag", "snakemake.profiles", "snakemake.report.html_reporter",
    "snakemake_executor_plugin_slurm", "snakemake_storage_plugin_s3",
    "dvc.cli.parser", "dvc.lock", "dvc.repo.index", "dvc.rwlock", "dvc.ui.table",
    "dvc_data.hashfile.db.local", "dvc_data.index.checkout", "dvc_data.index.push",
    "numpy", "PIL.Image", "pyarrow.csv", "pyarrow.parquet", "pydantic", "rich.json", "typer",
)  # fmt: skip
_OF_STEPS = (
    "av", "codecarbon", "codecarbon.external.ram", "jinja2", "lightning_fabric", "mlflow.tracking",
    "mlflow.store.tracking.sqlalchemy_store", "mlflow.system_metrics.system_metrics_monitor",
    "numba", "safetensors.torch", "scipy.stats", "sklearn.metrics", "timm", "torch._dynamo",
    "torch.utils.flop_counter",
)  # fmt: skip
_MADE = {"tools": _TOOLS, "lssat": _TOOLS + _OF_STEPS}  # by process
_BIN = Path(sys.executable).parent
# How programs start each other: by name, and by `sys.executable -m`.
_SHIMS = {
    "snakemake": 'exec {ask}/tools snakemake "$@"',
    "dvc": 'exec {ask}/tools dvc "$@"',
    # What Snakemake has forked from a process of its own is left to it; threads are counted when
    # a library is imported.
    "lssat": '[ -z "$LSSAT_WARM" ] && [ "$OMP_NUM_THREADS" = 1 ] || exec {bin}/lssat "$@"\n'
    'exec {ask}/lssat lssat "$@"',
    "python": 'case "$1 $2" in\n"-m snakemake") exec {ask}/tools "$@" ;;\n'
    '"-m lssat") exec {ask}/lssat "$@" ;;\nesac\nexec {python} "$@"',
}


def run(
    command: tuple[str, ...], folder: Path, environment: dict[str, str], steps: bool = True
) -> tuple[int, str]:
    """Run a program in a folder to its end; return its code and what it printed.

    Args:
        steps: are the steps that it starts forked as well, or programs by themselves?
    """
    servers = _servers()
    one = servers / ("lssat" if command[0] == "lssat" else "tools")
    path = f"{servers / ('every' if steps else 'some')}{os.pathsep}{environment['PATH']}"
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8", errors="replace") as told, open(os.devnull) as nothing:
        try:
            line = ask.begin(
                str(one), command, str(folder), environment | {"PATH": path},
                nothing.fileno(), write, write,
            )  # fmt: skip
        finally:
            os.close(write)
        text = told.read()  # to the end of the program, and of all that it leaves at work
    return ask.end(line), text


@cache
def _servers() -> Path:
    """Start the processes; return their folder: sockets, and programs that ask at them."""
    folder = Path(tempfile.mkdtemp(prefix="forked-"))
    words = {"bin": _BIN, "python": sys.executable}
    words["ask"] = f"{sys.executable} -IS {ask.__file__} {folder}"
    for name, programs in (("every", {*_SHIMS}), ("some", {*_SHIMS} - {"lssat"})):
        (folder / name).mkdir()
        for program in programs:
            file = folder / name / program
            file.write_text(f"#!/bin/sh\n{_SHIMS[program].format(**words)}\n")
            file.chmod(0o755)
    started = [_start(folder / name) for name in _MADE]
    atexit.register(lambda: [process.communicate() for process in started])
    return folder


def _start(where: Path) -> subprocess.Popen:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(where))
        listener.listen(64)
        code = "from helpers import forked; forked.serve(sys.argv[1], int(sys.argv[2]))"
        return subprocess.Popen(
            [sys.executable, "-c", f"import sys; {code}", str(where), str(listener.fileno())],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            pass_fds=[listener.fileno()], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )  # fmt: skip


def serve(where: str, number: int) -> None:
    """Import, then fork a program for each that asks, until stdin ends, however that comes."""
    gc.disable()
    for each in _MADE[Path(where).name]:
        importlib.import_module(each)
    assert "lssat" not in sys.modules
    assert threading.active_count() == 1, threading.enumerate()  # a fork would miss them
    gc.freeze()
    gc.enable()
    _Server(socket.socket(fileno=number)).serve()
    shutil.rmtree(Path(where).parent, ignore_errors=True)
    os._exit(0)


class _Server:
    def __init__(self, listener: socket.socket):
        self.listener, self.leads = listener, True
        self.selector = selectors.DefaultSelector()
        self._await(listener, self._begin)
        self._await(0, self._leave)

    def serve(self) -> None:
        while self.leads:
            for key, _ in self.selector.select():
                key.data()

    def _await(self, what: int | socket.socket, then: Callable[[], None]) -> None:
        self.selector.register(what, selectors.EVENT_READ, then)

    def _leave(self) -> None:
        self.leads = False

    def _begin(self) -> None:
        line, _ = self.listener.accept()
        message, streams, _, _ = socket.recv_fds(line, ask.MOST, 3)
        if not (pid := os.fork()):
            for each in [line.fileno(), *self.selector.get_map()]:
                os.close(each)
            _become(*ask.read(message), streams)
        for each in streams:
            os.close(each)
        ended = os.pidfd_open(pid)
        self._await(ended, lambda: self._end(line, pid, ended))
        self._await(line, lambda: self._kill(line, pid))  # nobody waits for it

    def _kill(self, line: socket.socket, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.selector.unregister(line)

    def _end(self, line: socket.socket, pid: int, ended: int) -> None:
        self.selector.unregister(ended)
        os.close(ended)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if line in self.selector.get_map():
            self.selector.unregister(line)
            line.send(str(code).encode())
        line.close()


def _become(
    command: list[str], folder: str, environment: dict[str, str], streams: list[int]
) -> None:
    """Be the program in this process, as a new interpreter would with this environment."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # A Python object remembers whether its file could seek.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
    named = command[0] != "-m"
    program, *words = command if named else command[1:]
    places = [str(_BIN) if named else folder, *environment["PYTHONPATH"].split(os.pathsep)]
    known = [place for place in sys.path if place not in ("", str(Path(__file__).parents[1]))]
    sys.path[:] = [*places, *known]
    sys.argv = [str(_BIN / program), *words]
    sys.executable = str(shutil.which("python", path=environment["PATH"]))
    _leave(PROGRAMS[program])


def _leave(module: str) -> NoReturn:
    """Do the work and end, at once: to free what was imported takes as long as many programs."""
    code: object = 1
    try:
        code = importlib.import_module(module).main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
