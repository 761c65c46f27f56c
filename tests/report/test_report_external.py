"""Rows of other programs on the page, in the tables beside it and in the terminal."""

import csv
from pathlib import Path

import pytest
from helpers import drawn_results as drawn

from lssat import grid, report
from lssat.report.kit import results
from lssat.report.sections import calibration, comparisons, costs, headline, matrix
from lssat.use import show

THEIRS = grid.Run("ffpp", "xception", grid.EXTERNAL, 0)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, dict]:
    root = tmp_path_factory.mktemp("external")
    files = drawn.draw(root, ("ffpp",), configurations=drawn.CONFIGURATIONS[:2])
    drawn.external(files["ffpp"], "ffpp", THEIRS)
    report.write(drawn.PARAMS, files, drawn.outputs(root))
    return root, files


def test_a_row_of_another_program_stands_in_every_table_of_scores(written) -> None:
    root, files = written
    task = results.read_task("ffpp", files["ffpp"])
    text = [[cell.text for cell in row] for row in headline.headline(task).rows]
    assert ["xception", "external"] in [row[:2] for row in text]
    (_, table), *_ = matrix.chooser(task).tables
    assert [column.label for column in table.columns][-2:] == ["external", "Paper"]
    assert "xception" not in {each.row["backbone"] for each in costs.priced(task)}
    page = drawn.outputs(root)["report"].read_text()
    assert "beside them scores of 1 external run" in page
    assert "Not calibrated: its table holds no scores of the validation split: xception." in page
    for name in ("table", "runs", "comparisons", "slices"):
        with open(drawn.outputs(root)[name]) as file:
            assert any("xception" in row.values() for row in csv.DictReader(file)), name


def test_comparisons_are_of_ours_minus_theirs(written) -> None:
    task = results.read_task("ffpp", written[1]["ffpp"])
    found = dict(comparisons.tables(task))["Rows of ours and of other programs"]
    (row,) = [[cell.text for cell in row] for row in found.rows]
    (raw,) = [each for each in task.metrics["comparisons"] if each["compared"] == "external"]
    assert row[0] == raw["b"]["backbone"]
    assert row[2] == "xception"
    assert float(row[3].replace("−", "-")) == pytest.approx(-raw["difference"], abs=6e-4)
    assert calibration.table(task).notes[-1].endswith("validation split: xception.")


def test_the_terminal_shows_what_params_name(written, capsys) -> None:
    root, files = written
    target = root / "results/tasks/ffpp/metrics.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(files["ffpp"].metrics.read_bytes())
    show.show(root / "results")
    line = next(line for line in capsys.readouterr().out.splitlines() if "xception" in line)
    assert "external" in line
