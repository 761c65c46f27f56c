"""The page that lists the silent errors of published code names tests that are there, and all."""

import ast

from helpers import ROOT


def test_the_page_names_every_test_of_such_an_error() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    table = page.split("## Silent errors\n")[1].split("\n## ")[0]
    named = {part for part in table.split("`") if part.startswith("tests/")}
    found = {
        f"{file.relative_to(ROOT).as_posix()}::{node.name}"
        for file in ROOT.glob("tests/**/test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and "silent_error" in node.name
    }
    assert named == found
