"""`lssat status`: what is done, at work, still to do and why, and what failed."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from lssat.orchestrate import account, lock
from lssat.orchestrate.events import Job, Reader, Words
from lssat.orchestrate.failures import last_words
from lssat.orchestrate.hooks import GRAPH
from lssat.orchestrate.plan import Costs
from lssat.orchestrate.plan.place import place
from lssat.orchestrate.plan.terminal import clock
from lssat.orchestrate.progress import Progress
from lssat.orchestrate.run import check_project
from lssat.params import load
from lssat.tables import DataError
from lssat.tables.project import SNAKEFILE

_STATES = ("done", "running", "to do", "failed")


class Step(NamedTuple):
    """A job of the graph, and how it stands."""

    rule: str
    wildcards: dict[str, str]
    log: str
    state: str  # of _STATES
    reason: str  # why it is to do

    @property
    def task(self) -> str:
        """Its task or data set; "" where it is of all."""
        return self.wildcards.get("task", "")


class Status(NamedTuple):
    """A project's state."""

    owner: str | None  # who works here
    steps: list[Step]
    reader: Reader  # of the last run


def status() -> Status:
    """Ask Snakemake's own dry run, the last run's events, and who holds the folder.

    Raises:
        DataError: this is no project's folder, or Snakemake cannot plan; its words are given.
    """
    check_project()
    account.check()
    owner, reader = lock.owner(), Reader()
    reader.read()
    last = {(job.rule, tuple(job.wildcards.items())): job for job in reader.jobs.values()}
    steps = []
    for rule, wildcards, log, reason in _graph():
        job = last.get((rule, tuple(wildcards.items())))
        state, why = _state(job, reason, owner is not None), _short(reason or "")
        if state == "running" and job and reader.cluster and not job.heard():
            state, why = "to do", "sent to the cluster, no word of it yet"
        if state == "failed" and reader.ended == "stopped":  # Snakemake takes it for a failure
            state, why = "to do", "stopped, goes on"
        steps.append(Step(rule, wildcards, log, state, why))
    return Status(owner, steps, reader)


def _state(job: Job | None, reason: str | None, at_work: bool) -> str:
    if job and at_work and job.running:
        return "running"
    if reason is None or (job and at_work and job.finished):
        return "done"
    return "failed" if job and job.failed else "to do"


def _graph() -> list[tuple[str, dict[str, str], str, str | None]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.json"
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "--cores", "1"],
            env=os.environ | {GRAPH: str(file)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not file.exists():
            words = (done.stdout + done.stderr).strip()
            problem = f"cannot be planned:\n{words[-2000:]}\n"
            raise DataError(SNAKEFILE, problem, "Mend what it names; `lssat check` names it too")
        return json.loads(file.read_text(encoding="utf-8"))


def _short(reason: str) -> str:
    """Return the kind of one of Snakemake's reasons, without its files."""
    if not reason:
        return ""
    if reason.startswith("Missing output"):
        return "not made yet"
    if reason.startswith("Input files updated by another job"):
        return "follows an earlier step"
    kind = re.split(r"[:;(]", reason, maxsplit=1)[0].strip()
    return kind[:1].lower() + kind[1:]


def show(state: Status, console: Console) -> None:
    """Print a row for each step and task; trainings at work; failures with their last words."""
    console.print(_head(state), soft_wrap=True)
    options: dict = {} if console.is_terminal else {"box": None}
    table = Table("step", "task", **options)
    for name in _STATES:
        table.add_column(name, justify="right")
    table.add_column("why")
    for (rule, task), steps in _rows(state.steps).items():
        counts = Counter(step.state for step in steps)
        why = Counter(step.reason for step in steps if step.state == "to do" and step.reason)
        reasons = ", ".join(reason for reason, _ in why.most_common(2))
        table.add_row(rule, task, *(str(counts[name] or "") for name in _STATES), reasons)
    console.print(table)
    if state.owner:
        for row in Progress(state.reader).trainings(time.time()):
            console.print(f"  {'  '.join(filter(None, row))}", soft_wrap=True)
    words = {job.log: job.words for job in state.reader.jobs.values()}
    for step in state.steps:
        if step.state == "failed":
            _failure(step, words.get(step.log, Words()), console)
    console.print(_tail(state), soft_wrap=True)


def _rows(steps: list[Step]) -> dict[tuple[str, str], list[Step]]:
    """Group steps by rule and task, in the order of the pipeline."""
    order = {name: number for number, name in enumerate(_ORDER)}
    rows: dict[tuple[str, str], list[Step]] = {}
    for step in sorted(steps, key=lambda step: (order.get(step.rule, len(order)), step.task)):
        rows.setdefault((step.rule, step.task), []).append(step)
    return rows


_ORDER = (
    *("sample", "manifest", "faces", "texture", "shards", "splits", "formats"),
    *("audit", "lookalikes"),
    *("audit_cross", "train", "repeat", "external", "evaluate", "cross", "robustness"),
    "format_probe",
    *("slices", "slices_listed", "explain"),
    *("speed", "report", "gallery", "track", "track_slices", "track_cross", "track_report"),
)


def _head(state: Status) -> str:
    if state.owner:
        return f"at work: {state.owner}"
    if state.reader.ended or not state.reader.jobs:
        return "nobody is at work here"
    return "nobody is at work here; the last run was killed. `lssat run` goes on"


def _failure(step: Step, words: Words, console: Console) -> None:
    known = last_words(step.log, words)
    said = [words.said] if words.said and len(known) > 1 else []
    last = "; ".join([*said, known[-1].strip()])
    name = Job(step.rule, step.wildcards, step.log, 0).name
    console.print(f"failed: {name}: {last}", style="red", soft_wrap=True)
    console.print(f"        the whole of it: {step.log}", soft_wrap=True)


def _tail(state: Status) -> str:
    """Say how long the rest will take."""
    now = time.time()
    if state.owner and state.reader.jobs:
        progress = Progress(state.reader)
        return (
            f"{100 * progress.share(now):.0f} % of this run; about {clock(progress.left(now))} left"
        )
    left = [step for step in state.steps if step.state != "done"]
    if not left:
        return "all is done and up to date"
    costs = Costs(load("params.yaml"), place().machine)
    seconds = sum(costs.share(step.rule, step.wildcards) for step in left)
    return f"{len(left)} of {len(state.steps)} steps to do, about {clock(seconds)}: `lssat run`"


def document(state: Status) -> dict:
    """Return everything as plain values."""
    return {"owner": state.owner, "steps": [step._asdict() for step in state.steps]}
