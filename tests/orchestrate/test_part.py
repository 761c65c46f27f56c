"""`lssat run --task ...`: a part of the grid."""

import pytest
from helpers import ROOT

from lssat import params
from lssat.orchestrate import part
from lssat.tables import DataError

SAMPLE = params.load(ROOT / "presets/sample.yaml")


def test_one_run_is_trained_and_not_evaluated() -> None:
    chosen = part.part(SAMPLE, ["celeba"], ["vit_mini"], ["MRGB/RLDP/CRGB"], [1])
    assert chosen.targets == ["runs/celeba/vit_mini/MRGB-RLDP-CRGB/seed1/record.json"]
    told = part.told(SAMPLE, chosen)
    assert told.startswith("1 run of 100: ")
    assert "not evaluated: that needs all runs of a task (`lssat run --task celeba`)" in told


def test_a_whole_task_is_evaluated_as_well() -> None:
    chosen = part.part(SAMPLE, ["affectnet"], [], [], [])
    assert len(chosen.runs) == 52  # with variants
    assert chosen.targets[-2:] == [
        "results/tasks/affectnet/metrics.json",
        "results/tasks/affectnet/robustness.json",
    ]
    assert part.part(SAMPLE, [], ["vit_mini", "vit_micro"], [], []).tasks == SAMPLE.benchmark.tasks
    assert part.part(SAMPLE, [], ["vit_mini"], [], []).tasks == []


def test_names_that_the_grid_lacks_are_said_together() -> None:
    with pytest.raises(DataError) as caught:
        part.part(SAMPLE, ["celebA"], ["vit_huge"], [], [7])
    said = str(caught.value)
    for problem in ("--task celebA: not in the grid", "did you mean celeba?", "--backbone vit_huge",
                    "--seed 7"):  # fmt: skip
        assert problem in said
    with pytest.raises(DataError, match="no run of the grid has all that was asked for"):
        part.part(SAMPLE, ["celeba"], [], ["MRGB-RLDP-CRGB-lambda0.5"], [])
