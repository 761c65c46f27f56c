"""Data sets are named by their records and in their own modules, and nowhere else."""

import ast
import re
from collections.abc import Iterator

import pytest
from helpers import ROOT

from lssat import params
from lssat.data import datasets
from lssat.grid.releases import RELEASES

_NAMES = [*RELEASES, *(release.words for release in RELEASES.values())]
_NAMED = re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, _NAMES))})(?![a-z0-9])", re.I)
OWN = (  # where data sets are named, and why
    "grid/releases.py",  # the records
    "data/datasets/",  # the readers
    *(f"data/doctor/{name}.py" for name in RELEASES),  # what more the doctor knows of one
    "data/sample/",  # three trees are drawn
    "report/sections/published.py",  # numbers of papers, of a data set each
)
KEYS = {"affectnet_test"}  # of params.yaml, by its old name


def names_in(tree: ast.AST) -> Iterator[str]:
    """Yield the data sets that code names, not docstrings, comments and examples of commands."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "example":
            prose |= {id(argument) for argument in node.args}
    for node in ast.walk(tree):
        if id(node) in prose:
            continue
        for _, value in ast.iter_fields(node):
            if isinstance(value, str) and value not in KEYS and (found := _NAMED.search(value)):
                yield f"{getattr(node, 'lineno', '')}: {found[1]}"


@pytest.mark.slow
def test_no_other_code_names_a_data_set() -> None:
    found = []
    for file in sorted((ROOT / "lssat").rglob("*.py")):
        path = file.relative_to(ROOT / "lssat").as_posix()
        if not path.startswith(OWN):
            found += [f"{path}:{name}" for name in names_in(ast.parse(file.read_text()))]
    assert not found


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("if dataset == 'ffpp': pass", True),
        ("from lssat.data.datasets import celeba", True),
        ("paths = {'x': f'results/tasks/dfdc/{name}'}", True),
        ("def _affectnet(options): ...", True),
        ("text = 'Ask the authors of Celeb-DF v2'", True),
        ("'''Of FaceForensics++.'''  # and of CelebA", False),
        ("@app.command(epilog=example('lssat doctor ffpp'))\ndef doctor(): ...", False),
        ("share = rules.affectnet_test", False),
    ],
)
def test_a_name_in_code_is_found_and_in_prose_is_not(code: str, named: bool) -> None:
    assert bool([*names_in(ast.parse(code))]) == named


def test_rules_and_stages_name_no_data_set() -> None:
    files = [ROOT / "Snakefile", ROOT / "dvc.yaml", *sorted((ROOT / "workflow").rglob("*.smk"))]
    for file in files:
        assert not {match[1] for match in _NAMED.finditer(file.read_text())}, file


@pytest.mark.parametrize("name", RELEASES)
def test_a_record_has_a_reader_a_page_and_a_section(name: str) -> None:
    release = RELEASES[name]
    assert callable(datasets.reader(name).read)
    assert (ROOT / release.page).is_file()
    section = params.SECTIONS[name]
    assert issubclass(section, params.Video) == (release.task.level == "video")
    assert set(release.options) <= set(section.model_fields)
    needed = {key for key, (_, default) in release.options.items() if default is ...}
    assert needed <= set(release.bare), "the doctor lacks a value for a tree without params.yaml"
