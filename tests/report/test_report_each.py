"""Subsets, attributes and classes in the page and in CSV: the numbers of the metrics."""

import csv
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import drawn_results as drawn
from helpers.drawn_cross import draw as draw_cross
from helpers.drawn_sweep import row as swept
from helpers.scored import image_rows, summarise

from lssat import report
from lssat.report import csvs
from lssat.report.kit import results as read
from lssat.report.kit import words
from lssat.report.sections import format_alone, matrix, per_class, subsets
from lssat.report.sections import headline as results
from lssat.tables import write_json

ONE = {"backbones": ("vit_micro",), "configurations": ("MRGB-RLDP-CRGB", "MLDP-RRGB-CRGB")}


def rows_of(path: Path) -> list[dict]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict]:
    root = tmp_path_factory.mktemp("each")
    files = drawn.draw(root, **ONE)
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return drawn.outputs(root), files


@pytest.mark.slow
def test_the_drawn_rows_have_the_keys_of_real_ones(whole) -> None:
    for task, train in (("celeba", np.array([[1, 0, 0]])), ("affectnet", np.array([[0]]))):
        real, mine = summarise(image_rows(task), task, train), whole[1][task].metrics
        mine = json.loads(mine.read_text())
        for name in ("table", "each", *(["confusion"] if task == "affectnet" else [])):
            assert set(real[name][0]) == set(mine[name][0]), name


@pytest.mark.parametrize(
    ("file", "task", "part"),
    [("attributes", "celeba", "each"), ("classes", "affectnet", "each"),
     ("subsets", "ffpp", "subsets")],
)  # fmt: skip
def test_csv_holds_each_row(whole, file: str, task: str, part: str) -> None:
    rows = rows_of(whole[0][file])
    wanted = json.loads(whole[1][task].metrics.read_text())[part]
    assert len(rows) == len(wanted) > 0
    for cells, row in zip(rows, wanted, strict=True):
        assert cells["task"] == task
        for key in ("backbone", "configuration", "level", "metric"):
            assert cells[key] == row[key]
        for key in ("mean", "low", "high", "baseline"):
            assert float(cells[key]) == row[key]
        assert cells["collapsed"] == str(row["collapsed"])  # case 38
        assert cells["n"] == str(row["n"])
    assert {row["collapsed"] for row in rows} == {"True", "False"}


def test_csv_of_the_confusion_matrix(whole) -> None:
    rows = rows_of(whole[0]["confusion"])
    matrices = json.loads(whole[1]["affectnet"].metrics.read_text())["confusion"]
    assert len(rows) == 2 * 64
    cell = rows[64 + 8 * 2 + 5]  # the second matrix, third class, sixth predicted
    names = matrices[1]["classes"]
    assert (cell["true"], cell["predicted"]) == (names[2], names[5])
    assert float(cell["share"]) == matrices[1]["shares"][2][5]
    assert int(cell["count"]) == matrices[1]["counts"][2][5]


def test_case_36_an_undefined_matrix_is_empty_cells_with_its_note(tmp_path: Path) -> None:
    task = read.read_task("affectnet", drawn.draw(tmp_path, ("affectnet",), **ONE)["affectnet"])
    task.metrics["confusion"][0] |= {"counts": None, "shares": None, "note": "not finite"}
    task.metrics["confusion"][1]["shares"][2] = None
    csvs.write("confusion", tmp_path / "c.csv", [task])
    rows = rows_of(tmp_path / "c.csv")
    assert {(row["count"], row["share"], row["note"]) for row in rows[:64]} == {("", "", "not finite")}  # fmt: skip # noqa: E501
    assert {row["share"] for row in rows[64 + 16 : 64 + 24]} == {""}


def test_each_level_and_metric_has_its_table_of_subsets_beside_the_pooled_number(whole) -> None:
    task = read.read_task("ffpp", whole[1]["ffpp"])
    tables = subsets.chooser(task).tables
    assert [label for label, _ in tables[:2]] == ["video AUC", "video EER"]
    assert len(tables) == 2 * 6
    found = {(r["level"], r["metric"], r["subset"]): r for r in task.metrics["subsets"][::-1]}
    pooled = {(r["level"], r["metric"]): r for r in task.metrics["table"][::-1]}
    for (label, table), (level, metric) in zip(tables, pooled_order(task), strict=True):
        assert label.startswith(level)
        names = [column.label for column in table.columns[3:]]
        assert names == ["all together", *drawn.METHODS]
        numbers = [cell.sort for cell in table.rows[0][3:]]
        wanted = [pooled[level, metric], *[found[level, metric, name] for name in drawn.METHODS]]
        assert numbers == [row["mean"] for row in wanted]
        assert table.notes[0].startswith("Trivial baseline: all together 0.500 (n = ")


