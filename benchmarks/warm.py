"""Time short trainings that each import what they need, and that are forked from one process.

    python benchmarks/warm.py
    python benchmarks/warm.py --runs 6

`lssat train` of the sample's recipe on drawn crops, one epoch of two updates, one after the other,
ways interleaved, bytecode compiled by a first round that is not counted. Seconds by the clock and
of CPU, of the command and its fork. The weights must be the same bytes.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from startup import RUN, arguments

from lssat.orchestrate import fork_server
from lssat.tables import sha256
from lssat.tables.project import Project

START = [sys.executable, "-c", "from lssat.cli import main; main()"]
LOG = Path("logs/warm.log")
PROJECT = Path(__file__).resolve().parent.parent


def started() -> subprocess.Popen:
    """Start the process that forks, and wait until it listens."""
    process = fork_server.start(1, LOG)
    while not Path(os.environ["LSSAT_WARM"]).exists():
        if process.poll() is not None:
            sys.exit(LOG.read_text(encoding="utf-8"))
        time.sleep(0.05)
    return process


def timed(options: list[str], environment: dict[str, str], server: psutil.Process) -> list[float]:
    """Return seconds and CPU seconds of a training."""

    def cpu() -> float:
        own, forks = resource.getrusage(resource.RUSAGE_CHILDREN), server.cpu_times()
        return own.ru_utime + own.ru_stime + sum(forks[:4])

    before, since = cpu(), time.monotonic()
    done = subprocess.run(
        [*START, *options], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return [time.monotonic() - since, cpu() - before]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    here, before = os.getcwd(), dict(os.environ)
    with tempfile.TemporaryDirectory() as temporary:
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        os.environ |= {"PYTHONPATH": path} | fork_server.thread_counts(1)
        given = arguments(Path(temporary), energy=True)
        os.chdir(temporary)
        Path(".snakemake").mkdir()
        process = started()
        alone = {name: value for name, value in os.environ.items() if name != "LSSAT_WARM"}
        ways = {"alone": alone, "forked": dict(os.environ)}
        found: dict[str, list[list[float]]] = {name: [] for name in ways}
        weights = set()
        for _ in range(options.runs + 1):
            for name, environment in ways.items():
                found[name].append(timed(given, environment, psutil.Process(process.pid)))
                weights.add(sha256(Project().runs.run(RUN).weights))
        fork_server.stop(process)
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
    middle = {
        name: [statistics.median(c) for c in zip(*rows[1:], strict=True)]
        for name, rows in found.items()
    }
    for name, (clock, cpu) in middle.items():
        print(f"{name:7s} {clock:6.2f} s   {cpu:6.2f} s of CPU")
    print(f"ratio of CPU {middle['alone'][1] / middle['forked'][1]:.2f}, medians of {options.runs}")
    print("the weights are the same bytes" if len(weights) == 1 else "the weights differ")


if __name__ == "__main__":
    main()
