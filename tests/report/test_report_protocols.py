"""The matrices of what was trained on and what was tested: their numbers, and what is unseen."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.drawn_cross import ONE, draw

from lssat.report.kit import results, words
from lssat.report.kit.section import Page
from lssat.report.sections import protocols


@pytest.fixture
def page(tmp_path: Path) -> Page:
    files, cross = draw(tmp_path, ONE)
    task = results.read_task("ffpp", files["ffpp"])
    return Page({}, [task], [results.read_cross("celebdf", cross["celebdf"], [task])], [])


def trained_on(page: Page, configuration: str, methods: list[str]) -> None:
    for run, record in page.tasks[0].records.items():
        if f"/{configuration}/" in run:
            record["params"]["train"]["methods"] = methods


def test_nothing_is_shown_where_all_was_trained_on_and_one_set_tested(page: Page) -> None:
    assert protocols.content(page) == []


def test_a_matrix_has_each_method_and_marks_what_was_not_trained_on(page: Page) -> None:
    task = page.tasks[0]
    names = sorted({row["subset"] for row in task.metrics["subsets"]})
    trained_on(page, "none-none-CRGB", names[:1])
    (part,) = protocols.content(page)
    table = part.tables[0]
    assert [column.label for column in table.columns][3:] == [*names, "all together"]
    head = (task.metrics["level"], task.metrics["metric"])
    at = {
        (row["backbone"], row["configuration"], row["subset"]): row
        for row in task.metrics["subsets"] if (row["level"], row["metric"]) == head
    }  # fmt: skip
    for row in table.rows:
        backbone, configuration, trained = (cell.text for cell in row[:3])
        alone = configuration == "none/none/CRGB"
        assert trained == (names[0] if alone else "all")
        for name, cell in zip(names, row[3:], strict=False):
            found = at[backbone, configuration, name]
            assert cell.sort == found["mean"]
            mark = " unseen" if alone and name != names[0] else ""
            assert cell.small == f"{words.interval(found)}{mark}"


def test_a_test_split_of_one_method_says_who_was_trained_on_it(page: Page) -> None:
    """`test_methods`: the others are columns no more, and stay what training has."""
    task = page.tasks[0]
    names = sorted({row["subset"] for row in task.metrics["subsets"]})
    kept = [row for row in task.metrics["subsets"] if row["subset"] == names[0]]
    task.metrics["subsets"][:] = kept
    task.splits["subsets"] = {"train": dict.fromkeys(names, 4)}
    trained_on(page, "none-none-CRGB", names[1:])
    (part,) = protocols.content(page)
    assert [column.label for column in part.tables[0].columns][3:] == [names[0], "all together"]
    for row in part.tables[0].rows:
        alone = row[1].text == "none/none/CRGB"
        assert row[2].text == (", ".join(names[1:]) if alone else "all")
        assert row[3].small.endswith("unseen") == alone


def test_a_row_of_another_program_says_nothing_of_its_training(page: Page) -> None:
    trained_on(page, "none-none-CRGB", ["Deepfakes"])
    task = page.tasks[0]
    for part in ("table", "subsets"):
        row = dict(task.metrics[part][0]) | {"backbone": "xception", "configuration": "external"}
        task.metrics[part].append(row | {"runs": ["ffpp/xception/external/seed0"]})
    (made,) = protocols.content(page)
    theirs = [row for row in made.tables[0].rows if row[0].text == "xception"]
    assert [row[2].text for row in theirs] == [words.DASH] * len(theirs)


def test_methods_that_the_training_data_lack_are_unseen_in_another_test_set(page: Page) -> None:
    trained_on(page, "none-none-CRGB", ["Deepfakes"])
    metrics = page.across[0].metrics
    for row in metrics["subsets"]:
        row["subset"] = f"new {row['subset']}"
    (part,) = protocols.content(page)
    away = part.tables[1]
    assert away.id == "protocol-ffpp-celebdf"
    assert all(cell.small.endswith("unseen") for row in away.rows for cell in row[3:-1])


def test_a_test_set_whose_methods_nobody_tells_has_no_matrix(page: Page) -> None:
    trained_on(page, "none-none-CRGB", ["Deepfakes"])
    for row in page.across[0].metrics["subsets"]:
        row["subset"] = ""
    (part,) = protocols.content(page)
    assert [table.id for table in part.tables] == ["protocol-ffpp-ffpp"]


def test_several_test_sets_stand_beside_home(page: Page) -> None:
    home, one = page.tasks[0], page.across[0]
    two = page.across[0].metrics | {"dataset": "c40"}
    sets = [one, replace(one, name="c40", title="c40", metrics=two)]
    (part,) = protocols.content(page._replace(across=sets))
    (table,) = part.tables
    assert [column.label for column in table.columns][2:] == ["ffpp", "celebdf", "c40"]
    for row in table.rows:
        assert row[2].sort == pytest.approx(row[3].sort + 0.1)  # as drawn
        assert row[3].sort == row[4].sort
    assert len(table.rows) == len(home.headline)