def pooled_order(task: read.Task) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["level"], row["metric"]) for row in task.metrics["table"]))


def test_the_papers_tables_are_the_first_choice_and_hold_the_rows_of_the_table(whole) -> None:
    for name in drawn.TASKS:
        task = read.read_task(name, whole[1][name])
        tables = matrix.chooser(task).tables
        assert len(tables) == 1 + len(pooled_order(task))
        assert tables[0][0].startswith("accuracy as in the paper (")
        for _, table in tables[1:]:
            *_, level, metric = table.id.split("-")
            found = {(r["backbone"], r["configuration"]): r for r in task.metrics["table"]
                     if (r["level"], r["metric"]) == (level, metric)}  # fmt: skip
            heads = [column.label for column in table.columns[1:]]
            for row in table.rows:
                for head, cell in zip(heads, row[1:], strict=True):
                    one = found[row[0].text, head]
                    assert cell.sort == one["mean"]
                    assert words.interval(one) in cell.small
                    assert ("collapsed" in cell.small) == one["collapsed"]


def test_silent_error_one_vs_rest_accuracy_without_top_1_beside_it(whole) -> None:
    task = read.read_task("affectnet", whole[1]["affectnet"])
    _, table = matrix.chooser(task).tables[0]
    first = {row["metric"]: row for row in reversed(task.metrics["table"])}
    both = [words.number(first[name]["mean"]) for name in ("top1", "mean_ovr_accuracy")]
    assert table.rows[0][1].text == " / ".join(both)
    headline = results.headline(task)
    labels = [column.label for column in headline.columns]
    for metric in ("macro_f1", "balanced_accuracy", "mean_ovr_accuracy"):
        cell = headline.rows[0][labels.index(words.heading(metric))]
        assert cell.sort == first[metric]["mean"]
        assert headline.foot[labels.index(words.heading(metric))].sort == first[metric]["baseline"]
    assert {len(row) for row in [*headline.rows, headline.foot]} == {len(labels)}


def test_the_papers_numbers_stand_by_its_backbones_alone(tmp_path: Path) -> None:
    names = ("vit_base", "vit_micro")
    files = drawn.draw(tmp_path, ("celeba", "affectnet"), names, ("MRGB-RLDP-CRGB",))
    said = {}
    for name in files:
        _, table = matrix.chooser(read.read_task(name, files[name])).tables[0]
        said[name] = {row[0].text: row[-1].text for row in table.rows}
    assert said["celeba"] == {
        "vit_base": "0.87 (best mean accuracy) and 0.85 (average of table 2)",
        "vit_micro": words.DASH,
        "ViT-L, paper": "0.55 (average of table 2)",
    }
    assert said["affectnet"] == {
        "vit_base": words.DASH,
        "vit_micro": words.DASH,
        "backbone unclear, paper": "0.88 (accuracy)",
    }


def test_the_table_of_attributes_has_prevalence_majority_and_each_metric(whole) -> None:
    task = read.read_task("celeba", whole[1]["celeba"])
    tables = per_class.section(task)["tables"].tables
    assert [label for label, _ in tables] == [
        "vit_micro · MRGB/RLDP/CRGB", "vit_micro · MLDP/RRGB/CRGB"
    ]  # fmt: skip
    labels = [column.label for column in tables[0][1].columns]
    assert labels[:4] == ["Attribute", "Prevalence", "Majority", "Accuracy"]
    wanted = {(r["configuration"], r["class"], r["metric"]): r for r in task.metrics["each"]}
    for label, table in tables:
        assert len(table.rows) == 40
        for row in table.rows:
            key = (label.split(" · ")[1], row[0].text.replace(" ", "_"))
            assert row[1].sort == wanted[*key, "auc"]["prevalence"]
            assert row[2].sort == wanted[*key, "accuracy"]["baseline"]
            assert row[labels.index("AUC")].sort == wanted[*key, "auc"]["mean"]
            assert (row[-1].flag == "bad") == wanted[*key, "auc"]["collapsed"]


