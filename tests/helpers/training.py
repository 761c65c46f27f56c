"""Runs of training on drawn crops: a run's parameters, its files, its curve, its command."""

import csv
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from helpers import ROOT
from lssat import params
from lssat.grid import Run
from lssat.training import train as step
from lssat.training.resume import Stop

RUN = Run("ffpp", "vit_micro", "MRGB-RLDP-CRGB", 0)


def view(**changes):
    part = params.view(str(ROOT / "params.yaml"), "train")
    recipe = part.train.model_dump() | {"epochs": 2, "batch_size": 16, "mask_ratio": 0.5} | changes
    part.train = params.Train.model_validate(recipe)
    return part


def files(data: Path, out: Path, codes: bool = True) -> step.Files:
    return step.Files(
        train=data / "splits/train.parquet", val=data / "splits/val.parquet",
        faces=data / "faces", codes=data / "texture" if codes else None,
        weights=out / "weights.safetensors", curve=out / "curve.csv",
        record=out / "record.json", reconstruction=out / "reconstruction.npz",
        checkpoints=out / "states",
    )  # fmt: skip


def curve(out: Path) -> list[dict[str, str]]:
    with open(out / "curve.csv", newline="") as lines:
        return list(csv.DictReader(lines))


SAME = ("weights.safetensors", "curve.csv", "reconstruction.npz")


EPOCHS = 60  # of a run that is killed: it must still be under way


def stop_after(monkeypatch: pytest.MonkeyPatch, updates: int) -> None:
    """Let a signal arrive after so many updates; the process sends it to itself."""
    done = iter(range(updates))

    def look(self: Stop) -> int | None:
        if next(done, None) is None and self.__dict__.get("told") is None:
            os.kill(os.getpid(), signal.SIGTERM)
        return self.__dict__.get("told")

    def tell(self: Stop, value: int) -> None:
        self.__dict__["told"] = value

    monkeypatch.setattr(Stop, "signal", property(look, tell))


def command(data: Path, out: Path, *more: str) -> list[str]:
    section = json.dumps({k: v.model_dump() for k, v in vars(view(epochs=EPOCHS)).items()})
    return [
        *(sys.executable, "-m", "lssat", "train", "--run", RUN.path, "--out", str(out)),
        *("--train", str(data / "splits/train.parquet"), "--val", str(data / "splits/val.parquet")),
        *("--faces", str(data / "faces"), "--codes", str(data / "texture"), "--minutes", "0"),
        *("--checkpoints", str(out / "states"), "--params", section, *more),
    ]
