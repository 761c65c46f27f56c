"""`lssat run`: Snakemake with a line a finished step, the time left, and a short end."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lssat.orchestrate.failures import HEADING
from lssat.tables import DataError, check_writable
from lssat.use.show import show

LOG = Path("logs/snakemake.log")
_DONE = re.compile(r"^(\d+) of (\d+) steps")
_FINISHED = re.compile(r"^Finished jobid: \d+ \(Rule: (\w+)\)")
_TROUBLE = re.compile(r"^(Error|.*Exception|Workflow|.*Error in)")


def run(cores: int) -> int:
    """Run `snakemake --cores N`, print a line a finished step, then the headline table.

    Snakemake's own words go to logs/snakemake.log; of a failure only what failed is shown. A
    signal that ends this process ends Snakemake and its steps, which save their state.

    Returns:
        Snakemake's exit code; 128 + the signal that stopped it.

    Raises:
        DataError: this is not a project's folder, or it cannot be written.
    """
    check_project()
    check_writable(LOG)
    LOG.parent.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", str(cores)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"LSSAT_RUN": str(os.getpid())},
    )
    progress = Progress()
    with open(LOG, "w", encoding="utf-8") as log, _passing_on(process) as got:
        assert process.stdout is not None
        _follow(process.stdout, log, progress)
        code = process.wait()
    if got:
        print("Stopped; finished steps are kept. Run the same command again to go on.")
        return 128 + got[0]
    if code:
        print(progress.end(LOG.read_text(encoding="utf-8")), file=sys.stderr)
        print(f"The whole log: {LOG}.", file=sys.stderr)
        return code
    if not progress.done:
        print("Nothing to be done: all results are up to date.")
    show(Path("results"))
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

    before = {each: signal.signal(each, pass_on) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_project() -> None:
    """Raise a DataError where this folder is no project's, before anything is written."""
    if not Path("Snakefile").is_file():
        problem = f"is not in this folder ({Path.cwd()})"
        fix = "Run this in the project's folder, where README.md and params.yaml are"
        raise DataError("Snakefile", problem, fix)


def _follow(lines: IO[str], log: IO[str], progress: "Progress") -> None:
    for line in lines:
        log.write(line)
        log.flush()
        progress.read(line)


class Progress:
    """Turns Snakemake's output into one line a step: how many of how many, and the time left."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.done = 0
        self.trouble = 0  # where in the log the trouble begins
        self._read = 0
        self._rule = ""

    def read(self, line: str) -> None:
        """Take one line of Snakemake's output."""
        if not self.trouble and _TROUBLE.match(line):
            self.trouble = self._read
        self._read += len(line)
        if match := _FINISHED.match(line):
            self._rule = match[1]
        elif match := _DONE.match(line):
            self.done = int(match[1])
            self._print(int(match[2]))

    def end(self, log: str) -> str:
        """Return what a log says of a failure: what failed, or all that Snakemake said of it."""
        _, found, rest = log.rpartition(f"\n{HEADING}\n")
        if not found:
            return log[self.trouble :].rstrip()
        told = rest.split("\n")
        block = [line for line in told if line.startswith("  ")]
        return "\n".join([HEADING, *block])

    def _print(self, total: int) -> None:
        spent = time.monotonic() - self.started
        left = spent / self.done * (total - self.done)
        # The first steps say little about the many training runs that follow.
        guess = f", about {_clock(left)} left" if self.done >= min(10, total / 2) else ""
        width = len(str(total))
        print(
            f"[{self.done:{width}} of {total}] {self._rule:8} {_clock(spent)} spent{guess}",
            flush=True,
        )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
