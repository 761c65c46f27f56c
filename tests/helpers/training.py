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
from lssat.tables.project import Data, Project, RunFiles
from lssat.training import train as step
from lssat.training.resume import Stop

RUN = Run("ffpp", "vit_micro", "MRGB-RLDP-CRGB", 0)


def view(**changes):
    part = params.view(str(ROOT / "params.yaml"), params.views.TrainView)
    recipe = part.train.model_dump() | {"epochs": 2, "batch_size": 16, "mask_ratio": 0.5} | changes
    return part.model_copy(update={"train": params.Train.model_validate(recipe)})


def files(data: Path, out: Path, codes: bool = True) -> step.Files:
    splits, run = Data(data).splits, RunFiles(out)
    return step.Files(
        train=splits.train, val=splits.val,
        faces=Data(data).faces.root, codes=data / "texture" if codes else None,
        weights=run.weights, curve=run.curve, record=run.record, reconstruction=run.reconstruction,
        checkpoints=out / "states", features=data / "features",
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


def command(data: Path, out: Path, *more: str, run: Run = RUN) -> list[str]:
    """Return the command of a run in a project that is made of links: of `data` and `out`."""
    project = Project(data / "projects" / out.name)
    prepared = project.data(run.task)
    link(prepared.faces.root, data / "faces")
    link(prepared.texture("ldp").root, data / "texture")
    link(prepared.splits.root, data / "splits")
    link(project.runs.run(run.path).root, out)
    link(project.states / run.path, out / "states")
    section = json.dumps({k: v.model_dump() for k, v in vars(view(epochs=EPOCHS)).items()})
    given = ("--project", str(project.root), "--minutes", "0", "--params", section, *more)
    return [sys.executable, "-m", "lssat", "train", "--run", run.path, *given]


def link(place: Path, to: Path) -> None:
    """Let a folder be found at another place."""
    for folder in (to, place.parent):
        folder.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(to.absolute())
