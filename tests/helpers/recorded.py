"""Runs of the benchmark that were recorded, replayed: what plan and progress would have said."""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from helpers import ROOT
from lssat import params
from lssat.grid import BESIDE
from lssat.orchestrate import events, progress
from lssat.orchestrate.plan import Costs, Machine
from lssat.params.yaml12 import read_yaml

FIRST = ROOT / "tests/orchestrate/recorded_make.json"
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
    wall: float
    values: params.Params
    machine: Machine

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
        return Recorded(steps, factor * self.wall, self.values, self.machine)

    @contextmanager
    def shown(self, costs: Costs) -> Iterator[Any]:
        """Yield a function: seconds from the start -> the progress as it stood then."""
        weights = [costs.share(step.rule, step.wildcards) for step in self.steps]
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

    def left(self) -> list[tuple[float, float, float]]:
        """Return, for each hundredth of the run, its share, the time left as told, and as it was.

        From one third on; the last hundredths are seconds that no share is held to.
        """
        with self.shown(self.costs) as at:
            times = [(part / 100, part / 100 * self.wall) for part in range(34, 97)]
            return [(share, at(now).left(now), self.wall - now) for share, now in times]

    def rows(self) -> dict[str, tuple[float, float]]:
        """Return each kind of step (`train/celeba/vit_mini/...`): seconds planned, and taken.

        Of a core: jobs at the same time share the cores evenly.
        """
        planned, took = defaultdict(float), defaultdict(float)
        cuts = sorted({at for step in self.steps for at in (step.start, step.end)})
        for step in self.steps:
            row = "/".join([step.rule, *(step.wildcards[k] for k in ROW if k in step.wildcards)])
            planned[row] += self.costs.of(step.rule, step.wildcards)
            for low, high in itertools.pairwise(cuts):
                if step.start <= low and high <= step.end:
                    at_work = sum(s.start <= low and high <= s.end for s in self.steps)
                    took[row] += (high - low) * min(1.0, self.machine.cores / at_work)
        return {row: (planned[row], took[row]) for row in took}


def first_values() -> params.Params:
    """The sample's parameters with the grid of the first record, which had two variants."""
    lambdas = params.Beside(
        tasks=["affectnet"],
        backbones=["vit_mini"],
        configurations=[f"MRGB-RLDP-CRGB-lambda{each}" for each in (0.5, "learned")],
    )
    values = params.load(SAMPLE)
    grid = values.benchmark.model_copy(update={"variants": lambdas})
    return values.model_copy(update={"benchmark": grid})


def first() -> Recorded:
    """`make` of the built-in sample as it was with 80 runs: the plan's constants are of it."""
    told = read(FIRST)
    steps = []
    for rule, log, start, end in told["timeline"]:
        named = {"task": log.split("-")[0]} if log else {}
        if rule == "train":
            *parts, seed = log.split("/")
            named = dict(zip((*ROW, "seed"), [*parts, seed.removeprefix("seed")], strict=True))
        # Nobody noted its epochs: a start, eight epochs, an end.
        each = (end - start) / 10
        epochs = [start + each * (1 + n) for n in range(1, 9)] if rule == "train" else []
        steps.append(Step(rule, named, start, end, epochs))
    return Recorded(steps, told["wall"], first_values(), Machine(cores=told["cores"]))


def read(file: Path) -> dict[str, Any]:
    """Read a record."""
    return json.loads(file.read_text())


def second(told: dict[str, Any], alone: bool = False) -> Recorded:
    """A run that `benchmarks/plan.py` recorded.

    Args:
        told: what it wrote.
        alone: without the time in which other programs had the cores.
    """
    moments = np.array(told["others"])  # seconds from the start, seconds of cores of others

    def at(seconds: float) -> float:
        lost = float(np.interp(seconds, *moments.T)) / told["cores"]
        return seconds - lost if alone else seconds

    steps = [
        Step(rule, named, at(start), at(end), [at(each) for each in epochs])
        for rule, named, start, end, epochs in told["timeline"]
    ]
    return Recorded(steps, at(told["wall"]), _as_now(told["params"]), Machine(cores=told["cores"]))


def _as_now(changed: dict[str, Any]) -> params.Params:
    """Read recorded parameters, which are those that the sample's preset has otherwise."""
    values = {name: own | changed.get(name, {}) for name, own in read_yaml(SAMPLE)[0].items()}
    tasks = values["benchmark"]["tasks"]
    values["datasets"] = {task: values["datasets"][task] for task in tasks}
    for beside in BESIDE:
        values["benchmark"][beside] = {"tasks": [], "backbones": [], "configurations": []}
    return params.Params.model_validate(values)
