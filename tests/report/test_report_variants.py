"""Variants on the page: sentences that follow from tests, learning curves, gains."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import drawn_results as drawn
from helpers.drawn_sweep import row as drawn_row
from hypothesis import given
from hypothesis import strategies as st

from lssat import report
from lssat.report.kit import results
from lssat.report.kit.section import Page
from lssat.report.sections import knn, variants
from lssat.tables import read_json, write_json

KNOWN = {"tenth": {"share": 0.1}, "half": {"share": 0.5}, "norm": {"tune": "norm"}}
ALONE = "none/none/CRGB"


def row(variant: str, mean: float, gap: float | None = None, p: float = 0.5, **more: Any) -> dict:
    made = drawn_row(0.1, mean, gap, p) | {"variant": variant} | more
    del made["lambda"]
    return made


ROWS = [
    row("base", 0.80),
    row("tenth", 0.60, -0.2, 0.01),
    row("half", 0.75, -0.05, 0.3),
    row("norm", 0.70, -0.1, 0.2),
    row("base", 0.75, configuration=ALONE),
    row("tenth", 0.40, -0.35, 0.001, configuration=ALONE),
]
GAIN = {
    "backbone": "vit_mini", "configuration": "MRGB/RLDP/CRGB", "supervised": ALONE,
    "variant": "tenth", "seeds": [0, 1], "gain": 0.2, "base_gain": 0.05, "difference": 0.15,
    "low": 0.05, "high": 0.25, "p": 0.004, "p_holm": 0.004, "note": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Any:
    files = drawn.draw(tmp_path_factory.mktemp("variants"), ("affectnet",))
    return results.read_task("affectnet", files["affectnet"])


def part(task: Any, rows: list[dict], gains: list[dict]) -> Any:
    task.metrics["variants"], task.metrics["gains"] = rows, gains
    (made,) = variants.content(Page({"variants": KNOWN}, [task], [], []))
    return made


def test_sentences_say_what_the_corrected_tests_show_and_no_more(task: Any) -> None:
    said = part(task, ROWS, [GAIN]).said
    assert said[0] == (
        "Shown to differ from base: vit_mini · MRGB/RLDP/CRGB with tenth (−0.200, p = 0.010) and "
        "vit_mini · none/none/CRGB with tenth (−0.350, p = 0.001). For the other 2 rows no "
        "difference is shown."
    )
    assert said[2] == (
        "vit_mini · MRGB/RLDP/CRGB: the auxiliary task gains 0.200 with tenth and 0.050 with base; "
        "that it gains more with tenth is shown (p = 0.004)."
    )
    quiet = [row(each["variant"], each["mean"], (each["difference"] or {}).get("difference"))
             for each in ROWS]  # fmt: skip
    said = part(task, quiet, [GAIN | {"p_holm": 0.3}, GAIN | {"p_holm": None, "low": None}]).said
    assert said[0] == "None of 4 rows is shown to differ from base."
    name = "vit_mini · MRGB/RLDP/CRGB with tenth"
    assert said[2] == f"No change of the gain is shown for {name}."
    assert said[3] == f"How much the gain varies is not known for {name}."


def test_curves_are_of_variants_that_change_the_share_alone(task: Any) -> None:
    made = part(task, ROWS, [])
    (figure,) = made.figures
    (plot,) = figure.plots
    *traces, floor = plot.traces
    assert (floor.line, list(floor.x)) == ("dot", [0.1, 1.0])  # the trivial baseline
    first, second = ([*trace.x] for trace in traces)
    assert first == pytest.approx([0.1, 0.5, 1.0], rel=0.03)  # marks side by side
    assert second == pytest.approx([0.1, 1.0], rel=0.03)
    assert second[-1] / first[-1] > 1.03
    assert [list(trace.y) for trace in traces] == [[0.6, 0.75, 0.8], [0.4, 0.75]]
    assert "n = 96 (16 groups)" in figure.caption
    (line,) = [line for line in made.said if line.startswith("Mean height of each curve")]
    first, second = line.split("vit_mini · none/none/CRGB ")
    assert "it reaches the score that none/none/CRGB has with all data at about 50 %" in first
    assert "it does not reach the score that MRGB/RLDP/CRGB has with all data" in second
    assert line.count("without a test") == 1
    assert part(task, [ROWS[0], ROWS[3]], []).figures == []


def test_the_table_says_what_each_variant_changes(task: Any) -> None:
    made = part(task, ROWS, [GAIN])
    table, gains = made.tables
    assert [cells[-1].text for cells in table.rows] == [
        "", "share: 0.1", "share: 0.5", "tune: norm", "", "share: 0.1",
    ]  # fmt: skip
    for each in (table, gains):
        assert {len(cells) for cells in each.rows} == {len(each.columns)}


def test_keys_that_the_recipe_has_as_well_are_no_change(task: Any) -> None:
    task.metrics["variants"], task.metrics["gains"] = ROWS, []
    changes = {"tenth": {"share": 0.1, "hflip": False, "ema": None}, "half": {"share": 0.5}}
    recipe = {"hflip": False, "share": 1.0, "ema": 0.9}
    page = Page({"variants": changes, "train": recipe}, [task], [], [])
    (made,) = variants.content(page)
    assert made.tables[0].rows[1][-1].text == "share: 0.1, ema: null"


def test_without_base_there_is_nothing_to_test_against(task: Any) -> None:
    (line, *_) = part(task, [row("half", 0.7)], []).said
    assert line.startswith("No row was also run with the recipe unchanged")


SHARES = st.lists(
    st.tuples(st.floats(0.01, 1), st.floats(0, 1)),
    min_size=2, max_size=6, unique_by=lambda point: round(point[0], 2),
).map(sorted)  # fmt: skip


@given(SHARES)
def test_the_mean_over_a_curve_is_numpys(curve: list[tuple[float, float]]) -> None:
    x, y = np.log([share for share, _ in curve]), [value for _, value in curve]
    wanted = np.trapezoid(y, x) / (x[-1] - x[0])
    assert variants.area(curve) == pytest.approx(wanted, abs=1e-9)


@given(SHARES, st.floats(0, 1), st.booleans())
def test_the_share_at_which_a_score_is_reached_is_the_first_that_has_it(
    curve: list[tuple[float, float]], wanted: float, lower: bool
) -> None:
    at = variants.reached(curve, wanted, lower)
    has = [value <= wanted if lower else value >= wanted for _, value in curve]
    if at is None:
        assert not any(has)
        return
    x, y = np.log([share for share, _ in curve]), [value for _, value in curve]
    first = has.index(True)
    assert curve[max(first - 1, 0)][0] - 1e-9 <= at <= curve[first][0] + 1e-9
    if first and abs(y[first] - y[first - 1]) > 1e-6:
        assert np.interp(np.log(at), x, y) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.slow
def test_the_page_shows_variants_or_how_to_ask_for_them(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("affectnet",))
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    page = drawn.outputs(tmp_path)["report"]
    assert "Variants (benchmark.variants of params.yaml)" in page.read_text()
    metrics = read_json(files["affectnet"].metrics)
    write_json(files["affectnet"].metrics, metrics | {"variants": ROWS, "gains": [GAIN]})
    report.write(drawn.PARAMS | {"variants": KNOWN}, files, drawn.outputs(tmp_path))
    text = page.read_text()
    assert 'id="variants-affectnet"' in text
    assert 'id="shares-affectnet"' in text
    assert "Variants (" not in text


def test_neighbours_of_frozen_features_stand_beside_their_probe(task: Any) -> None:
    first = task.headline[0]
    near = {name: first[name] for name in ("backbone", "configuration", "level", "metric")}
    near |= {"mean": 0.61, "low": 0.52, "high": 0.7, "values": [0.6, 0.62], "seeds": [0, 1]}
    near |= {"runs": ["a", "b"], "n": 80, "groups": 16, "baseline": 0.125, "beats_baseline": True}
    task.metrics["variants"] = []
    task.metrics["nearest"] = [near | {"note": None, "neighbours": [20, 10]}]
    (made,) = variants.content(Page({}, [task], [], []))
    del task.metrics["nearest"]
    (table,) = made.tables
    (cells,) = table.rows
    texts = [cell.text for cell in cells]
    assert texts[:4] == [first["backbone"], first["configuration"], "0.610", "20, 10"]
    assert cells[2].small == "[0.520, 0.700]"
    assert cells[4].sort == first["mean"]
    assert texts[5:] == ["0.125", "yes", "2", "80"]
    assert made.said == [knn.LEAD]
