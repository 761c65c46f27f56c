"""Training on some manipulations: no part of it has the others, as if they were not there."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from helpers import ROOT
from helpers.drawn_data import write
from helpers.training import RUN, SAME, files, view
from helpers.views import changed

from lssat import grid, params, tables
from lssat.evaluation import evaluate
from lssat.grid import releases
from lssat.tables import SPLITS, DataError
from lssat.training import methods as step
from lssat.training import train

FAKES = releases.TASKS["ffpp"]
CYCLE = ("original", "Deepfakes", "FaceSwap")


def named(file: Path, without: str = "") -> None:
    """Let the samples of a split be real, Deepfakes and FaceSwap in turn; leave one out."""
    table = pq.read_table(file)
    rows = []
    for row in table.to_pylist():
        name = CYCLE[int(row["id"]) % 3]
        if name != without:
            rows.append(row | {"subset": name, "labels": [int(name != "original")]})
    tables.write_table(file, rows, SPLITS, FAKES.header())


def drawn(folder: Path, without: str = "") -> Path:
    folder.mkdir()
    write(folder, {"train": 48, "val": 24, "test": 18})
    for split in ("train", "val"):
        named(folder / f"splits/{split}.parquet", without)
    named(folder / "splits/test.parquet")
    tables.write_json(folder / "summary.json", {"coverage": {"test": 1.0}})
    return folder


def test_reals_stay_and_fakes_of_other_methods_go() -> None:
    samples = pa.table({
        "id": [*"abcdef"],
        "subset": ["original", "A", "B", "original", "C", "A"],
        "labels": [[0], [1], [1], [0], [1], [1]],
    })  # fmt: skip
    kept = step.part(samples, ["A", "C"], FAKES, Path("s"))
    assert kept["id"].to_pylist() == [*"abdef"[:2], *"def"]
    assert step.part(samples, None, FAKES, Path("s")) is samples
    with pytest.raises(DataError, match=r"s: has no sample of D, which .*\. It has A, B, C\."):
        step.part(samples, ["A", "D"], FAKES, Path("s"))


def test_a_task_without_methods_is_refused() -> None:
    samples = pa.table({"id": ["a"], "subset": [""], "labels": [[1]]})
    for task in (FAKES, releases.TASKS["affectnet"]):
        with pytest.raises(
            DataError, match=r"has no manipulation methods, and train\.methods is A"
        ):
            step.part(samples, ["A"], task, Path("s"))


def test_a_run_is_the_one_of_data_that_lack_the_method(tmp_path: Path) -> None:
    """To the bit, weights, curve and all: neither an update nor the choice of an epoch saw it."""
    whole, less = drawn(tmp_path / "whole"), drawn(tmp_path / "less", without="FaceSwap")
    recipe = {"epochs": 2, "hflip": True}
    train.train(RUN, files(whole, tmp_path / "a"), view(methods=["Deepfakes"], **recipe))
    train.train(RUN, files(less, tmp_path / "b"), view(**recipe))
    for name in SAME:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    record = json.loads((tmp_path / "a/record.json").read_text())
    assert record["params"]["train"]["methods"] == ["Deepfakes"]


def test_what_was_left_out_is_tested_and_no_temperature_is_fitted_to_it(tmp_path: Path) -> None:
    data = drawn(tmp_path / "data")
    run = grid.Run("ffpp", "vit_micro", "none-none-CRGB+no_swap", 0)
    train.train(
        run, files(data, tmp_path / "run", codes=False), view(methods=["Deepfakes"], epochs=1)
    )
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    part = changed(part, evaluate={"resamples": 100})
    where = evaluate.Files(
        runs={run.path: tmp_path / "run"}, train=data / "splits/train.parquet",
        val=data / "splits/val.parquet", test=data / "splits/test.parquet",
        summary=data / "summary.json", faces=data / "faces", codes=data / "texture",
        predictions=tmp_path / "p.parquet", metrics=tmp_path / "m.json",
    )  # fmt: skip
    evaluate.evaluate("ffpp", where, part)
    rows = tables.read_table(tmp_path / "p.parquet", tables.PREDICTIONS)
    seen = {
        split: set(rows.filter(pc.equal(rows["split"], split))["subset"].to_pylist())
        for split in ("val", "test")
    }
    assert seen == {"val": {"original", "Deepfakes"}, "test": set(CYCLE)}
    found = tables.read_json(tmp_path / "m.json")
    told = {row["subset"] for row in found["subsets"]}
    assert told == {"Deepfakes", "FaceSwap"}
    # Each against all reals, by a count of pairs.
    of_test = rows.filter(pc.equal(rows["split"], "test")).to_pylist()
    scores: dict[str, list[float]] = {}
    for row in of_test:
        scores.setdefault(row["subset"], []).append(row["logits"][0])
    for row in found["subsets"]:
        if (row["level"], row["metric"]) == ("video", "auc"):
            fake, real = (np.array(scores[name]) for name in (row["subset"], "original"))
            gaps = np.sign(fake[:, None] - real[None])
            assert row["mean"] == pytest.approx((gaps.mean() + 1) / 2)
