"""Subsets, attributes and classes in the page and in CSV: the numbers of the metrics."""

import csv
import json
from pathlib import Path

import drawn_results as drawn
import numpy as np
import pytest
from test_scores import image_rows, summarise

from lssat import report
from lssat.report import csvs, read, subsets

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
    csvs.write_confusion(tmp_path / "c.csv", [task])
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
