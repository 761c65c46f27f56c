"""Time the start of a training process: from its launch to its first step, and to its end.

    python benchmarks/startup.py
    python benchmarks/startup.py --repeats 9 --energy

`lssat train` of the sample's recipe on drawn crops, one epoch of two updates. Medians of seconds by
the clock and of CPU, processes interleaved, bytecode compiled by a first round that is not counted.
The bare limits are processes that `import torch`, and that make an optimizer of it, for which
torch imports its compiler. Then the seconds that the imports of each package take by themselves.
"""

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from loader import crops, write

from lssat import params, texture
from lssat.tables.project import Project

RUN = "ffpp/vit_micro/MRGB-RLDP-CRGB/seed0"
PROJECT = Path(__file__).resolve().parent.parent
# The command itself; torch calls back after each step of an optimizer.
TRAIN = """
import time
from lssat.cli import main
from lssat.cli.base import quick_imports
with quick_imports():
    import lssat.training.train
    from torch.optim.optimizer import register_optimizer_step_post_hook
def told(*_):
    print("STEP", time.monotonic(), time.process_time(), flush=True)
register_optimizer_step_post_hook(told)
main()
"""
LIMITS = {
    "import torch": "import torch",
    "... and an optimizer": "import torch\ntorch.optim.SGD([torch.zeros(1)], lr=1)",
}


def arguments(folder: Path, energy: bool) -> list[str]:
    """Draw a project of 64 crops and return the options of `lssat train` for it."""
    imgs = crops(64)[:, :80, :80].copy()
    drawn, prepared = folder / "drawn", Project(folder).data("ffpp")
    write(drawn, imgs, texture.codes(imgs, "ldp", bulk=True))
    prepared.splits.root.mkdir(parents=True)
    for split in ("train", "val"):
        shutil.copy(drawn / "train.parquet", prepared.splits.root / f"{split}.parquet")
    (drawn / "faces").rename(prepared.faces.root)
    prepared.texture("ldp").root.parent.mkdir(parents=True, exist_ok=True)
    (drawn / "texture").rename(prepared.texture("ldp").root)
    view = params.load(PROJECT / "presets/sample.yaml")
    short = view.train.model_copy(update={"epochs": 1, "warmup_epochs": 0})
    section = params.section_json(view.model_copy(update={"train": short}), "train")
    where = ("--project", str(folder), "--params", section)
    return ["train", "--run", RUN, *where, "--energy" if energy else "--no-energy"]


def run(code: str, *arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """Run Python code with this project's modules; end with its words if it fails."""
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, *flags, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done


def timed(code: str, *arguments: str) -> list[float]:
    """Return seconds and CPU seconds of a process, and those to its first step if it tells."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    told = run(code, *arguments).stdout
    clock, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if first := re.search(r"^STEP (\S+) (\S+)", told, flags=re.M):
        return [clock, cpu, float(first[1]) - started, float(first[2])]
    return [clock, cpu]


def imports(arguments: list[str]) -> tuple[Counter[str], float]:
    """Return the seconds of imports by package, and those of torch's compiler with all it imports.

    `-X importtime` itself costs; these are shares to compare.
    """
    told = run(TRAIN, *arguments, flags=("-X", "importtime")).stderr
    own: Counter[str] = Counter()
    compiler = 0.0
    for self_, whole, name in re.findall(r"import time: +(\d+) \| +(\d+) \| +(\S+)", told):
        own[name.split(".")[0]] += int(self_) / 1e6
        compiler = int(whole) / 1e6 if name == "torch._dynamo" else compiler
    return own, compiler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--energy", action="store_true", help="measured too, by codecarbon")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        given = arguments(Path(temporary), options.energy)
        found: dict[str, list[list[float]]] = {name: [] for name in [*LIMITS, "lssat train"]}
        for _ in range(options.repeats + 1):
            for name, code in LIMITS.items():
                found[name].append(timed(code))
            found["lssat train"].append(timed(TRAIN, *given))
        own, compiler = imports(given)
    energy = "with" if options.energy else "without"
    print(f"a training process {energy} codecarbon, medians of {options.repeats}")
    for name, rows in found.items():
        clock, cpu, *first = (statistics.median(column) for column in zip(*rows[1:], strict=True))
        if first:
            print(f"{'to its first step':22s} {first[0]:6.2f} s   {first[1]:6.2f} s of CPU")
        print(f"{name:22s} {clock:6.2f} s   {cpu:6.2f} s of CPU")
    total = sum(own.values())
    print(f"imports {total:.2f} s; torch._dynamo with all it imports {compiler:.2f} s; by package")
    for name, seconds in own.most_common(12):
        print(f"  {name:20s} {seconds:6.2f} s   {seconds / total:5.1%}")


if __name__ == "__main__":
    main()
