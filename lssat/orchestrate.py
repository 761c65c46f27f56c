"""Snakemake and DVC from the command line: progress with the time left, and `sync`."""

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from lssat.show import show
from lssat.tables import check_writable

LOG = Path("logs/snakemake.log")
_RULE = re.compile(r"^(?:local)?rule (\w+):")
_FILE = re.compile(r"^    (?:log|output): (\S+)")
_DONE = re.compile(r"^(\d+) of (\d+) steps")
_FINISHED = re.compile(r"^Finished jobid: \d+ \(Rule: (\w+)\)")


def run(cores: int) -> int:
    """Run `snakemake --cores N`, print a line a finished step, then the headline table.

    Snakemake's own words go to logs/snakemake.log, and to the terminal when it fails.

    Returns:
        Snakemake's exit code.

    Raises:
        DataError: the project's folder cannot be written.
    """
    check_writable(LOG)
    LOG.parent.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", str(cores)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"LSSAT_RUN": "1"},
    )
    progress = Progress()
    with open(LOG, "w", encoding="utf-8") as log:
        assert process.stdout is not None
        # After Ctrl-C, which Snakemake gets as well, read on: it ends its jobs and says so.
        with contextlib.suppress(KeyboardInterrupt):
            _follow(process.stdout, log, progress)
        _follow(process.stdout, log, progress)
    code = process.wait()
    if code:
        print(LOG.read_text(encoding="utf-8")[progress.trouble :], file=sys.stderr)
        print(f"snakemake: failed with exit code {code}. The whole log: {LOG}.", file=sys.stderr)
        return code
    if not progress.done:
        print("Nothing to be done: all results are up to date.")
    show(Path("results"))
    return 0


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
        if not self.trouble and re.match(r"^(Error|.*Exception|Workflow|.*Error in)", line):
            self.trouble = self._read
        self._read += len(line)
        if match := _FINISHED.match(line):
            self._rule = match[1]
        elif match := _DONE.match(line):
            self.done = int(match[1])
            self._print(int(match[2]))

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


def sync() -> int:
    """Let Snakemake take the files that DVC put there for what they are.

    Returns:
        0; or 1, with nothing touched, when DVC finds something that is not up to date.
    """
    status = subprocess.run(["dvc", "status", "--quiet"], check=False)
    if status.returncode:
        print(
            "dvc status: something is not up to date (see `dvc status`), so nothing was touched. "
            "Run `dvc pull` or `dvc checkout` first, or `dvc repro` to compute what is missing.",
            file=sys.stderr,
        )
        return 1
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    environment = os.environ | {"LSSAT_SYNC": "1"}
    touch = [*command, "--touch", "--forceall", "--quiet", "all", "--", "shared"]
    touched = subprocess.run(touch, env=environment, check=False)
    if touched.returncode:
        return touched.returncode
    # The gallery of faces is on no remote: it is made here, of the crops that are.
    return subprocess.run([*command, "--quiet", "all"], env=environment, check=False).returncode
