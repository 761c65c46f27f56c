"""The calibration table of the report: beside each error what chance alone would make of it."""

from typing import Any

import pytest
from helpers import drawn_results as drawn

from lssat import metrics
from lssat.report.kit import results
from lssat.report.sections import calibration


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Any:
    files = drawn.draw(tmp_path_factory.mktemp("calibration"), ("celeba",))
    return results.read_task("celeba", files["celeba"])


def test_fault_c21_beside_each_error_stands_that_of_a_calibrated_model(task) -> None:
    table = calibration.table(task)
    heads = [column.label for column in table.columns]
    for name in ("ECE", "ECE, scaled"):
        place = heads.index(name)
        assert heads[place + 1].startswith("If calibrated")
        assert {row[place + 1].text for row in table.rows} == {"0.020"}
    drawn_plots = calibration.diagram(task).plots
    assert all("0.020 if calibrated" in plot.keys[0].value for plot in drawn_plots)
    assert table.notes == []


def test_fault_c14_runs_whose_temperature_is_at_a_bound_are_named(task) -> None:
    runs = task.metrics["runs"]
    was = [run["calibration"]["temperature"] for run in runs]
    for run, heat in zip(runs, (0.0100003, 99.9999), strict=False):
        run["calibration"] |= {"temperature": heat, "note": metrics.at_bound(heat)}
    cold, hot = calibration.table(task).notes
    assert cold.startswith("The temperature is at the bound 0.01 of its search")
    assert cold.endswith("vit_micro MRGB/RRGB/CRGB seed 0.")
    assert hot.startswith("The temperature is at the bound 100 of its search")
    assert hot.endswith("seed 1.")
    for run, heat in zip(runs, was, strict=True):
        run["calibration"] |= {"temperature": heat, "note": None}
