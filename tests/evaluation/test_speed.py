"""Speed of inference: once for each backbone, alone, and the same wherever it is shown."""

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import ROOT
from helpers import drawn_results as drawn
from helpers.views import changed

from lssat import params, tables
from lssat.evaluation import speed
from lssat.report import csvs
from lssat.report.kit import results
from lssat.report.sections import costs, pareto
from lssat.tables import DataError


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few passes as can be."""
    monkeypatch.setattr(speed, "LEAST", 2)
    monkeypatch.setattr(speed, "SECONDS", 0.0)


def view(**benchmark: list[str]) -> SimpleNamespace:
    part = params.view(str(ROOT / "params.yaml"), params.views.SpeedView)
    small = {"backbones": ["vit_micro"], "baselines": [], "clip_tasks": [], "clip_backbones": []}
    sizes = dict(faces={"size": 40}, evaluate={"batch_size": 3})
    return changed(part, benchmark=small | benchmark, **sizes)


def test_fault_c11_each_backbone_is_timed_once_with_one_image_and_a_batch(
    tmp_path: Path, quick: None
) -> None:
    own = view(
        backbones=["vit_micro", "vit_mini"], configurations=["MRGB-RLDP-CLDP", "none-none-CRGB"],
        baselines=["resnet18"], clip_tasks=["ffpp"], clip_backbones=["videomae_mini"],
    )  # fmt: skip
    speed.measure(tmp_path / "speed.json", own)
    found = tables.read_json(tmp_path / "speed.json")
    named = [(row["backbone"], row["configuration"], row["frames"]) for row in found["backbones"]]
    assert named == [
        ("vit_micro", "MRGB/RLDP/CLDP", None), ("vit_mini", "MRGB/RLDP/CLDP", None),
        ("videomae_mini", "MRGB/RLDP/CLDP", 16), ("resnet18", "none/none/CRGB", None),
    ]  # fmt: skip
    for row in found["backbones"]:
        assert [each["batch"] for each in row["batches"]] == [1, 3]
        for each in row["batches"]:
            assert 0 < each["least_ms"] <= each["latency_ms"] <= each["most_ms"]
            assert each["imgs_per_second"] == pytest.approx(
                1e3 * each["batch"] / each["latency_ms"]
            )
            assert each["passes"] == 2
    assert (found["device"], found["threads"]) == ("cpu", own.train.threads)


def test_fault_c11_without_clips_no_encoder_of_clips_is_timed() -> None:
    own = view(backbones=["vit_micro"], clip_backbones=["videomae_mini"])
    assert speed.models(own.benchmark) == [("vit_micro", own.benchmark.configurations[0])]


def test_drawn_results_have_the_keys_of_the_step(tmp_path: Path, quick: None) -> None:
    speed.measure(tmp_path / "speed.json", view())
    files = drawn.draw(tmp_path, ("celeba",), ("vit_micro",), ("none-none-CRGB",), (0,))
    ours, theirs = (tables.read_json(f) for f in (tmp_path / "speed.json", files["celeba"].speed))
    assert ours.keys() == theirs.keys()
    (a,), (b,) = ours["backbones"], theirs["backbones"]
    assert a.keys() == b.keys()
    assert a["batches"][0].keys() == b["batches"][0].keys()


def test_fault_c11_rows_of_one_backbone_have_one_speed(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("ffpp",))
    task = results.read_task("ffpp", files["ffpp"])
    csvs.write("costs", tmp_path / "costs.csv", [task])
    with open(tmp_path / "costs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for name, wanted in (
        ("inference_imgs_per_second", {"vit_micro": 4000.0, "vit_mini": 1000.0}),
        ("inference_latency_ms", {"vit_micro": 0.25, "vit_mini": 1.0}),
    ):
        assert {(row["backbone"], float(row[name])) for row in rows} == set(wanted.items())
        assert {float(row[f"{name}_by_seed"]) for row in rows} == set(wanted.values())
    (note,) = [
        note for note in pareto.section(task).folded[0][1].notes if note.startswith("Speed: ")
    ]
    assert note == (
        "Speed: drawn (cpu), 1 thread, 32-bit floats, drawn weights, no other job beside it; "
        "images/s in batches of 64, latency of one."
    )
    task.speed["backbones"][1]["batches"][0]["least_ms"] *= 0.5
    (note,) = [
        note for note in pareto.section(task).folded[0][1].notes if note.startswith("Speed: ")
    ]
    assert "Timings of vit_mini vary by more than half: something else ran on the machine." in note


def test_fault_c11_a_backbone_that_was_not_timed_is_named(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("ffpp",))["ffpp"]
    content = tables.read_json(files.speed)
    del content["backbones"][0]
    content.pop("seal", None)
    tables.write_json(files.speed, content)
    with pytest.raises(DataError, match=r"speed\.json: says nothing of vit_micro\. Run"):
        results.read_task("ffpp", files)


def test_fault_c11_no_record_of_a_run_says_how_fast_inference_is(tmp_path: Path) -> None:
    """A run's record is made while other jobs run."""
    files = drawn.draw(tmp_path, ("ffpp",))["ffpp"]
    task = results.read_task("ffpp", files)
    task.records[next(iter(task.records))]["costs"]["inference_imgs_per_second"] = 1.0
    shown = {each.mean("inference_imgs_per_second") for each in costs.priced(task)}
    assert shown == {4000.0, 1000.0}
