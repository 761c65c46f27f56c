"""Do `lssat plan` and the progress display say what a run takes that they were not fitted on?

    python benchmarks/plan.py                        # a run of its own, some minutes
    python benchmarks/plan.py --record FILE          # the same, kept as a record
    python benchmarks/plan.py --replay FILE          # of a record

The constants of the plan are of `make` on the built-in sample (tests/orchestrate/
recorded_make.json). This run has another encoder, batch, number of epochs and grid. Printed
are the plan over what it took, for the whole, for each row of trainings and for each other step
of seconds; and the time left that the progress would have shown, over what was left, from one
third of the run on. "Alone" is without the time in which other programs had the cores, as far as
the kernel counts it: on a busy machine the clock says how busy it was.
"""

import argparse
import contextlib
import json
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

from lssat import grid  # noqa: E402
from lssat.orchestrate import events  # noqa: E402
from lssat.orchestrate.plan import totals  # noqa: E402
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


def record(folder: Path) -> dict[str, Any]:
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
        wall = time.time() - began
    others.ended.set()
    others.join()
    if code:
        raise SystemExit(f"{folder}/told.txt: the run failed.\n{(folder / 'told.txt').read_text()}")
    return {
        "what": "`lssat run` of benchmarks/plan.py: each job with its start and end and the ends "
        "of its epochs, in seconds; `others`: seconds of cores that other programs had by then",
        "cores": len(psutil.Process().cpu_affinity()),
        "wall": round(wall, 1),
        "planned": round(json.loads((folder / "plan.json").read_text())["seconds"], 1),
        "params": changed(folder / "params.yaml"),
        "others": others.counted,
        "timeline": timeline(folder, began),
    }


def changed(file: Path) -> dict[str, dict[str, Any]]:
    """Return what the sample's preset has otherwise, less variants, of which there are none."""
    own, preset = (yaml.safe_load(each.read_text()) for each in (file, recorded.SAMPLE))
    sections = {name: own[name] for name in own if name != "datasets"}
    found = {
        name: {key: value for key, value in section.items() if value != preset[name][key]}
        for name, section in sections.items()
    }
    del found["benchmark"]["variants"]
    return {name: section for name, section in found.items() if section}


def timeline(folder: Path, began: float) -> list[list]:
    """Return the jobs of the run that was the last in a project, by their start."""
    reader = events.Reader(folder / events.FILE)
    reader.read()
    rows = []
    for job in reader.jobs.values():
        start, end = (job.started or 0) - began, (job.finished or 0) - began
        epochs: list[float] = []
        if job.rule == "train":
            values = {**job.wildcards, "seed": int(job.wildcards["seed"])}
            run = Layout(folder).runs.run(grid.Run(**values).path)
            epochs = json.loads(run.record.read_text())["times"]["epochs"]
        ends = [round(at - began, 1) for at in epochs]
        rows.append([job.rule, job.wildcards, round(start, 1), round(end, 1), ends])
    return sorted(rows, key=lambda row: row[2:4])


def compare(told: dict[str, Any]) -> None:
    """Print what was said over what it took."""
    for alone in (False, True):
        run = recorded.second(told, alone)
        name = "alone" if alone else "by the clock"
        planned = totals.plan(run.costs).seconds
        print(
            f"plan, {name}: {planned:.0f} s planned, {run.wall:.0f} s took, "
            f"ratio {planned / run.wall:.2f}"
        )
        ratios = {share: left / was for share, left, was in run.left()}
        least, most = (f(ratios, key=ratios.__getitem__) for f in (min, max))
        print(
            f"time left, {name}, from one third on: ratio {ratios[least]:.2f} (at {least:.0%}) "
            f"to {ratios[most]:.2f} (at {most:.0%})"
        )
    rows(recorded.second(told, alone=True))


def rows(run: recorded.Recorded) -> None:
    """Print each kind of steps: seconds of a core as planned, and as they took."""
    for row, (planned, took) in run.rows().items():
        if took >= LEAST:
            print(f"{row:45} {planned:6.1f} s planned, {took:6.1f} s took, {planned / took:.2f}")


def main() -> None:
    """Run or replay, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", type=Path, help="Keep the run here, as JSON.")
    parser.add_argument("--folder", type=Path, help="Run in this new folder, and leave it.")
    parser.add_argument("--replay", type=Path, help="Compare with this record, and run nothing.")
    asked = parser.parse_args()
    if asked.replay:
        return compare(recorded.read(asked.replay))
    with tempfile.TemporaryDirectory() as folder:
        project = copy(asked.folder or Path(folder))
        project.params(**OTHER)
        told = record(project.path)
    if asked.record:
        lines = [f" {json.dumps(key)}: {one_a_line(value)}" for key, value in told.items()]
        asked.record.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    compare(told)


def one_a_line(value: Any) -> str:
    """Write a list of jobs with a line for each, all else on one line."""
    if isinstance(value, list) and value and len(value[0]) > 2:
        return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
    return json.dumps(value)


if __name__ == "__main__":
    main()
