"""Robustness measured on drawn crops."""

from pathlib import Path

import pytest

from helpers import ROOT
from helpers.drawn_data import write
from helpers.training import files, view
from helpers.views import changed
from lssat import params, tables
from lssat.evaluation import robustness
from lssat.grid import Run
from lssat.training import train as training

COUNTS = {"train": 48, "val": 16, "test": 24}


RUNS = [
    Run("celeba", "vit_micro", name, seed)
    for name in ("none-none-CLDP", "none-none-CRGB")
    for seed in (0, 1)
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, COUNTS, outputs=3)
    for run in RUNS:
        training.train(run, files(folder, folder / "runs" / run.path), view(epochs=1))
    return folder


def measure(data: Path, out: Path, **options: object) -> dict:
    part = params.view(str(ROOT / "params.yaml"), params.views.RobustnessView)
    small = {"samples": None, "seeds": "all", "strengths": [1, 5]}
    small |= {"perturbations": ["noise", "blur"]} | options
    part = changed(part, robustness=small, evaluate={"batch_size": 7})
    where = robustness.Files(
        runs={run.path: data / "runs" / run.path for run in RUNS},
        train=data / "splits/train.parquet", test=data / "splits/test.parquet",
        faces=data / "faces", out=out / "robustness.json",
    )  # fmt: skip
    robustness.robustness("celeba", where, part)
    return tables.read_json(where.out)
