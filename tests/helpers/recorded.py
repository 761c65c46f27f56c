"""Runs of the benchmark that were recorded, replayed: what plan and progress would have said."""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from helpers import ROOT
from lssat import params
from lssat.orchestrate import events, progress
from lssat.orchestrate.plan import Costs, Machine, totals
from lssat.orchestrate.plan.core_speed import of_times
from lssat.orchestrate.plan.job_seconds import ALONE
from lssat.params.yaml12 import read_yaml

MAKE = ROOT / "tests/orchestrate/recorded_make.json"
OTHER = ROOT / "tests/orchestrate/recorded_other.json"
SAMPLE = ROOT / "presets/sample.yaml"
ROW = ("task", "backbone", "configuration")


@dataclass
class Step:
    """A job of the recorded run; times are seconds from its start."""

    rule: str
    wildcards: dict[str, str]
    start: float
    end: float
    epochs: list[float] = field(default_factory=list)  # when each epoch of a training ended

    def epoch(self, now: float) -> progress.Epoch | None:
        """Return the last epoch that its log told by then."""
        done = [at for at in self.epochs if at <= now]
        return progress.Epoch(len(done), len(self.epochs), "", done[-1]) if done else None


@dataclass
class Recorded:
    """What a run took."""

    steps: list[Step]
    wall: float  # from the first job to the end of the last
    beside: float  # before and after that, as far as it was noted
    values: params.Params
    machine: Machine
    weights: list[float] | None = None  # of its steps, as the run itself had them

    @property
    def costs(self) -> Costs:
        """What the plan says of its jobs; the splits of the current folder are not looked at."""
        return Costs(self.values, self.machine)

    def stretched(self, factor: float) -> "Recorded":
        """Return the same run on a machine so many times slower."""
        steps = [
            Step(s.rule, s.wildcards, factor * s.start, factor * s.end,
                 [factor * at for at in s.epochs])
            for s in self.steps
        ]  # fmt: skip
        return replace(self, steps=steps, wall=factor * self.wall)

    @contextmanager
    def shown(self) -> Iterator[Any]:
        """Yield a function: seconds from the start -> the progress as it stood then."""
        weights = self.weights or self.shares()
        now = 0.0

        def at(seconds: float) -> progress.Progress:
            nonlocal now
            now, reader = seconds, events.Reader(began=0.0)
            ended = []
            for number, (step, weight) in enumerate(zip(self.steps, weights, strict=True)):
                job = events.Job(step.rule, step.wildcards, f"{number}", weight)
                job.started = step.start if step.start <= now else None
                job.finished = step.end if step.end <= now else None
                reader.jobs[number] = job
                ended += [job] if job.finished is not None else []
            reader.finished = sorted(ended, key=lambda job: job.finished or 0)
            return progress.Progress(reader)

        def epoch(job: events.Job) -> progress.Epoch | None:
            return self.steps[int(job.log)].epoch(now)

        with mock.patch.object(progress, "epoch", epoch):
            yield at

    def left(self, parts: Iterable[int] = range(34, 97)) -> list[tuple[float, float, float]]:
        """Return, at each hundredth of the run, its share, the time left as told, and as it was.

        Args:
            parts: hundredths; as it is from one third on, without the last ones, which are
                seconds that no share is held to.
        """
        with self.shown() as at:
            times = [(part / 100, part / 100 * self.wall) for part in parts]
            return [(share, at(now).left(now), self.wall - now) for share, now in times]

    def shares(self) -> list[float]:
        """Return what the plan says that each step adds to the time of the whole."""
        costs = self.costs
        return [costs.share(step.rule, step.wildcards) for step in self.steps]

    @property
    def planned(self) -> float:
        """The seconds that the plan says of these steps and what is beside them."""
        return sum(self.shares()) + totals.beside(len(self.steps))

    def phases(self) -> dict[str, tuple[float, float]]:
        """Return each phase of a plan: seconds of the machine planned, and taken."""
        planned, took = defaultdict(float), defaultdict(float)
        for step, share, seconds in zip(self.steps, self.shares(), self.seconds(), strict=True):
            alone = step.rule in ALONE
            planned[totals.phase(step.rule)] += share
            took[totals.phase(step.rule)] += seconds / (1 if alone else self.machine.cores)
        return {name: (planned[name], took[name]) for name in planned}

    def seconds(self) -> list[float]:
        """Return the seconds of a core of each step: those at work at a time share the cores."""
        cuts = sorted({at for step in self.steps for at in (step.start, step.end)})
        took = [0.0] * len(self.steps)
        for low, high in itertools.pairwise(cuts):
            at_work = [n for n, s in enumerate(self.steps) if s.start <= low and high <= s.end]
            for number in at_work:
                took[number] += (high - low) * min(1.0, self.machine.cores / len(at_work))
        return took

    def rows(self) -> dict[str, tuple[float, float]]:
        """Return each kind of step (`train/celeba/vit_mini/...`): seconds planned, and taken.

        Of a core: jobs at the same time share the cores evenly.
        """
        planned, took = defaultdict(float), defaultdict(float)
        costs = self.costs
        for step, seconds in zip(self.steps, self.seconds(), strict=True):
            row = "/".join([step.rule, *(step.wildcards[k] for k in ROW if k in step.wildcards)])
            planned[row] += costs.of(step.rule, step.wildcards)
            took[row] += seconds
        return {row: (planned[row], took[row]) for row in took}


def read(file: Path) -> dict[str, Any]:
    """Read a record."""
    return json.loads(file.read_text())


def run(told: dict[str, Any], alone: bool = False) -> Recorded:
    """Return the run of a record that `benchmarks/plan.py` wrote.

    Args:
        told: what it wrote.
        alone: without the time in which other programs had the cores.
    """
    moments = np.array(told["others"])  # seconds from the first job, seconds of cores of others

    def at(seconds: float) -> float:
        lost = float(np.interp(seconds, *moments.T)) - float(np.interp(0.0, *moments.T))
        return seconds - lost / told["cores"] if alone else seconds

    steps = [
        Step(rule, named, at(start), at(end), [at(each) for each in epochs])
        for rule, named, start, end, epochs in told["timeline"]
    ]
    machine = Machine(cores=told["cores"], core=of_times(told["core"]))
    # Before the first job and after the last one.
    lost = moments[-1, 1] - float(np.interp(told["wall"], *moments.T))
    lost += float(np.interp(0.0, *moments.T)) - moments[0, 1]
    beside = max(0.0, told["beside"] - lost / told["cores"]) if alone else told["beside"]
    return Recorded(steps, at(told["wall"]), beside, _values(told["params"]), machine)


def _values(sections: dict[str, Any]) -> params.Params:
    """Read recorded parameters; keys that there were not yet are the sample's preset's."""
    values = {name: own | sections.get(name, {}) for name, own in read_yaml(SAMPLE)[0].items()}
    values["variants"] = sections["variants"]
    tasks = values["benchmark"]["tasks"]
    values["datasets"] = {task: values["datasets"][task] for task in tasks}
    return params.Params.model_validate(values)
