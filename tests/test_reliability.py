"""docs/reliability.md: each test that it names is there, in the file that it links to."""

import re

from helpers import ROOT

PAGE = ROOT / "docs/reliability.md"


def test_every_test_that_the_page_names_exists_where_it_says() -> None:
    text = PAGE.read_text()
    named = re.findall(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)", text)
    assert len(named) > 50
    assert len(named) == len(re.findall(r"`test_\w+`", text))
    for name, file in named:
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.M), (name, file)


def test_every_row_of_the_page_names_a_test() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cases = [row for row in rows if row.count("|") == 4 and not row.startswith("| what goes wrong")]
    assert cases
    for row in cases:
        assert "[`test_" in row, row


def test_the_commands_of_the_page_are_there() -> None:
    for file in re.findall(r"(?:python|pytest) ([\w/]+\.py)", PAGE.read_text()):
        assert (ROOT / file).is_file(), file


def test_every_fault_case_and_every_fault_of_operation_has_its_row() -> None:
    """Cases 1 to 38, and the faults F1 to F15 of running it."""
    named = re.findall(r"test_((?:case|fault)_\w+)", PAGE.read_text())
    cases = {int(number) for name in named for number in re.findall(r"(?<=_)\d\d(?=_)", name)}
    assert cases >= {*range(1, 39)}
    faults = {int(number) for name in named for number in re.findall(r"(?<=_f)\d+(?=_)", name)}
    assert faults >= {*range(1, 16)} - {12}
    assert "f12" in "".join(named)
