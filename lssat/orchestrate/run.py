"""`lssat run`: Snakemake with its progress, the time left, and a short end."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.live import Live

from lssat.orchestrate.events import Reader
from lssat.orchestrate.failures import HEADING
from lssat.orchestrate.progress import Progress
from lssat.tables import DataError, check_writable
from lssat.tables.project import SNAKEFILE, Project
from lssat.use.show import show

LOG = Project().log("snakemake")
# Where Snakemake gives up before any job: the words of its own that are read.
_TROUBLE = re.compile(r"^(Error|.*Exception|Workflow|.*Error in)", re.M)
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
        DataError: this is not a project's folder, or it cannot be written.
    """
    check_project()
    check_writable(LOG)
    LOG.parent.mkdir(exist_ok=True)
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
        text=True,
        env=os.environ | {"LSSAT_RUN": str(os.getpid())},
    )
    view = View(process)
    with open(LOG, "w", encoding="utf-8") as log, _passing_on(process) as got:
        keeper = threading.Thread(target=_keep, args=(process.stdout, log))
        keeper.start()
        code = view.follow()
        keeper.join()
    if got:
        print("Stopped; finished steps are kept. Run the same command again to go on.")
        print("DVC works again after that, or after `lssat save`.")
        return 128 + got[0]
    if code:
        print(_trouble(LOG.read_text(encoding="utf-8")), file=sys.stderr)
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


def _keep(lines: IO[str], log: IO[str]) -> None:
    for line in lines:
        log.write(line)
        log.flush()


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
