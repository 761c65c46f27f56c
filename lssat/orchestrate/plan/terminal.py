"""A plan in words: what will run, how long, how much."""

import math
from typing import Any

from rich.console import Console
from rich.table import Table

from lssat import params
from lssat.orchestrate.plan import place, totals
from lssat.orchestrate.plan.job_seconds import Costs
from lssat.orchestrate.plan.place import Place
from lssat.orchestrate.plan.sample_counts import Samples
from lssat.orchestrate.plan.totals import Plan, Row

_WEEK = 7 * 86_400.0
_NAMES = {"data": "data", "training": "training", "results": "evaluation and report"}


def show(plan: Plan, where: Place, lacking: list[str], console: Console) -> None:
    """Print a plan: where, what, the runs of each backbone, the time, the disk, what lacks."""
    first, *more = where.why
    console.print(f"where: {first}", soft_wrap=True)
    for reason in more:
        console.print(f"       {reason}", soft_wrap=True)
    for task, samples in plan.samples.items():
        console.print(f"data:  {_data(task, samples)}", soft_wrap=True)
    console.print(_table(plan, where, console))
    console.print(f"jobs:  {_jobs(plan)}", soft_wrap=True)
    parts = ", ".join(f"{_NAMES[name]} {clock(plan.phases.get(name, 0))}" for name in _NAMES)
    console.print(f"time:  {summary(plan, where)} ({parts})", soft_wrap=True)
    parts = ", ".join(f"{name} {size(number)}" for name, number in plan.disk.items())
    console.print(f"disk:  {size(sum(plan.disk.values()))}: {parts}", soft_wrap=True)
    console.print(f"power: {number(plan.kwh)} kWh", soft_wrap=True)
    console.print(f"       {_basis(where)}", soft_wrap=True)
    warn(plan, where, console)
    for problem in lacking:
        console.print(f"lacking: {problem}", style="bold red", soft_wrap=True)


def warn(plan: Plan, where: Place, console: Console) -> None:
    """Say in red what nobody wants to begin."""
    if where.machine.device == "cpu" and plan.seconds > _WEEK:
        text = f"On this CPU that is {clock(plan.seconds)}. Use a GPU (`device: cuda` in "
        text += f"{where.profile / 'machine.yaml'}), or a trial first: lssat init --small"
        console.print(text, style="bold red", soft_wrap=True)


def summary(plan: Plan, where: Place) -> str:
    """Return the time and where, in a line."""
    machine = where.machine
    device = f"{machine.cores} cores" if machine.device == "cpu" else _gpus(where)
    return f"about {clock(plan.seconds)} on {device}"


def line(plan: Plan, where: Place) -> str:
    """Return a plan in one line, for the end of `lssat init`."""
    runs = sum(row.runs for row in plan.rows)
    disk = size(sum(plan.disk.values()))
    return f"plan: {runs} runs, {summary(plan, where)}, {disk} of disk; `lssat plan` says more"


def tell(values: params.Params, console: Console) -> None:
    """Print a plan in one line, and in red what nobody wants to begin: of this folder's profile."""
    where = place.place()
    plan = totals.plan(Costs(values, where.machine))
    console.print(line(plan, where), soft_wrap=True)
    warn(plan, where, console)


def _gpus(where: Place) -> str:
    machine = where.machine
    return f"{machine.gpus} {machine.gpu}{'' if machine.seen else ' (assumed)'}"


def _data(task: str, samples: Samples) -> str:
    unit = "videos" if samples.videos else "images"
    cut = f" -> {samples.crops:,} crops" if samples.videos else ""
    splits = " / ".join(f"{n:,}" for n in samples.files)
    return f"{task}: {samples.files.all:,} {unit} (train {splits} test){cut}; {samples.source}"


def _table(plan: Plan, where: Place, console: Console) -> Table:
    options: dict = {} if console.is_terminal else {"box": None}
    table = Table(**options)
    gpu = where.machine.device == "cuda"
    hours = "GPU hours" if gpu else "core hours"
    names = ("backbone", "runs", "images x epochs", "operations", hours, "memory", "kWh")
    for name in names:
        table.add_column(name, justify="left" if name == "backbone" else "right", no_wrap=True)
    for row in plan.rows:
        table.add_row(row.backbone, *_cells(row, where))
    return table


def _cells(row: Row, where: Place) -> list[str]:
    devices = where.machine.devices if where.machine.device == "cuda" else 1
    return [
        f"{row.runs}",
        f"{row.images:,}",
        _prefixed(row.flops),
        number(row.seconds * devices / 3600),
        size(row.memory),
        number(row.kwh),
    ]


def _prefixed(number: float) -> str:
    """Return operations with the prefix that fits."""
    power = min(6, max(3, int(math.log10(max(number, 1))) // 3))
    return f"{number / 1000**power:.3g} {'GTPE'[power - 3]}FLOP"


def _jobs(plan: Plan) -> str:
    counts = ", ".join(f"{count} {rule}" for rule, count in plan.jobs.most_common())
    return f"{sum(plan.jobs.values())}: {counts}"


def _basis(where: Place) -> str:
    machine = where.machine
    core = machine.core
    seconds = "stated seconds of a core"
    if not where.cluster:
        seconds += f", of which this one takes {core.rest:.2f} times as many"
    if machine.measured:
        return f"training by steps that were measured here, the rest by {seconds}"
    rate = machine.operations("bf16-mixed") / 1e12
    of = "a core" if machine.device == "cpu" else f"a {machine.gpu} in bfloat16"
    text = f"from nothing, training at {rate:.3g} TFLOP/s of {of}, {seconds}; "
    return text + "`lssat plan --measure` makes a few steps to know better"


def clock(seconds: float) -> str:
    """Return a time as people say it: 40 s, 9 min, 3.5 h, 12 days, 3.1 years."""
    for limit, unit, name in (
        (90, 1, "s"),
        (5400, 60, "min"),
        (48 * 3600, 3600, "h"),
        (1000 * 86_400, 86_400, "days"),
    ):
        if seconds < limit:
            many = seconds / unit
            return f"{many:.1f} h" if name == "h" and many < 10 else f"{many:.0f} {name}"
    return f"{number(seconds / 86_400 / 365)} years"


def number(value: float) -> str:
    """Return a number without digits that nobody wants."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def size(number: float) -> str:
    """Return bytes as people say them."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def document(plan: Plan, where: Place, lacking: list[str]) -> dict[str, Any]:
    """Return everything as plain values; `exit_code` is that of the command."""
    return {
        "exit_code": int(bool(lacking)),
        "where": where.why,
        "lacking": lacking,
        "seconds": plan.seconds,
        "phases": plan.phases,
        "jobs": dict(plan.jobs),
        "disk": plan.disk,
        "kwh": plan.kwh,
        "core": where.machine.core._asdict(),
        "measured": where.machine.measured,
        "backbones": [vars(row) for row in plan.rows],
        "samples": {task: samples._asdict() for task, samples in plan.samples.items()},
    }