def test_figures_of_attributes_and_classes_have_names_and_numbers(whole) -> None:
    (points,) = per_class.section(read.read_task("celeba", whole[1]["celeba"]))["figures"]
    best = json.loads(whole[1]["celeba"].metrics.read_text())["each"][:200]
    means = [row["mean"] for row in best if row["metric"] == "balanced_accuracy"]
    trace = points.plots[0].traces[1]
    assert trace.x == sorted(means)
    by_name = {row["class"]: row["mean"] for row in best if row["metric"] == "balanced_accuracy"}
    assert trace.y == [each.replace("_", " ") for each in sorted(by_name, key=by_name.__getitem__)]
    assert trace.y == list(points.plots[0].y.names)  # named, not only under the pointer
    assert "Lowest: " in points.summary
    (heat,) = per_class.section(read.read_task("affectnet", whole[1]["affectnet"]))["figures"]
    matrices = json.loads(whole[1]["affectnet"].metrics.read_text())["confusion"]
    assert [plot.title for plot in heat.plots] == [
        "vit_micro · MRGB/RLDP/CRGB", "vit_micro · MLDP/RRGB/CRGB"
    ]  # fmt: skip
    shown = heat.plots[1].traces[0]
    assert shown.shares == matrices[1]["shares"]
    assert f", {matrices[1]['counts'][0][1]:,} predictions of all seeds" in shown.hints[0][1]
    assert f"Neutral {matrices[0]['shares'][0][0]:.3f}" in heat.summary


@pytest.mark.slow
def test_case_36_undefined_attributes_and_matrices_make_a_page(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("celeba", "affectnet"), **ONE)
    for task in files:
        found = json.loads(files[task].metrics.read_text())
        for row in found["each"]:
            row |= {"mean": None, "low": None, "high": None, "note": "constant here: all are 0"}
        for row in found["confusion"]:
            row |= {"counts": None, "shares": None, "note": "not finite"}
        write_json(files[task].metrics, found)
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    page = drawn.outputs(tmp_path)["report"].read_text()
    assert "constant here: all are 0" in page


NASTY = ("<script>alert(1)</script>", "$x_", "=1+1", "two\nlines", '"><img src=x>', "b", "c", "d")


@pytest.mark.slow
def test_case_37_names_of_attributes_classes_and_subsets_are_shown_literally(
    tmp_path: Path,
) -> None:
    files = drawn.draw(tmp_path, **ONE)
    for task in files:
        found = json.loads(files[task].metrics.read_text())
        names = dict(zip(found["classes"], NASTY, strict=False))
        for row in found["each"]:
            row["class"] = names.get(row["class"], row["class"])
        for row in found["confusion"]:
            row["classes"] = list(NASTY)
        methods = dict(zip(drawn.METHODS, NASTY, strict=False))
        for row in found["subsets"]:
            row["subset"] = methods[row["subset"]]
        write_json(files[task].metrics, found)
    outputs = drawn.outputs(tmp_path)
    report.write(drawn.PARAMS, files, outputs)
    page = outputs["report"].read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert page.count(html.escape(NASTY[0], quote=False)) >= 3
    for file, column in (("attributes", "class"), ("classes", "class"), ("confusion", "true"),
                         ("confusion", "predicted"), ("subsets", "subset")):  # fmt: skip
        cells = [row[column] for row in rows_of(outputs[file])]
        assert {"'=1+1", NASTY[0], "two\nlines"} <= set(cells)
        assert not any(cell[:1] in "=+-@" for cell in cells)
    figures = per_class.section(read.read_task("affectnet", files["affectnet"]))["figures"]
    assert html.escape(NASTY[0], quote=False) in figures[0].plots[0].svg


