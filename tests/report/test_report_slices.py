"""The section of slices: every group's number, the worst of them, and what a gap does not say."""

import csv
import json
import re
from pathlib import Path

import pytest
from helpers import drawn_results as drawn
from helpers.annotated import listed, written
from helpers.scored import OPTIONS

from lssat import report, tables
from lssat.evaluation import slices
from lssat.report.kit import results, words
from lssat.report.sections import comparisons, sweep, variants
from lssat.report.sections import slices as section
from lssat.tables import DataError

ONE = {"configurations": ("MRGB-RLDP-CRGB", "none-none-CRGB"), "seeds": (0, 1)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    root = tmp_path_factory.mktemp("sliced")
    files = drawn.draw(root, **ONE)
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return root, files


@pytest.mark.slow
def test_drawn_slices_have_the_keys_of_real_ones(tmp_path: Path, whole: tuple) -> None:
    files, manifest, _ = written(tmp_path)
    lists = slices.Annotated(listed(tmp_path, "identity,skin\n000,a\n001,b\n"), manifest)
    slices.listed("ffpp", files, lists, 1, OPTIONS)
    real, ours = (tables.read_json(f) for f in (files.out, whole[1]["ffpp"].slices[0]))
    ours["runs"] = real["runs"]  # of MLflow, not of the report

    def keys(value: object) -> object:
        if isinstance(value, dict):
            return {key: keys(each) for key, each in value.items()}
        return [keys(value[0])] if isinstance(value, list) and value else None

    assert keys(real) == keys(ours)


def test_the_page_holds_every_group_and_gap(whole: tuple) -> None:
    root, files = whole
    page = drawn.outputs(root)["report"].read_text(encoding="utf-8")
    part = re.search(r'<section id="slices">.*?(?=<section id="roc">)', page, re.DOTALL)[0]
    text = re.sub(r"<[^>]+>", " ", part)
    for each in (*files["ffpp"].slices, *files["celeba"].slices):
        found = tables.read_json(each)
        for row in found["rows"]:
            for value in (row["gap"], *[group["mean"] for group in row["groups"]]):
                assert f"{value:.3f}" in text
            assert f"[{row['low']:.3f}, {row['high']:.3f}]" in text
        for row in found["disparities"]:
            assert f"{row['mean']:.3f}" in text
    assert "data/skin.csv (14 entries by identity, 1 repeated, 2 of no sample" in text
    assert "Mean over the 31 attributes that vary in every group." in text
    assert "selection rate" in text
    assert "darker 40 samples in 8 clusters, 20 fake" in text
    assert "a wide interval that holds 0 is no sign of fairness" in text
    assert 'id="slices-plot-celeba-attributes-1-vit_micro"' in part


def test_fault_c18_the_sentence_says_no_more_than_the_test(whole: tuple) -> None:
    task = results.read_task("celeba", whole[1]["celeba"])
    (found,) = task.slices
    mine = [row for row in found["rows"] if row["attribute"] == "Male"]
    for row in mine:
        row |= {"worst": "Male", "gap": 0.125, "low": 0.0, "high": 0.25, "best": "not Male"}
        row |= {"expected": 0.03125, "p": 0.04, "p_holm": 0.16}
    first = section.section(task)["parts"][0]
    assert ", 0.125 [0.000, 0.250] below not Male (equal groups: 0.031)." in first["text"]
    assert "That groups differ is not shown (p = 0.160 after Holm’s correction)." in first["text"]
    assert first["text"].endswith("Groups are shown to differ in 0 of 4 rows.")
    for row in mine:
        row["p_holm"] = 0.0004
    first = section.section(task)["parts"][0]
    assert "Groups are served differently (p < 0.001 after Holm’s correction)." in first["text"]
    assert first["text"].endswith("Groups are shown to differ in 4 of 4 rows.")
    for row in mine:
        row["seeds"] = [0]
    assert "differently by this trained model" in section.section(task)["parts"][0]["text"]
    for row in mine:
        row |= dict.fromkeys(("worst", "best", "gap", "low", "high", "expected", "p", "p_holm"))
        row["note"] = "1 group to compare"
    first = section.section(task)["parts"][0]
    assert "has no gap: 1 group to compare." in first["text"]
    assert first["text"].endswith("Groups are shown to differ in 0 of 0 rows.")


def test_many_samples_in_many_clusters_need_no_caveat(whole: tuple) -> None:
    task = results.read_task("celeba", whole[1]["celeba"])
    for each in task.slices[0]["slices"]:
        for group in each["groups"]:
            group |= {"n": 900, "clusters": 300}
    assert section.section(task)["parts"][0]["caveat"] == ""


def test_an_interval_beside_a_corrected_p_value_is_said_to_be_without_the_correction() -> None:
    """Of 13 rows three had an interval above 0, and none was shown to differ."""
    for lead in (section.LEAD, comparisons.LEAD, variants.LEAD, sweep.LEAD):
        assert "Holm’s correction" in lead.replace("\n", " ")
        assert words.ALONE in lead


def test_csv_and_latex_hold_the_same_numbers(whole: tuple) -> None:
    root, files = whole
    with open(drawn.outputs(root)["slices"], newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = tables.read_json(files["ffpp"].slices[0])
    mine = [row for row in rows if row["task"] == "ffpp"]
    assert len(mine) == 3 * len(found["rows"]) + len(found["disparities"])
    assert float(mine[0]["gap_low"]) == found["rows"][0]["low"]
    assert float(mine[0]["low"]) == found["rows"][0]["groups"][0]["low"]
    assert {row["group"] for row in mine} == {"darker", "lighter", "not annotated", ""}
    latex = drawn.outputs(root)["latex"].read_text()
    assert r"\label{tab:slices-ffpp-list}" in latex
    assert f"{found['rows'][0]['gap']:.3f}" in latex
    (table,) = [part for part in latex.split(r"\begin{table}") if "slices-ffpp-list" in part]
    row = next(line for line in table.splitlines() if line.startswith("    skin"))
    assert row.endswith(rf"& {found['rows'][0]['p_holm']:.3f} \\")  # as the page's verdict


def test_the_figures_of_a_task_share_one_axis_that_holds_every_interval(whole: tuple) -> None:
    task = results.read_task("celeba", whole[1]["celeba"])
    hats = [row for row in task.slices[0]["rows"] if row["attribute"] == "Hat"]
    for row in hats:
        for group in row["groups"]:
            group["low"] -= 0.3
    parts = section.section(task)["parts"]
    plots = [plot for part in parts for plot in part["figure"].plots]
    assert len(parts) == 2
    assert len({(plot.x.low, plot.x.high) for plot in plots}) == 1
    least = min(group["low"] for row in hats if row["metric"] == task.slices[0]["metric"]
                for group in row["groups"])  # fmt: skip
    assert plots[0].x.low < least
    for row in hats:
        for group in row["groups"]:
            group |= dict.fromkeys(("mean", "low", "high"))
    assert [bool(part["figure"].plots) for part in section.section(task)["parts"]] == [True, False]


@pytest.mark.slow
def test_case_37_names_of_groups_are_shown_literally(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, tasks=("celeba",), **ONE)
    file = files["celeba"].slices[0]
    text = file.read_text().replace('"Male"', '"=1+1 <script>x</script> $a_b$"')
    tables.write_json(file, json.loads(text))
    out = drawn.outputs(tmp_path)
    report.write(drawn.PARAMS, files, out)
    page = out["report"].read_text(encoding="utf-8")
    assert "<script>x" not in page
    assert "=1+1 &lt;script&gt;x&lt;/script&gt; $a_b$" in page
    assert "'=1+1 <script>" in out["slices"].read_text()
    assert r"\textless{}script\textgreater{}x" in out["latex"].read_text()


def test_slices_of_other_runs_are_refused(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, tasks=("celeba",), **ONE)
    file = files["celeba"].slices[0]
    tables.write_json(file, json.loads(file.read_text().replace("seed1", "seed9")))
    with pytest.raises(DataError, match=r"slices\.json: does not fit the runs of celeba"):
        results.read_task("celeba", files["celeba"])
