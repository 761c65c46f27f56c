"""The whole of a plan: its jobs, and what they take together."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lssat import grid, params
from lssat.orchestrate.plan.job_seconds import Costs
from lssat.orchestrate.plan.memory_and_disk import device_memory, disk
from lssat.orchestrate.plan.sample_counts import Samples

_GRAPH = 8.0  # seconds of Snakemake before the first job, and of saving for DVC after the last
_JOB = 0.05  # seconds of Snakemake's, of each job
PHASES = {
    "data": (
        *("sample", "manifest", "faces", "texture", "shards", "splits", "formats"),
        *("audit", "lookalikes"),
    ),
    "training": ("train", "repeat"),
}
_DATA = {"audit_cross", *PHASES["data"]}


class Job(NamedTuple):
    """A job of the graph."""

    rule: str
    wildcards: dict[str, str]


@dataclass(frozen=True)
class Row:
    """What the runs of a backbone take."""

    backbone: str
    runs: int
    images: int  # times epochs, of all runs
    flops: float
    seconds: float  # of the devices of a run, of all runs
    memory: float  # bytes on a device, of the greediest configuration
    kwh: float


@dataclass(frozen=True)
class Plan:
    """What a run from nothing takes."""

    rows: list[Row]
    jobs: Counter
    seconds: float  # until the end
    phases: dict[str, float]  # seconds of each part of it
    disk: dict[str, float]  # bytes
    kwh: float
    samples: dict[str, Samples]


def jobs(values: params.Params) -> Iterator[Job]:
    """Yield the jobs of the whole graph, as Snakemake has them from nothing."""
    tasks, cross = values.benchmark.tasks, [*values.benchmark.cross]
    for task in tasks + cross:
        if task in values.sample.trees:
            yield Job("sample", {"task": task})
        for shard in range(getattr(values.datasets, task).shards):
            for rule in ("faces", "texture"):
                yield Job(rule, {"task": task, "shard": f"{shard:05d}"})
        for rule in ("manifest", "shards", "splits", "audit", "lookalikes"):
            yield Job(rule, {"task": task})
    for run in values.named():
        wildcards = {key: str(value) for key, value in run._asdict().items()}
        yield Job("repeat" if run.configuration in values.repeats() else "train", wildcards)
    for path in values.external():
        yield Job("external", {key: str(part) for key, part in grid.Run.of(path)._asdict().items()})
    for task in tasks:
        yield Job("formats", {"task": task})
        yield from (Job(rule, {"task": task}) for rule in _TESTS)
    for task in cross:
        yield from (Job(rule, {"task": task}) for rule in ("audit_cross", "cross", "track_cross"))
    for rule, named in (("slices", "attributes"), ("slices_listed", "lists")):
        for task in getattr(values.slices, named):
            yield from (Job(step, {"task": task}) for step in (rule, "track_slices"))
    yield from (Job(rule, {}) for rule in ("speed", "gallery", "report", "track_report"))


_TESTS = ("evaluate", "robustness", "format_probe", "explain", "track")


def plan(costs: Costs) -> Plan:
    """Add up what a run from nothing takes."""
    every = list(jobs(costs.values))
    phases: defaultdict[str, float] = defaultdict(float)
    for job in every:
        phases[phase(job.rule)] += costs.share(job.rule, job.wildcards)
    together = sum(phases.values()) + beside(len(every))
    longest = max((costs.train(run) for run in costs.runs), default=0.0)
    seconds = max(together, longest)
    rows = [_row(costs, backbone) for backbone in dict.fromkeys(r.backbone for r in costs.runs)]
    watts = costs.machine.watts() if costs.machine.device == "cpu" else 0.0
    kwh = sum(row.kwh for row in rows) if not watts else seconds * watts / 3.6e6
    counts = Counter(job.rule for job in every)
    tasks = [*costs.values.benchmark.tasks, *costs.values.benchmark.cross]
    samples = {task: costs.samples(task) for task in tasks}
    return Plan(rows, counts, seconds, dict(phases), disk(costs), kwh, samples)


def beside(number: int) -> float:
    """Return the seconds that Snakemake takes beside so many jobs."""
    return _GRAPH + _JOB * number


def phase(rule: str) -> str:
    """Return the part of a plan's time that a rule's jobs count to."""
    return "data" if rule in _DATA else "training" if rule in PHASES["training"] else "results"


def _row(costs: Costs, backbone: str) -> Row:
    runs = [run for run in costs.runs if run.backbone == backbone]
    images = sum(costs.images(run).train * sum(costs.epochs(run).values()) for run in runs)
    seconds = sum(map(costs.train, runs))
    machine = costs.machine
    watts = machine.watts() / (machine.cores if machine.device == "cpu" else machine.at_once)
    memory = max(device_memory(costs, run) for run in runs)
    flops = sum(map(costs.flops, runs))
    return Row(backbone, len(runs), images, flops, seconds, memory, seconds * watts / 3.6e6)
