"""What a run of Snakemake tells as it happens: which job began, finished or failed, and when.

Snakemake's own records of these, with job ids, reach any handler of its logger; a run with or
without `lssat run` therefore writes the same file, and nobody reads its printed words.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

import psutil

FILE = Path(".snakemake/events.jsonl")  # of the last run that did work
_LOGGER = "snakemake.logging"
_MORE = "For further error details"  # from here on the executor for SLURM names no cause
_SKEW = 60.0  # seconds by which the clocks of a cluster may differ


class Words(NamedTuple):
    """What is known of a job that failed, beside its log."""

    said: str = ""  # by what has sent it to a cluster
    silent: bool = False  # its log is as it was before the run: there is none, or another run's


def _stamp(log: str) -> int | None:
    try:
        return os.stat(log).st_mtime_ns
    except OSError:
        return None


class Writer(logging.Handler):
    """Writes a line for each event of a run.

    Args:
        jobs: those to do: id, rule, wildcards, log and weight, the share of the whole's time.
        cores: of the run.
        cluster: whether its jobs wait in a queue before they begin.
    """

    def __init__(
        self,
        jobs: Iterable[tuple[int, str, Mapping[str, str], str, float]],
        cores: int,
        cluster: bool = False,
    ):
        super().__init__(logging.INFO)
        self.words: dict[str, Words] = {}  # on the jobs that failed, by their logs
        self._file: IO[str] = open(FILE, "w", encoding="utf-8")  # noqa: SIM115
        jobs = list(jobs)
        listed = [
            [number, rule, dict(named), log, weight] for number, rule, named, log, weight in jobs
        ]
        self._logs = {number: (log, _stamp(log)) for number, _, _, log, _ in jobs}
        since = psutil.Process().create_time()
        told = {"since": since, "cores": cores, "cluster": cluster}
        self._write(pid=os.getpid(), **told, jobs=listed)
        logging.getLogger(_LOGGER).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Take one of Snakemake's records."""
        event = getattr(getattr(record, "event", None), "value", None)
        if event == "job_started":
            self._write(started=list(record.jobs))  # type: ignore[attr-defined]
        elif event == "job_finished":
            self._write(finished=record.job_id)  # type: ignore[attr-defined]
        elif event == "job_error":
            self._failed(record.jobid, getattr(record, "rule_msg", None))  # type: ignore[attr-defined]

    def _failed(self, number: int, said: str | None) -> None:
        """Note a failure, what the executor says of it, and whether its log is of this run."""
        log, before = self._logs.get(number, ("", None))
        first = (said or "").split("\n")[0].split(_MORE)[0].strip()
        words = Words(first, bool(log) and _stamp(log) == before)
        self.words[log] = words
        self._write(failed=number, **words._asdict())

    def end(self, how: str) -> None:
        """Note how the run has ended: done, failed or stopped, by a signal."""
        self._write(ended=how)
        logging.getLogger(_LOGGER).removeHandler(self)
        self._file.close()

    def _write(self, **what: Any) -> None:
        self._file.write(json.dumps({"at": time.time(), **what}) + "\n")
        self._file.flush()


@dataclass
class Job:
    """A job that a run has to do."""

    rule: str
    wildcards: dict[str, str]
    log: str
    weight: float  # seconds of the whole's time, as planned
    started: float | None = None  # time.time()
    finished: float | None = None
    failed: bool = False
    words: Words = field(default_factory=Words)  # on its failure

    def heard(self) -> bool:
        """Say whether its log has been written since the job was begun, or sent to a cluster."""
        try:
            return os.stat(self.log).st_mtime > (self.started or 0) - _SKEW
        except OSError:
            return not self.log

    @property
    def name(self) -> str:
        """The job as people call it: `train ffpp/vit_mini/MRGB-RLDP-CRGB/seed0`."""
        values = dict(self.wildcards)
        if "seed" in values:
            values["seed"] = f"seed{values['seed']}"
        return f"{self.rule} {'/'.join(values.values())}".rstrip()

    @property
    def running(self) -> bool:
        """Whether it is at work, if its run is."""
        return self.started is not None and self.finished is None and not self.failed


# What a disk that was full, or a machine that fell, leaves is passed over: it costs a part of what
# is told of a run, and not `lssat status`.
_NO_EVENT = (KeyError, TypeError, ValueError)


def _whole(line: str) -> dict[str, Any]:
    """Return the event of a line, or an empty one if it holds none."""
    with contextlib.suppress(ValueError):
        if isinstance(entry := json.loads(line), dict):
            return entry
    return {}


@dataclass
class Reader:
    """Reads what a run has told so far, and more of it at each `read`."""

    file: Path = FILE
    pid: int | None = None
    cores: int = 1
    cluster: bool = False  # its jobs wait in a queue before they begin
    since: float = 0.0  # time.time() at which its process began
    began: float = 0.0  # and its jobs
    last: float = 0.0
    ended: str = ""
    jobs: dict[int, Job] = field(default_factory=dict)
    finished: list[Job] = field(default_factory=list)  # in their order
    _place: int = 0

    def read(self, pid: int | None = None) -> None:
        """Take new lines; with `pid` of the run of that process only, which may not have begun."""
        try:
            with open(self.file, encoding="utf-8", errors="replace") as file:
                file.seek(self._place)
                while (line := file.readline()).endswith("\n"):
                    entry = _whole(line)
                    if pid is not None and self.pid is None and entry.get("pid") != pid:
                        return  # an earlier run's
                    self._place = file.tell()
                    with contextlib.suppress(*_NO_EVENT):
                        self._take(entry)
        except FileNotFoundError:
            return

    def _take(self, entry: dict[str, Any]) -> None:
        self.last = at = entry["at"]
        if "pid" in entry:
            self.pid, self.cores, self.began = entry["pid"], entry["cores"], at
            self.since = entry.get("since", at)
            self.cluster = bool(entry.get("cluster"))
            for number, rule, wildcards, log, weight in entry["jobs"]:
                self.jobs[number] = Job(rule, wildcards, log, weight)
        for number in entry.get("started", ()):
            if number in self.jobs:
                self.jobs[number].started = at
        if (job := self.jobs.get(entry.get("finished", -1))) and job.finished is None:
            job.finished, job.failed = at, False
            self.finished.append(job)
        if job := self.jobs.get(entry.get("failed", -1)):
            job.failed = True
            job.words = Words(str(entry.get("said") or ""), bool(entry.get("silent")))
        self.ended = entry.get("ended", self.ended)
