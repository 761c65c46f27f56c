"""Is any kill survived? Kills in all phases of a small benchmark, then results held to the byte.

    python benchmarks/killer.py                # 30 kills: about half an hour on two cores
    python benchmarks/killer.py --kills 3

The same project is run twice: once undisturbed, once killed (SIGKILL, every second time of
Snakemake alone) at a random moment of each phase in turn, from the first drawn tree to MLflow's
last entry. After each kill the plain command is given again: no `--unlock`, nothing removed. In the
end every result that two undisturbed runs share must have the same bytes, and neither Snakemake
nor DVC may find anything to do.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from helpers import killer  # noqa: E402
from helpers.project import Project, copy  # noqa: E402

PHASES = [
    "sample", "manifest", "faces", "texture", "splits", "audit", "lookalikes", "train", "evaluate",
    "robustness", "explain", "speed", "slices", "gallery", "report", "track", "track_slices",
    "track_report",
]  # fmt: skip
SMALL = {"train": {"epochs": 3}, "evaluate": {"resamples": 100}}


def project(folder: Path) -> Project:
    """A small project in a new folder."""
    made = copy(folder)
    made.params(**SMALL)
    return made


def main() -> int:
    """Run both; print each kill and the verdict. The exit code is 1 where results differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, killed = project(Path(folder, "calm")), project(Path(folder, "killed"))
        calm.run("snakemake", "--cores", "2")
        for number in range(asked.kills):
            phase = PHASES[number * len(PHASES) // asked.kills]
            told = killer.kill(killed, phase, chance)
            print(f"{number + 1:2} {phase:12} killed at work: {told}", flush=True)
        killed.run("snakemake", "--cores", "2")
        wanted, found = killer.results(calm), killer.results(killed)
        differ = sorted(
            name for name in wanted.keys() | found if wanted.get(name) != found.get(name)
        )
        left = sorted(killed.snakemake_stale())
        status = killed.run("dvc", "status", check=False)
    same = len(wanted) - len(differ)
    print(f"{asked.kills} kills: {same} of {len(wanted)} results have the bytes of the calm run")
    print(f"differ: {differ or 'none'}; left to do: {left or 'nothing'}; DVC: {status.strip()}")
    return int(bool(differ or left or "up to date" not in status))


if __name__ == "__main__":
    sys.exit(main())
