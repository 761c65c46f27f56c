"""Do Snakemake and DVC keep each other's results, in whatever order they are used?

    python benchmarks/two_tools.py --sequences 10 --steps 8

Each sequence is of random commands in a small copy of this project: snakemake, snakemake killed
at a random moment, edits, a raw file lost and put back, dvc repro, exp run, exp run --temp,
checkout, push, lssat sync. After each step every file that ever was a finished result (below
runs/, results/ and data/prepared/) must be on disk or, whole, in DVC's cache. At the end of each
sequence `snakemake` and then `dvc status` must find nothing to do.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from helpers import kept  # noqa: E402
from helpers.project import Project, copy  # noqa: E402

TINY: dict[str, dict] = {
    "benchmark": {"configurations": ["none-none-CRGB"]},
    "train": {"epochs": 1},
    "evaluate": {"resamples": 100},
    "explain": {"samples": 2, "points": 10, "steps": 2},
    "robustness": {"samples": 4, "strengths": [1], "perturbations": ["blur"]},
}
EDITS = [("robustness", "seed"), ("evaluate", "seed"), ("train", "lr"), ("splits", "seed")]
IMAGES = "data/raw/sample/celeba/img_align_celeba"


class Sequence:
    """One project and what was ever a finished result in it."""

    def __init__(self, finished: Path, folder: Path, seed: int):
        subprocess.run(["cp", "-a", f"{finished}/.", str(folder)], check=True)
        self.project, self.random = Project(folder), random.Random(seed)
        self.values: dict[str, dict] = {}
        self.seen: dict[str, set[str]] = {}
        self.look()

    def look(self) -> list[str]:
        """Note the results that are there; return those that are lost."""
        for name, digest in kept.results(self.project.path).items():
            self.seen.setdefault(digest, set()).add(name)
        before = {f"{sorted(names)[0]} {digest[:8]}": digest for digest, names in self.seen.items()}
        return kept.lost(self.project.path, before)

    def edit(self) -> str:
        """Set a parameter to one of two values: there, and often back."""
        section, key = self.random.choice(EDITS)
        value = self.random.choice([0.001, 0.002] if key == "lr" else [0, 1])
        self.values[section] = {key: value}
        self.project.params(**{name: TINY.get(name, {}) | self.values.get(name, {})
                               for name in {*TINY, *self.values}})  # fmt: skip
        return f"{section}.{key}={value}"

    def snakemake(self) -> str:
        """Run to the end, or until a raw file is missed."""
        return self._last(self.project.run("snakemake", "--cores", "2", check=False))

    def killed(self) -> str:
        """Start Snakemake and kill it, with or without its steps."""
        process = subprocess.Popen(
            ["snakemake", "--cores", "2"], cwd=self.project.path, start_new_session=True,
            env=self.project.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        after = self.random.uniform(1, 25)
        time.sleep(after)
        if self.random.random() < 0.5:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"after {after:.0f} s"

    def lose(self) -> str:
        """Move a raw file away, or put it back."""
        away = self.project.path / "away.jpg"
        folder = self.project.path / IMAGES
        if away.exists():
            shutil.move(away, folder / "000001.jpg")
            return "put back"
        if (folder / "000001.jpg").exists():
            shutil.move(folder / "000001.jpg", away)
            return "moved away"
        return "not there"

    def repro(self) -> str:
        """Reproduce with DVC."""
        return self._last(self.project.run("dvc", "repro", check=False))

    def experiment(self) -> str:
        """Run an experiment in the folder or, half of the times, in a temporary one."""
        temporary = ["--temp"] if self.random.random() < 0.5 else []
        value = f"evaluate.seed={self.random.choice([0, 1, 2])}"
        told = self.project.run("dvc", "exp", "run", *temporary, "-S", value, check=False)
        return f"{' '.join(temporary)} {value}: {self._last(told)}"

    def checkout(self) -> str:
        """Put back what dvc.lock says, by force."""
        return self._last(self.project.run("dvc", "checkout", "--force", check=False))

    def push(self) -> str:
        """Push to a folder."""
        return self._last(self.project.run("dvc", "push", check=False))

    def sync(self) -> str:
        """Put Snakemake in step."""
        return self._last(self.project.run("lssat", "sync", check=False))

    def end(self) -> list[str]:
        """Bring all up to date; return what the tools still find to do."""
        if (self.project.path / "away.jpg").exists():
            self.lose()
        self.snakemake()
        left = sorted(self.project.snakemake_stale())
        status = self.project.run("dvc", "status", check=False)
        return left + ([] if "up to date" in status else [status])

    @staticmethod
    def _last(told: str) -> str:
        lines = [line for line in told.strip().splitlines() if line.strip()]
        return lines[-1][:90] if lines else ""


STEPS = ["snakemake", "killed", "edit", "lose", "repro", "experiment", "checkout", "push", "sync"]


def finished(folder: Path) -> Path:
    """A project right after its first `snakemake`, with a remote."""
    project = copy(folder / "project")
    project.params(**TINY)
    project.run("snakemake", "--cores", "2")
    (folder / "storage").mkdir()
    project.run("dvc", "remote", "add", "--default", "storage", str(folder / "storage"))
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "made")
    return project.path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=10)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        made = finished(Path(folder))
        for number in range(asked.sequences):
            place = Path(folder) / f"sequence-{number}"
            place.mkdir()
            sequence = Sequence(made, place, asked.seed + number)
            for _ in range(asked.steps):
                step = sequence.random.choice(STEPS)
                told = getattr(sequence, step)()
                lost = sequence.look()
                wrong += bool(lost)
                print(f"{number} {step:10} {'LOST ' + str(lost[:5]) if lost else 'kept'}  {told}")
                sys.stdout.flush()
            left = sequence.end()
            lost = sequence.look()
            wrong += bool(left or lost)
            print(f"{number} end: {len(sequence.seen)} contents of results, {len(lost)} lost; "
                  f"left to do: {left or 'nothing'}", flush=True)  # fmt: skip
            shutil.rmtree(place)
    print(f"{asked.sequences} sequences of {asked.steps} steps: {wrong} with a fault")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
