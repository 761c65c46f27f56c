"""`lssat run`: Snakemake with its progress, the time left, and a short end."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from lssat.orchestrate import account, lock
from lssat.orchestrate.events import Reader
from lssat.orchestrate.failures import HEADING
from lssat.orchestrate.progress import Progress
from lssat.tables import DataError, check_writable, refusing
from lssat.tables.project import SNAKEFILE, Project
from lssat.use.show import show

LOG = Project().log("snakemake")
# Where Snakemake gives up before any job: the words of its own that are read.
_TROUBLE = re.compile(r"^(Error|.*Exception|Workflow|.*Error in)", re.M)
_LINES = 20_000  # of Snakemake's words, of which the last say what failed
_EVERY = 0.5  # seconds between two looks at what has happened
_TRAININGS = 300.0  # seconds between two lines on the trainings at work, in a log


def run(cores: int, targets: Sequence[str] = ()) -> int:
    """Run `snakemake --cores N`, show its progress, then the headline table.

    Snakemake's own words go to logs/snakemake.log; of a failure only what failed is shown. A
    signal that ends this process ends Snakemake and its steps, which save their state.

    Args:
        cores: for Snakemake. targets: files to make; none: all.

    Returns:
        Snakemake's exit code; 128 + the signal that stopped it.

    Raises:
        DataError: this is not a project's folder, it cannot be written, or a run is at work in it.
    """
    check_project()
    lock.refuse_beside_another()
    account.check()
    log = Log()  # last: it begins the log anew
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "snakemake",
            "--cores",
            str(cores),
            *(["--", *targets] if targets else []),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="backslashreplace",
        env=os.environ | {"LSSAT_RUN": str(os.getpid())},
    )
    view = View(process)
    with log, _passing_on(process) as got:
        keeper = threading.Thread(target=log.keep, args=(process.stdout,))
        keeper.start()
        code = view.follow()
        keeper.join()
    if got:
        print("Stopped; finished steps are kept. Run the same command again to go on.")
        print("DVC works again after that, or after `lssat save`.")
        return 128 + got[0]
    if code:
        print(_trouble("".join(log.last)), file=sys.stderr)
        print(f"The whole log: {LOG}.", file=sys.stderr)
        return code
    if not view.reader.finished:
        print("Nothing to be done: all results are up to date.")
    if not targets:
        show(Project().results.root)
    return 0


@contextlib.contextmanager
def _passing_on(process: subprocess.Popen) -> Iterator[list[int]]:
    """Pass SIGTERM and SIGINT on to a process; yield the list of those that came.

    A terminal's Ctrl-C reaches it without us as well; it takes the second for the same.
    """
    got: list[int] = []

    def pass_on(number: int, _: object) -> None:
        if not got:
            print("\nStopping: the steps at work save their state.", flush=True)
            process.send_signal(signal.SIGTERM)
        got.append(number)

    before = {signum: signal.signal(signum, pass_on) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_project() -> None:
    """Raise a DataError where this folder is no project's, before anything is written."""
    if not Path(SNAKEFILE).is_file():
        problem = f"is not in this folder ({Path.cwd()})"
        fix = "Run this in the project's folder, where README.md and params.yaml are"
        raise DataError(SNAKEFILE, problem, fix)


class Log:
    """logs/snakemake.log, of one run at a time, and its last lines, which need no disk.

    Raises:
        DataError: it cannot be written, or another `lssat run` writes it.
    """

    def __init__(self) -> None:
        check_writable(LOG)
        self.last: deque[str] = deque(maxlen=_LINES)
        LOG.parent.mkdir(exist_ok=True)
        with refusing(LOG):
            # Without a buffer: what a full disk refuses would be tried again when it is closed.
            self._file = open(LOG, "ab", buffering=0)  # noqa: SIM115
            if not lock.take(self._file):
                self._file.close()
                raise lock.busy("")
            self._file.truncate(0)
        self._refused = False

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def keep(self, lines: Iterable[str]) -> None:
        """Take all lines to their end: while nobody does, Snakemake waits.

        A disk that is full costs the log, not the run.
        """
        for line in lines:
            self.last.append(line)
            try:
                self._file.write(line.encode())
            except OSError as error:
                if not self._refused:
                    print(f"{LOG}: {error.strerror}: it lacks lines from here on.", file=sys.stderr)
                self._refused = True


class View:
    """Shows a run's progress: in place on a terminal, else a line a finished step.

    Args:
        process: the run's Snakemake.
    """

    def __init__(self, process: subprocess.Popen, console: Console | None = None):
        self.process = process
        self.console = console or Console(markup=False, emoji=False, highlight=False)
        self.reader = Reader()
        self.progress = Progress(self.reader)
        self._told, self._said = 0, time.monotonic()

    def follow(self) -> int:
        """Show until the run has ended; return its exit code."""
        live: Any = contextlib.nullcontext()
        if self.console.is_terminal:
            live = Live(console=self.console, auto_refresh=False, transient=True)
        with live as screen:
            while (code := self._wait()) is None:
                self.reader.read(self.process.pid)
                if self.console.is_terminal:
                    if self.reader.jobs:
                        width = self.console.width
                        screen.update(self.progress.screen(time.time(), width), refresh=True)
                else:
                    self.lines()
        self.reader.read(self.process.pid)
        if not self.console.is_terminal:
            self.lines()
        return code

    def _wait(self) -> int | None:
        try:
            return self.process.wait(_EVERY)
        except subprocess.TimeoutExpired:
            return None

    def lines(self) -> None:
        """Print what has finished since the last look; the trainings now and then."""
        for number, job in enumerate(self.reader.finished[self._told :], self._told + 1):
            print(self.progress.line(job, number), flush=True)
        self._told = len(self.reader.finished)
        if time.monotonic() - self._said > _TRAININGS:
            self._said = time.monotonic()
            for row in self.progress.trainings(time.time()):
                print(
                    f"  at work: {', '.join(filter(None, row))}{' left' * bool(row[3])}", flush=True
                )


def _trouble(log: str) -> str:
    """Return what a log says of a failure: what failed, or all that Snakemake said of it."""
    _, heading, rest = log.rpartition(f"\n{HEADING}\n")
    if heading:
        block = [line for line in rest.split("\n") if line.startswith("  ")]
        return "\n".join([HEADING, *block])
    began = _TROUBLE.search(log)
    return log[began.start() :].rstrip() if began else log.rstrip()
