"""How far a run is, by cost and not by jobs: its share, the time left, the trainings at work."""

import os
import re
import time
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lssat.orchestrate.events import Job, Reader

# As `lssat.training.loop` prints the end of an epoch.
_EPOCH = re.compile(r": epoch (\d+) of (\d+), (.*)")
_SHOWN = ("loss_cls", "loss_rec")
_TAIL = 8192  # bytes of a log, from its end
_PRIOR = 0.1  # of the planned time, that stands for the plan beside what was seen at first
_MOST = 0.95  # of a job that says nothing of itself
_ROWS = 8  # trainings that are shown


class Epoch(NamedTuple):
    """How far a training is."""

    number: int  # done
    of: int
    losses: str
    at: float  # time.time() when it was written

    def seconds(self, started: float | None) -> float:
        """Return how long an epoch takes in a training that started then."""
        return (self.at - (started or self.at)) / self.number


def epoch(job: Job) -> Epoch | None:
    """Return the last epoch that a training's log tells; None before the first."""
    try:
        with open(job.log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            text = file.read().decode("utf-8", "replace")
            written = os.fstat(file.fileno()).st_mtime
    except OSError:
        return None
    ends = [match for line in text.splitlines() if (match := _EPOCH.search(line))]
    if not ends or written < (job.started or 0):
        return None
    pairs = (pair.split(" ", 1) for pair in ends[-1][3].split(", "))
    losses = ", ".join(f"{pair[0]} {pair[1]}" for pair in pairs if pair[0] in _SHOWN)
    return Epoch(int(ends[-1][1]), int(ends[-1][2]), losses, written)


class Progress:
    """The progress of a run, of its events and of its trainings' logs."""

    def __init__(self, reader: Reader):
        self.reader = reader

    @property
    def total(self) -> int:
        """Steps of the run."""
        return len(self.reader.jobs)

    @property
    def done(self) -> int:
        """Steps that have finished."""
        return len(self.reader.finished)

    def running(self) -> list[Job]:
        """Return the jobs at work, trainings first."""
        jobs = [job for job in self.reader.jobs.values() if job.running]
        return sorted(jobs, key=lambda job: (job.rule != "train", job.started or 0))

    def weights(self, now: float) -> tuple[float, float]:
        """Return the planned seconds of all jobs, and of what is done of them."""
        whole = sum(job.weight for job in self.reader.jobs.values())
        done = sum(job.weight for job in self.reader.finished)
        running, pace = self.running(), self._pace(whole, done, now)
        slot = 2 * pace * len(running)  # a job is given twice its time before it counts as done
        return whole, done + sum(job.weight * self._part(job, slot, now) for job in running)

    def _pace(self, whole: float, done: float, now: float) -> float:
        """Return the seconds that a planned second takes; at first the plan's word counts."""
        prior = _PRIOR * max(0.0, whole - 3 * done)  # none from one third on
        return (now - self.reader.began + prior) / (done + prior) if whole else 1.0

    def _part(self, job: Job, slot: float, now: float) -> float:
        """Return how much of a job is done, from 0 to 1."""
        spent = now - (job.started or now)
        if job.rule == "train" and (last := epoch(job)):
            per_epoch = last.seconds(job.started)
            since = min(1.0, (now - last.at) / per_epoch) if per_epoch > 0 else 0.0
            return min(1.0, (last.number + 0.9 * since) / (last.of + 0.2))
        return min(_MOST, spent / (slot * job.weight)) if job.weight else 0.0

    def left(self, now: float) -> float:
        """Return the seconds that the rest will take, at the pace so far."""
        whole, done = self.weights(now)
        return max(0.0, self._pace(whole, done, now) * (whole - done))

    def share(self, now: float) -> float:
        """Return the share that is done, from 0 to 1, by planned time."""
        whole, done = self.weights(now)
        return done / whole if whole else 1.0

    def line(self, job: Job, number: int) -> str:
        """Return a line for a job that has finished, the `number`-th."""
        now = job.finished or time.time()
        width = len(str(self.total))
        spent = clock(now - self.reader.began)
        head = f"[{number:{width}} of {self.total}] {job.name}"
        rest = f", about {clock(self.left(now))} left" if number < self.total else ""
        return f"{head:60} {spent} spent, {100 * self.share(now):3.0f} %{rest}"

    def trainings(self, now: float) -> list[tuple[str, str, str, str]]:
        """Return for each training at work: run, epoch, losses, time left."""
        rows = []
        for job in self.running():
            if job.rule != "train":
                continue
            run, last = job.name.removeprefix("train "), epoch(job)
            if last is None:
                waits = self.reader.cluster and not job.heard()
                rows.append((run, "sent to the cluster" if waits else "first epoch", "", ""))
                continue
            rest = last.seconds(job.started) * (last.of - last.number)
            left = max(0.0, rest - (now - last.at))
            rows.append((run, f"epoch {last.number} of {last.of}", last.losses, clock(left)))
        return rows

    def screen(self, now: float, width: int) -> RenderableType:
        """Return what a terminal shows, in place."""
        share = self.share(now)
        spent, left = clock(now - self.reader.began), clock(self.left(now))
        words = f"{self.done} of {self.total} steps, {100 * share:.0f} %, {spent} spent, "
        bar = Table.grid()  # which ends the bar's line
        bar.add_row(ProgressBar(total=1.0, completed=share, width=min(60, width)))
        rows = self.trainings(now)
        table = Table(box=None, padding=(0, 1), show_header=False)
        for row in rows[:_ROWS]:
            table.add_row(row[0], row[1], row[2], row[3] and f"{row[3]} left")
        others = [job.name for job in self.running() if job.rule != "train"]
        more = [f"and {len(rows) - _ROWS} more trainings"] if len(rows) > _ROWS else []
        below = Text(", ".join([*more, *others]), overflow="ellipsis", no_wrap=True)
        return Group(Text(f"{words}about {left} left"), bar, table, below)


def clock(seconds: float) -> str:
    """Return a time as 0:09, 12:30 or 3:05:00."""
    whole = int(max(0, seconds))
    hours, rest = divmod(whole, 3600)
    head = f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}"
    return f"{head}:{rest % 60:02d}"
