"""Each benchmark runs at its smallest size and prints its ratios; how large they are is not held.

In this process, so that torch and the others are imported once; what a benchmark starts in
processes of its own only to time their start is run here, or once.
"""

import functools
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import PathFinder
from types import ModuleType

import pyarrow as pa
import pytest
import torch
from helpers import ROOT

FOLDER = ROOT / "benchmarks"
SMALL = {
    "bootstrap": "--samples 200 --clusters 20 --resamples 20 --repeats 1",
    "celeba_statistics": "--images 300 --people 30 --attributes 3 --backbones 2",
    "conventions": "--frames 4 --draws 4",
    "faces": "--sizes 480p --scenes 2 --repeats 1",
    "graph": "--share 0.0005 --repeats 1 --finished --targets data/prepared/celeba/audit.json",
    "levels": "--trials 2 --only 1",
    "heads": "--images 256 --size 40",
    "loader": "--samples 64 --batch 16 --repeats 1",
    "lookalikes": "1000",
    "probe": "--images 16 --backbones vit_micro --epochs 1 --seeds 2",
    "readers": "--share 0.0005 --repeats 1",
    "plan": f"--replay {ROOT}/tests/orchestrate/recorded_make.json",
    "report": "--sizes 1 --share 0.01 --tasks affectnet",
    "scale": "--sizes 1 --share 0.01 --tasks affectnet",
    "slices_levels": "--trials 2 --groups 2 --clusters 60 --seeds 1 --metrics accuracy",
    "startup": "--repeats 1",
    "texture": "--images 4 --repeats 1",
    "train_step": "--sizes vit_tiny --batch-sizes 1 --repeats 1",
    "warm": "--runs 1",
    "video": "--frames 33 --repeats 1",
}
ELSEWHERE = ("two_tools", "killer")  # tests/workflow has a finished project for them
NUMBER = r"[\d.,]+"
# What each must print of every way that it times; # is a number.
RATIOS = {
    "bootstrap": (["lssat, clustered", "scikit-learn loop", "scipy.stats.bootstrap"], "# s # x"),
    "faces": (["facenet-pytorch", "lssat", "lssat, fast"], "# ms # x"),
    "loader": (
        ["ours, read", "ours, training", "ours, one reader", "NPY per item + collate",
         "JPEG files (Pillow)", "Parquet, raw row groups", "copying the bytes"],
        "# samples/s # x",
    ),
    "texture": (
        ["ours, numba", "ours, numpy", "ours, torch eager", "copying the bytes",
         "naive scipy + argsort"],
        "# images/s # x",
    ),
    "train_step": (["two passes, eager", "packed, eager"], "# images/s x # - #% of the"),
    "celeba_statistics": (["metrics and influence values", "each two rows", "together, 18 runs"],
                          "# s"),
    "plan": (
        ["plan, by the clock: # s planned, # s took", "plan, alone: # s planned, # s took",
         "time left, alone, from one third on:", "training # s planned, # s took, #",
         "time left, alone, at 50%: # s told, # s were, ratio #"],
        "",
    ),
    "report": (["report, 6 runs: # s CPU # GiB # s wall", "page # MB"], ""),
    "scale": (["evaluate affectnet, 6 runs"], "# s CPU # GiB # s wall"),
    "levels": (["| 1 seeds, sd 0.0 |", "| 4 classes, top1 |", "| 2 seeds, sd 0.1, 1,000 clusters |",
                "| 2 backbones x 4, 3 seeds |"], "# |"),
    "conventions": (["frames apart, at most:", "other frame:"], "#"),
    "video": (["lssat", "lssat, own process", "a seek per frame"], "# s # x levels apart: 0"),
    "probe": (["vit_micro"], "first probe # s of CPU, a later one #, full training #, ratio #"),
    "heads": (["head 1, lr 0.1:", "head 2, lr 0.05:", "nearest neighbours:"],
              "# crops through the encoder, # s of CPU, # s, # GiB"),
    "lookalikes": (["even: 1,000 among 1,000:", "faces: 1,000 among 1,000:"],
                   "# s, all pairs # s (from 200), ratio #"),
    "readers": (["ffpp: 6,000 rows in", "celeba: 101 rows in", "affectnet_csv: # rows in",
                 "affectnet_npy: # rows in"],
                "# s, # MiB; the least # s, ratio #"),
    "graph": (["first look", "warm, median", "one file touched", "nothing to do"],
              "# s # s of CPU"),
    "slices_levels": (["| accuracy | 2 | 60 | 1 | # | # | # | # | 2 |"], ""),
    "startup": (["import torch", "... and an optimizer", "lssat train", "to its first step"],
                "# s # s of CPU"),
    "warm": (["alone", "forked"], "# s # s of CPU"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Benchmarks run on one thread; the tests after them as before."""
    before, arrow = torch.get_num_threads(), pa.cpu_count()
    yield
    torch.set_num_threads(before)
    pa.set_cpu_count(arrow)


def load(name: str, patch: pytest.MonkeyPatch) -> ModuleType:
    """Import a script as running it does: its folder comes first."""
    patch.syspath_prepend(FOLDER)
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.pop("loader", None)  # of which the start-up takes its crops
    return module


def in_this_process(readers: ModuleType, patch: pytest.MonkeyPatch) -> None:
    """A manifest in a process of its own is the same, after 16 starts."""
    patch.setattr(readers, "timed", readers._measure)


def once(startup: ModuleType, patch: pytest.MonkeyPatch) -> None:
    """Start a training once, for all that is read of it; the bare limits are not started."""
    run, done = startup.run, {}

    def cached(code: str, *arguments: str, flags: tuple[str, ...] = ()):
        if code not in done:
            short = "pass" if code in startup.LIMITS.values() else code
            done[code] = run(short, *arguments, flags=("-X", "importtime"))
        return done[code]

    patch.setattr(startup, "run", cached)
    timed = functools.cache(startup.timed)
    patch.setattr(startup, "timed", timed)


FEWER_PROCESSES = {"readers": in_this_process, "startup": once}


def test_every_benchmark_is_tried() -> None:
    assert {file.stem for file in FOLDER.glob("*.py")} == {*SMALL, *ELSEWHERE}
    assert set(SMALL) == set(RATIOS)


@pytest.mark.parametrize("name", [*SMALL, *ELSEWHERE])
def test_a_script_stands_in_no_packages_way(name: str) -> None:
    """Its folder comes first where imports look: a coverage.py there is what numba would import."""
    assert name not in sys.stdlib_module_names
    assert PathFinder.find_spec(name, [sysconfig.get_path("purelib")]) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_prints_its_ratios(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load(name, monkeypatch)
    if name in FEWER_PROCESSES:
        FEWER_PROCESSES[name](module, monkeypatch)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *SMALL[name].split()])
    module.main()
    said = re.sub(" +", " ", capsys.readouterr().out)
    ways, rest = RATIOS[name]
    for way in ways:
        words = re.escape(f"{way} {rest}".strip())
        line = words.replace(r"\#", NUMBER).replace(r"\ ", " ")
        found = re.search(rf"^ ?{line}", said, flags=re.MULTILINE)
        assert found is not None, f"{way}: no line like {line!r} in\n{said}"
