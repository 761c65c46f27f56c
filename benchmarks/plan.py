"""Do `lssat plan` and the progress display say what a run takes?

    python benchmarks/plan.py --after .              # of the `make` that has ended in this project
    python benchmarks/plan.py --after . --measure    # and planned by steps that are made now
    python benchmarks/plan.py                        # of a run of its own, some minutes
    python benchmarks/plan.py --record FILE          # either, kept as a record
    python benchmarks/plan.py --replay FILE          # of a record

The constants of the plan are of `make` on the built-in sample (tests/orchestrate/
recorded_make.json); the run of its own has another encoder, batch, number of epochs and grid. Each
is planned for the core that was measured beside it. Printed are the plan over what it took, for the
whole, for each part, and for each row of trainings and each other step of seconds; and the time
left that the progress showed, over what was left, at each tenth of the run. "Alone" is without the
time in which other programs had the cores, as far as the kernel counts it: on a busy machine the
clock says how busy it was. After a `make` nobody has counted them: there the machine must be idle.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from helpers import recorded  # noqa: E402
from helpers.project import Project, copy  # noqa: E402

from lssat import grid, params  # noqa: E402
from lssat.orchestrate import events  # noqa: E402
from lssat.orchestrate.plan import Costs, Machine, core_speed  # noqa: E402
from lssat.tables.project import Project as Layout  # noqa: E402

OTHER = {
    "benchmark": {
        "tasks": ["celeba", "affectnet"],
        "backbones": ["vit_mini", "vit_tiny"],
        "configurations": ["MRGB-RLDP-CRGB", "none-none-CRGB"],
        "seeds": [0, 1],
    },
    "sample": {"trees": ["celeba", "affectnet"]},
    "train": {"epochs": 5, "batch_size": 32, "lr": 1e-3, "warmup_epochs": 1},
    "evaluate": {"resamples": 1000},
    "explain": {"samples": 16, "points": 200},
    "robustness": {"samples": 40, "strengths": [1, 3, 5]},
}
LEAST = 5.0  # seconds of a core, of a step that is printed


class Others(threading.Thread):
    """Counts the seconds of cores that programs other than a process and its steps have."""

    def __init__(self, process: int):
        super().__init__(daemon=True)
        self.process = psutil.Process(process)
        self.began, self.ended = time.time(), threading.Event()
        self.own = 0.0
        self.before = self._busy()
        self.counted = [[0.0, 0.0]]

    @staticmethod
    def _busy() -> float:
        times = psutil.cpu_times()
        return times.user + times.nice + times.system + times.irq + times.softirq

    def _own(self) -> float:
        """Add up the process and all below it, with what had ended there and was waited for."""
        found = 0.0
        try:
            for each in [self.process, *self.process.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    found += sum(each.cpu_times()[:4])  # own and children's, user and system
        except psutil.NoSuchProcess:
            pass
        self.own = max(self.own, found)
        return self.own

    def run(self) -> None:
        """Count twice a second, and note it once in five."""
        number = 0
        while not self.ended.wait(0.5):
            own, number = self._own(), number + 1
            if number % 10 == 0:
                self._note(own)
        self._note(self._own())

    def _note(self, own: float) -> None:
        others = max(self.counted[-1][1], self._busy() - self.before - own)
        self.counted.append([round(time.time() - self.began, 1), round(others, 1)])


def run(folder: Path) -> dict[str, Any]:
    """Plan a project, run it from nothing, and return what was planned and what it took."""
    project = Project(folder)
    project.run("lssat", "plan", "--json", "plan.json", check=False)
    with open(folder / "told.txt", "w") as told:
        began = time.time()
        process = subprocess.Popen(
            ["lssat", "run"], cwd=folder, env=project.environment, stdout=told, stderr=told
        )
        others = Others(process.pid)
        others.start()
        code = process.wait()
        ended = time.time()
    others.ended.set()
    others.join()
    if code:
        raise SystemExit(f"{folder}/told.txt: the run failed.\n{(folder / 'told.txt').read_text()}")
    reader = events_of(folder)
    beside = reader.began - began + ended - reader.last  # before its jobs, and after them
    shift = began - reader.began
    return record(folder, reader) | {
        "what": "`lssat run` of benchmarks/plan.py",
        "beside": round(beside, 1),
        "planned": round(json.loads((folder / "plan.json").read_text())["seconds"], 1),
        "others": [[round(at + shift, 1), seconds] for at, seconds in others.counted],
    }


def events_of(folder: Path) -> events.Reader:
    """Read what the last run of a project has told."""
    reader = events.Reader(folder / events.FILE)
    reader.read()
    if reader.ended != "done":
        raise SystemExit(f"{reader.file}: no run has ended well here. Run `make` first")
    return reader


def record(folder: Path, reader: events.Reader) -> dict[str, Any]:
    """Return what is kept of the last run of a project; seconds are from its first job on."""
    sections = yaml.safe_load((folder / "params.yaml").read_text())
    return {
        "what": "a run, as benchmarks/plan.py --after found it; nobody counted other programs",
        "cores": len(psutil.Process().cpu_affinity()),
        "core": {name: round(took, 3) for name, took in core_speed.milliseconds().items()},
        "wall": round(reader.last - reader.began, 1),
        "beside": round(reader.began - reader.since, 1),
        "params": {name: own for name, own in sections.items() if name != "datasets"},
        "others": [[0.0, 0.0]],
        "timeline": sorted(timeline(folder, reader), key=lambda row: row[2:4]),
    }


def timeline(folder: Path, reader: events.Reader) -> list[list]:
    """Return rule, wildcards, start, end and ends of epochs of each job of a run."""
    rows = []
    for job in jobs_of(reader):
        start, end = (job.started or 0) - reader.began, (job.finished or 0) - reader.began
        epochs: list[float] = []
        if job.rule == "train":
            task, backbone, configuration, seed = (
                job.wildcards[name] for name in ("task", "backbone", "configuration", "seed")
            )
            run = Layout(folder).runs.run(grid.Run(task, backbone, configuration, int(seed)).path)
            epochs = json.loads(run.record.read_text())["times"]["epochs"]
        ends = [round(at - reader.began, 1) for at in epochs]
        rows.append([job.rule, job.wildcards, round(start, 1), round(end, 1), ends])
    return rows


def jobs_of(reader: events.Reader) -> list[events.Job]:
    """Return the jobs of a run that make something."""
    return [job for job in reader.jobs.values() if job.rule != "all"]


def after(folder: Path, reader: events.Reader, steps_too: bool) -> recorded.Recorded:
    """Return the last run of a project, with its own parameters, and weights as it had them.

    Args:
        steps_too: make steps of each kind of training, as `lssat plan --measure`.
    """
    steps = [recorded.Step(*row) for row in timeline(folder, reader)]
    cores = min(reader.cores, len(psutil.Process().cpu_affinity()))
    machine = Machine(cores=cores, core=core_speed.core())
    weights = [job.weight for job in jobs_of(reader)]
    wall, beside = reader.last - reader.began, reader.began - reader.since
    values = params.load(folder / "params.yaml")
    if steps_too:
        from lssat.orchestrate.plan.measure import measured

        machine = measured(Costs(values, machine), quiet=True)
    return recorded.Recorded(steps, wall, beside, values, machine, weights)


def compare(run: recorded.Recorded, name: str) -> None:
    """Print the whole of a run, and the time left at each tenth of it, as told and as it was."""
    took = run.wall + run.beside
    print(
        f"plan, {name}: {run.planned:.0f} s planned, {took:.0f} s took, "
        f"ratio {run.planned / took:.2f}"
    )
    for share, left, was in run.left(range(10, 100, 10)):
        print(
            f"time left, {name}, at {share:.0%}: {left:.0f} s told, {was:.0f} s were, "
            f"ratio {left / was:.2f}"
        )
    ratios = {share: left / was for share, left, was in run.left()}
    least, most = (f(ratios, key=ratios.__getitem__) for f in (min, max))
    print(
        f"time left, {name}, from one third on: ratio {ratios[least]:.2f} (at {least:.0%}) "
        f"to {ratios[most]:.2f} (at {most:.0%})"
    )


def parts(run: recorded.Recorded) -> None:
    """Print each part and each kind of steps of seconds, as planned and as they took."""
    print(
        f"this core takes {run.machine.core.products:.2f} times as long for products as the "
        f"reference core, {run.machine.core.rest:.2f} times for the rest"
    )
    for part, (planned, took) in run.phases().items():
        print(f"{part:45} {planned:6.1f} s planned, {took:6.1f} s took, {planned / took:.2f}")
    for row, (planned, took) in run.rows().items():
        if took >= LEAST:
            print(f"{row:45} {planned:6.1f} s planned, {took:6.1f} s took, {planned / took:.2f}")


def replay(told: dict[str, Any]) -> None:
    """Print what was said of a recorded run over what it took."""
    for alone in (False, True):
        compare(recorded.run(told, alone), "alone" if alone else "by the clock")
    parts(recorded.run(told, alone=True))


def main() -> None:
    """Run, replay or look, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--after", type=Path, help="Compare the last run of this project.")
    parser.add_argument("--measure", action="store_true", help="After it, as lssat plan --measure.")
    parser.add_argument("--record", type=Path, help="Keep the run here, as JSON.")
    parser.add_argument("--folder", type=Path, help="Run in this new folder, and leave it.")
    parser.add_argument("--replay", type=Path, help="Compare with this record, and run nothing.")
    asked = parser.parse_args()
    if asked.replay:
        return replay(recorded.read(asked.replay))
    if asked.after:
        keep(asked.record, record(asked.after, reader := events_of(asked.after)))
        os.chdir(asked.after)  # whose splits are counted
        compare(last := after(Path(), reader, asked.measure), "by the clock")
        return parts(last)
    with tempfile.TemporaryDirectory() as folder:
        project = copy(asked.folder or Path(folder))
        project.params(**OTHER)
        told = run(project.path)
    keep(asked.record, told)
    replay(told)


def keep(file: Path | None, told: dict[str, Any]) -> None:
    """Write a record, where it is asked for."""
    if file:
        lines = [f" {json.dumps(key)}: {one_a_line(value)}" for key, value in told.items()]
        file.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def one_a_line(value: Any) -> str:
    """Write a list of jobs with a line for each, all else on one line."""
    if isinstance(value, list) and value and len(value[0]) > 2:
        return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
    return json.dumps(value)


if __name__ == "__main__":
    main()