@pytest.mark.slow
def test_case_38_every_table_of_the_page_flags_what_collapsed(tmp_path: Path) -> None:
    """Whatever a row is about: a configuration, a pair of them, a run; in CSV and LaTeX too."""
    grid = {"configurations": ("MLDP-RRGB-CRGB", "none-none-CRGB")}
    outputs, files = drawn.outputs(tmp_path), drawn.draw(tmp_path, **grid)
    _, cross = draw_cross(tmp_path / "other", grid)  # of the same runs of ffpp
    found = json.loads(files["affectnet"].metrics.read_text())
    fallen = {"backbone": "vit_micro", "configuration": "MLDP/RRGB/CRGB", "collapsed": True}
    found["sweep"] = [swept(0.1, 0.3) | fallen, swept(0.7, 0.6)]
    write_json(files["affectnet"].metrics, found)
    files["ffpp"] = drawn.sensitive(files["ffpp"], "ffpp")
    report.write(drawn.PARAMS, files, outputs, cross)
    page = outputs["report"].read_text(encoding="utf-8")
    seen = set()
    for block in page.split('<div class="table')[1:]:
        name = re.search(r'id="([^"]+)"', block)[1]
        for row in re.findall(r"<tr.*?</tr>", block.split("<tbody>")[1].split("</tbody>")[0], re.S):
            of_it = "vit_micro" in row and "MLDP/RRGB/CRGB" in row
            if of_it or "ffpp/vit_micro/MLDP-RRGB-CRGB" in row:
                seen.add(name.split("-")[0])
                assert re.search(r"▲ (a |b )?collapsed", row), (name, row)
    assert seen == {
        "headline", "measures", "subsets", "pairs", "first", "costs", "sweep", "cross", "slices",
        "robustness", "sensitivity", "calibration", "explained", "runs", "decoder",
    }  # fmt: skip
    # Others hold a row of each attribute or class, or a cell of each configuration.
    others = {"each", "matrix"}
    for name in others:
        assert re.search(rf'id="{name}-.*?▲ collapsed', page, re.S), name
    names = ("table", "subsets", "attributes", "classes", "confusion", "runs", "slices")
    for file in (*names, "robustness", "costs"):
        for row in rows_of(outputs[file]):
            if row["backbone"] == format_alone.LABEL:  # no model, so none that collapsed
                continue
            fallen = (row["backbone"], row["configuration"]) == ("vit_micro", "MLDP/RRGB/CRGB")
            assert row["collapsed"] == str(fallen), file
    for row in rows_of(outputs["curves"]):
        assert row["collapsed"] == str("vit_micro/MLDP-RRGB-CRGB" in row["run"])
    latex = outputs["latex"].read_text().split(r"\begin{table}")
    slices = [per_class for per_class in latex if r"\label{tab:slices-" in per_class]
    assert len(slices) == 2
    for line in "".join(slices).splitlines():
        if line.startswith("    ") and "vit" in line:
            of_it = r"vit\_micro" in line and "MLDP/RRGB/CRGB" in line
            assert (r"$^\dagger$" in line) == of_it
    for row in rows_of(outputs["comparisons"]):
        for arm in "ab":
            name = (row[f"backbone_{arm}"], row[f"configuration_{arm}"])
            fallen = str(name == ("vit_micro", "MLDP/RRGB/CRGB"))
            assert row[f"collapsed_{arm}"] == (fallen if name[1] else "")  # a mean has no such row


@pytest.mark.parametrize(
    ("name", "shares", "said"),
    [
        ("celeba", {}, None),
        ("celeba", {1: 0.0}, "no sample is {1}. attributes.csv has it."),
        ("celeba", {0: 1.0, 2: 0.0, 5: 0.0},
         "no sample is {2} and {5}; every sample is {0}. attributes.csv has them."),
        ("affectnet", {7: 0.0}, "no sample is {7}. classes.csv has it."),
        ("affectnet", dict.fromkeys(range(1, 8), 0.0) | {0: 1.0}, "classes.csv has them."),
    ],
)  # fmt: skip
def test_what_is_constant_in_the_test_split_is_left_out_with_a_line(
    whole, name: str, shares: dict, said: str | None
) -> None:
    task = read.read_task(name, whole[1][name])
    every = list(dict.fromkeys(row["class"] for row in task.metrics["each"]))
    for row in task.metrics["each"]:
        if (place := every.index(row["class"])) in shares:
            row |= {"prevalence": shares[place], "note": "constant here: all 9 labels are 0"}
            row |= dict.fromkeys(("mean", "low", "high"))
    shown = [each.replace("_", " ") if name == "celeba" else each for each in every]
    table = per_class.section(task)["tables"].tables[0][1]
    left = [each for place, each in enumerate(shown) if place not in shares]
    assert [row[0].text for row in table.rows] == left
    told = [note for note in table.notes if note.startswith("Left out")]
    assert len(told) == bool(shares)
    assert not said or told[0].endswith(said.format(*shown))
    assert not any("constant here" in note for note in table.notes)


def test_an_undefined_number_of_an_attribute_that_varies_stays(whole) -> None:
    task = read.read_task("celeba", whole[1]["celeba"])
    for row in task.metrics["each"]:
        row |= {"mean": None, "low": None, "high": None, "note": "a score is not finite"}
    table = per_class.section(task)["tables"].tables[0][1]
    assert len(table.rows) == len({row["class"] for row in task.metrics["each"]})
    assert "a score is not finite" in table.notes
