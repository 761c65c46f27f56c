"""The sweep of lambda_cls on the page: figure, table, and sentences that follow from tests."""

from pathlib import Path
from typing import Any

import pytest
from helpers import drawn_results as drawn
from helpers.drawn_sweep import row

from lssat import report
from lssat.report.kit import results
from lssat.report.sections import sweep
from lssat.tables import read_json, write_json

ROWS = [
    row(0.1, 0.60, -0.2, 0.01), row(0.5, 0.7, -0.1, 0.2), row(0.7, 0.8), row("learned", 0.78, -0.02)
]  # fmt: skip


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Any:
    files = drawn.draw(tmp_path_factory.mktemp("sweep"), ("affectnet",))
    return results.read_task("affectnet", files["affectnet"])


def said(task: Any, rows: list[dict]) -> list[str]:
    task.metrics["sweep"] = rows
    return sweep.section(task).said


def test_sentences_say_what_the_corrected_tests_show_and_no_more(task) -> None:
    name = "vit_mini · MRGB/RLDP/CRGB: "
    first, paper = said(task, ROWS)
    assert first == (
        f"{name}compared with train.lambda_cls = 0.7, 0.1 is worse by 0.200 (p = 0.010); "
        "of the other 2 no difference is shown."
    )
    assert paper == (
        "The paper’s value, 0.1, scores image top-1 accuracy 0.600, −0.200 [−0.300, −0.100] "
        "against 0.7: a difference is shown."
    )
    quiet = [row(0.1, 0.6, -0.2, 0.05), row(0.7, 0.8), row(0.9, 0.9, 0.1, None)]
    first, paper = said(task, quiet)
    assert first == f"{name}none of 2 other values is shown to differ from train.lambda_cls = 0.7."
    assert paper.endswith("against 0.7: a difference is not shown.")
    first, paper = said(task, [row(0.1, 0.6), row(0.9, 0.9, 0.3, 0.0001)])
    assert "0.9 is better by 0.300 (p < 0.001)." in first
    assert paper == "0.1 is the paper’s value, and the recipe’s."
    assert said(task, [row(0.7, 0.8), row(0.5, 0.7, -0.1)])[1] == (
        "The paper’s value, 0.1, was not run."
    )
    (alone,) = said(task, [row(0.5, 0.7) | {"reference": False}])
    assert (
        alone == f"{name}no run has train.lambda_cls itself, so there is nothing to test against."
    )


def test_figure_marks_the_recipe_and_the_learned_weight(task) -> None:
    task.metrics["sweep"] = ROWS
    (figure,) = sweep.section(task).figures
    recipe, numbers, learned = figure.plots[0].traces
    assert recipe.x == [0.7, 0.7]
    assert (numbers.x, numbers.y) == ([0.1, 0.5, 0.7], [0.6, 0.7, 0.8])
    ends = [end for span in numbers.spans for end in span]
    assert ends == pytest.approx([0.55, 0.65, 0.65, 0.75, 0.75, 0.85])
    assert (numbers.line, learned.line) == ("solid", "")  # a learned weight is joined to none
    places, labels = zip(*figure.plots[0].x.ticks, strict=True)
    assert labels == ("0.1", "0.5", "0.7", "learned")
    assert places == (0.1, 0.5, 0.7, learned.x[0])
    assert learned.x[0] > 1
    assert [key.label for key in figure.keys][-1] == "train.lambda_cls = 0.7"


def test_a_row_without_a_score_is_in_the_table_and_in_no_curve(task) -> None:
    lost = row(0.9, 0.8, 0.0) | {"mean": None, "low": None, "high": None, "difference": None}
    task.metrics["sweep"] = [*ROWS, lost | {"note": "predicts nan"}]
    made = sweep.section(task)
    assert 0.9 not in made.figures[0].plots[0].traces[1].x
    table = made.folded[0][1]
    assert {len(cells) for cells in table.rows} == {len(table.columns)}
    assert [cells[2].small for cells in table.rows] == ["paper", "", "recipe", "", ""]
    assert table.notes == ["predicts nan"]


@pytest.mark.slow
def test_page_shows_the_sweep_or_how_to_ask_for_it(tmp_path: Path) -> None:
    files = drawn.draw(tmp_path, ("affectnet",))
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    page = drawn.outputs(tmp_path)["report"]
    assert "Lambda sweep (a lambda in benchmark.variants of params.yaml)" in page.read_text()
    metrics = read_json(files["affectnet"].metrics)
    write_json(files["affectnet"].metrics, metrics | {"sweep": ROWS})
    report.write(drawn.PARAMS, files, drawn.outputs(tmp_path))
    text = page.read_text()
    assert 'id="sweep-affectnet"' in text
    assert "0.1 is worse by 0.200 (p = 0.010)" in text
    assert "Lambda sweep (" not in text
