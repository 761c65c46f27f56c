"""Runs of Snakemake that are killed in chosen phases, and what they must give in the end."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from helpers import kept
from helpers.project import Project
from helpers.waiting import ended, until
from lssat.orchestrate.events import FILE, Reader

# They hold times, or numbers that MLflow draws; two undisturbed runs differ in them as well.
_TRACKED = str(kept.HERE.results.mlflow("of a task").parent)  # and the file of the same name
TIMED = ("record.json", "costs.csv", "runs.csv", "report.html", "speed.json")


def results(project: Project) -> dict[str, str]:
    """The md5 of each result that two undisturbed runs share."""
    found = kept.results(project.path).items()
    return {
        name: digest
        for name, digest in found
        if not name.endswith(TIMED) and not name.startswith(_TRACKED)
    }


def kill(project: Project, rule: str, chance: random.Random, most: float = 1.5) -> str:
    """Start Snakemake, and kill it and its steps while a rule is at work, or soon after.

    Args:
        most: seconds from the start of the rule's job, of which a part is drawn.

    Returns:
        what was at work then; "" where the rule had nothing to do.
    """
    events = project.path / FILE
    events.unlink(missing_ok=True)
    process = subprocess.Popen(
        ["snakemake", "--cores", "2"], cwd=project.path, env=project.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    reader = Reader(events)

    def begun() -> bool:
        reader.read()
        wanted = [job for job in reader.jobs.values() if job.rule == rule]
        nothing = bool(reader.jobs) and not wanted
        return nothing or process.poll() is not None or any(job.started for job in wanted)

    until(begun, f"{rule} at work")
    time.sleep(chance.uniform(0, most))
    steps = _group(process.pid)
    whole = chance.random() < 0.5  # else its steps are left to notice it themselves
    if process.poll() is None:
        (os.killpg if whole else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    reader.read()
    until(lambda: all(ended(pid) for pid in steps), "steps ended")
    working = sorted(job.name for job in reader.jobs.values() if job.running)
    return ", ".join(working) + (" (with its steps)" if whole else " (Snakemake alone)")


def _group(leader: int) -> list[int]:
    """The processes of a process group."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == leader:
                found.append(int(folder.name))
        except ProcessLookupError:
            continue
    return found
