"""Any classifier of timm as a baseline: every step that looks at runs takes it."""

from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT
from helpers.drawn_data import write
from helpers.training import files, view
from helpers.views import changed

from lssat import params, tables
from lssat.evaluation import evaluate, explain, robustness, speed
from lssat.grid import Run
from lssat.tables.project import Splits
from lssat.training import train

NAME = "timm:test_convnext"
RUN = Run("celeba", NAME, "none-none-CRGB", 0)


def part(rule: str, section: str, **small: object) -> Any:
    """What a step reads of params.yaml, made small."""
    made = params.view(str(ROOT / "params.yaml"), params.views.VIEWS[rule])
    return changed(made, **{section: small})


@pytest.mark.slow
def test_a_classifier_of_timm_goes_through_each_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"train": 24, "val": 8, "test": 24}, outputs=3)
    tables.write_json(tmp_path / "splits/summary.json", {"coverage": {"test": 1.0}})
    folders = {RUN.path: tmp_path / "run"}
    train.train(RUN, files(tmp_path, tmp_path / "run", codes=False), view(epochs=1))
    splits, data = Splits(tmp_path / "splits"), (tmp_path / "faces", tmp_path / "texture")
    out = tmp_path / "predictions.parquet", tmp_path / "metrics.json"
    where = evaluate.Files(
        folders, splits.train, splits.val, splits.test, splits.summary, *data, *out
    )
    evaluate.evaluate("celeba", where, part("evaluate", "evaluate", resamples=50))
    table = tables.read_metrics(out[1], "table")["table"]
    assert {(row["backbone"], row["configuration"]) for row in table} == {(NAME, "none/none/CRGB")}
    looked = explain.Files(
        folders, splits.test, *data, *out, tmp_path / "explain.json", tmp_path / "explain.npz"
    )
    explain.examine("celeba", looked, part("explain", "explain", samples=4, steps=2, points=8))
    assert [row["run"] for row in tables.read_json(looked.explain)["rows"]] == [RUN.path]
    hurt = tmp_path / "robustness.json"
    small = {"samples": 12, "strengths": [1], "perturbations": ["jpeg"]}
    robustness.robustness(
        "celeba",
        robustness.Files(folders, splits.train, splits.test, data[0], hurt),
        part("robustness", "robustness", **small),
    )
    assert [row["backbone"] for row in tables.read_json(hurt)["rows"]] == [NAME]
    monkeypatch.setattr(speed, "LEAST", 2)
    monkeypatch.setattr(speed, "SECONDS", 0.0)
    timed = params.view(str(ROOT / "params.yaml"), params.views.SpeedView)
    models = dict(backbones=[], baselines=[NAME], clip_backbones=[])
    timed = changed(timed, faces={"size": 40}, evaluate={"batch_size": 3}, benchmark=models)
    speed.measure(tmp_path / "speed.json", timed)
    found = tables.read_json(tmp_path / "speed.json")["backbones"]
    assert [row["backbone"] for row in found] == [NAME]
