"""The section across data sets: every run's number there beside its number at home."""

import csv
import json
import re
from pathlib import Path

import pytest
from helpers import drawn_results as drawn
from helpers.drawn_cross import draw

from lssat import report, tables
from lssat.report.kit import results
from lssat.tables import DataError


@pytest.mark.slow
def test_the_page_and_the_tables_hold_both_numbers(tmp_path: Path) -> None:
    files, cross = draw(tmp_path)
    out = drawn.outputs(tmp_path)
    report.write(drawn.PARAMS, files, out, cross)
    page = out["report"].read_text(encoding="utf-8")
    part = re.search(r'<section id="cross">.*?(?=<section id="roc">)', page, re.DOTALL)[0]
    text = re.sub(r"<[^>]+>", " ", part)
    assert "Runs of ffpp on celebdf: 120 frames and 40 videos in 12 groups, coverage 75.0 %" in text
    home = tables.read_json(files["ffpp"].metrics)["table"]
    away = tables.read_json(cross["celebdf"].metrics)["table"]
    for row in [*home, *away]:
        if row["metric"] == "auc":
            assert f"{row['mean']:.3f}" in text
    data = re.search(r'<section id="data">.*?(?=<section id="rejects">)', page, re.DOTALL)[0]
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", data))
    assert "videos of test that look like one of train or val of ffpp 3 54" in told
    assert "celebdf" in re.search(r'<section id="rejects">.*', page, re.DOTALL)[0]
    with open(out["table"], newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["dataset"] == "celebdf"]
    assert len(rows) == len(away)
    assert {row["task"] for row in rows} == {"ffpp"}
    flat = json.loads(out["metrics"].read_text())
    first = next(r for r in away if (r["level"], r["metric"]) == ("video", "auc"))
    name = f"ffpp.cross.celebdf.{first['backbone']}.MRGB-RLDP-CRGB.auc"
    assert flat[name] == first["mean"]
    assert flat[name.replace(".cross.celebdf", "")] == pytest.approx(first["mean"] + 0.1)


@pytest.mark.slow
def test_without_such_data_sets_the_section_says_so(tmp_path: Path) -> None:
    files, _ = draw(tmp_path)
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    page = drawn.outputs(tmp_path)["report"].read_text(encoding="utf-8")
    assert 'id="cross"' not in page
    assert "Across data sets (benchmark.cross of params.yaml)" in page


def test_other_runs_than_the_tasks_are_refused(tmp_path: Path) -> None:
    files, cross = draw(tmp_path)
    task = results.read_task("ffpp", files["ffpp"])
    found = tables.read_json(cross["celebdf"].metrics)
    found["runs"].pop()
    tables.write_json(cross["celebdf"].metrics, found)
    with pytest.raises(DataError, match="does not fit the runs of ffpp: ffpp/vit_mini/none-none"):
        results.read_cross("celebdf", cross["celebdf"], [task])
