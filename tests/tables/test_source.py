"""Digests of code: an edited formula counts; comments, and where a module lies, do not."""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.parsed import remembered  # noqa: F401  # a fixture

from lssat.tables import source


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package with the digests that are kept of it."""
    copy = tmp_path / "lssat"
    digests()
    shutil.copytree(source.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    if (kept := source.PACKAGE / "__pycache__/digests.json").exists():
        (copy / "__pycache__").mkdir()
        shutil.copy(kept, copy / "__pycache__")
    monkeypatch.setattr(source, "PACKAGE", copy)
    source.forget()
    yield copy
    source.forget()


def edited(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    source.forget()


def digests() -> dict[str, str]:
    return {rule: source.digest(rule) for rule in source.ENTRY}


@pytest.mark.parametrize(
    ("rule", "module"),
    [
        ("sample", "data.sample.ffpp"),
        ("manifest", "data.datasets.celeba"),
        ("faces", "data.media.video"),
        ("faces", "data.media.worker"),  # of a process of its own: nobody imports it
        ("texture", "texture.kinds.ldp.compiled"),
        ("texture", "texture.kinds.lbp"),  # found by its name
        ("texture", "data.texture"),
        ("splits", "data.splits.assign"),
        ("train", "models.ssat.model"),
        ("train", "models.backbones.packed"),
        ("train", "metrics.weighted"),
        ("evaluate", "metrics.statistics.infer"),
        ("track", "tracking.runs"),
        ("report", "report.kit.words"),
        ("report", "report"),
    ],
)
def test_a_rule_uses_the_modules_that_its_step_imports(rule: str, module: str) -> None:
    assert module in source.modules(rule)


def test_data_steps_do_not_depend_on_the_model() -> None:
    for rule in ("sample", "manifest", "faces", "texture", "splits"):
        used = {name.split(".")[0] for name in source.modules(rule)}
        assert not {"models", "metrics", "training", "evaluation", "report"} & used


@pytest.mark.usefixtures("remembered")
def test_a_formula_counts_and_comments_and_docstrings_do_not(package: Path) -> None:
    before = source.digest("train")
    model, losses = package / "models/ssat/model.py", package / "models/ssat/losses.py"
    edited(model, '"""The two-branch model', '# Another.\n"""A two-branch model')
    edited(losses, '    """Mean squared error over', '    """Mean error over')
    assert source.digest("train") == before
    edited(losses, "F.mse_loss(", "F.l1_loss(")
    assert source.digest("train") != before


@pytest.mark.usefixtures("remembered")
def test_another_function_of_the_same_modules_counts(package: Path) -> None:
    """Which module a name comes from counts, though its name does not."""
    loop = package / "training/loop.py"
    loop.write_text(
        loop.read_text() + "\n\nfrom lssat.training import loader, recipe\nA = loader\n"
    )
    source.forget()
    before = source.digest("train")
    edited(loop, "\nA = loader\n", "\nA = recipe\n")
    assert source.digest("train") != before


def test_a_parse_that_python_itself_broke_off_is_tried_again(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse, calls = ast.parse, []

    def broken(code: bytes) -> ast.Module:
        calls.append(code)
        if len(calls) == 3:
            raise SystemError("AST constructor recursion depth mismatch (before=162, after=170)")
        return parse(code)

    before = source.digest("sample")
    (package / "__pycache__/digests.json").unlink()
    source.forget()
    monkeypatch.setattr(ast, "parse", broken)
    assert source.digest("sample") == before
    assert calls[2] == calls[3]


@pytest.mark.usefixtures("remembered")
def test_a_template_of_the_report_counts(package: Path) -> None:
    before = source.digest("report"), source.digest("train")
    edited(package / "report/kit/style.css", "{", "{ margin: 1px;")
    assert source.digest("report") != before[0]
    assert source.digest("train") == before[1]


@pytest.mark.usefixtures("remembered")
def test_digests_are_kept_until_a_file_of_the_package_changes(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept ones are the digests that are taken anew, and a damaged or foreign file is none."""
    kept = package / "__pycache__" / "digests.json"
    kept.unlink(missing_ok=True)
    source.forget()
    first = digests()
    text = kept.read_text()
    with monkeypatch.context() as patch:  # nothing is parsed again
        patch.setattr(source, "_Source", None)
        source.forget()
        assert digests() == first
    for damaged in ("", "[]", "{}", text[:-9], text.replace('"package": "', '"package": "0')):
        kept.write_text(damaged)
        source.forget()
        assert digests() == first
    edited(package / "models/ssat/losses.py", "F.mse_loss(", "F.l1_loss(")
    assert {rule for rule, code in digests().items() if code != first[rule]} >= {"train"}


@pytest.mark.usefixtures("remembered")
def test_a_package_that_may_only_be_read_has_digests(package: Path) -> None:
    first = digests()
    shutil.rmtree(package / "__pycache__")
    (package / "__pycache__").touch()  # root passes over modes, and not over this
    source.forget()
    assert digests() == first


def moved(package: Path, old: str, new: str) -> None:
    """Move a module, and rename it wherever it is imported by its whole name."""
    old_file, new_file = (
        package.joinpath(*name.split(".")).with_suffix(".py") for name in (old, new)
    )
    new_file.parent.mkdir(exist_ok=True)
    (new_file.parent / "__init__.py").touch()
    old_file.rename(new_file)
    for file in package.rglob("*.py"):
        text = file.read_text()
        text = re.sub(rf"from lssat\.{re.escape(old)} import", f"from lssat.{new} import", text)
        parent, _, name = old.rpartition(".")
        to, _, now = new.rpartition(".")
        whole = rf"(?m)^(\s*)from lssat\.{re.escape(parent)} import {name}$"
        text = re.sub(whole, rf"\1from lssat.{to} import {now} as {name}", text)
        file.write_text(text)
    source.forget()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("models.ssat.losses", "models.errors"),
        ("metrics.weighted", "metrics.weighed.by_sample"),
        ("data.splits.assign", "data.splits.shares"),
    ],
)
def test_a_module_that_was_moved_and_renamed_makes_nothing_stale(
    package: Path, old: str, new: str
) -> None:
    before = digests()
    moved(package, old, new)
    assert digests() == before
    assert all(old not in source.modules(rule) for rule in source.ENTRY)
    assert any(new in source.modules(rule) for rule in source.ENTRY)


@pytest.mark.usefixtures("remembered")
def test_each_rule_of_the_workflow_has_a_digest(package: Path) -> None:
    assert all(source.modules(rule) for rule in source.ENTRY)


@pytest.mark.usefixtures("remembered")
def test_only_what_has_changed_is_written_again(tmp_path: Path, package: Path) -> None:
    assert source.changed(tmp_path) == list(source.ENTRY)
    source.write(tmp_path)
    assert source.changed(tmp_path) == []
    edited(package / "data/splits/assign.py", "import ", "import sys, ")
    assert "splits" in source.changed(tmp_path)
    assert "sample" not in source.changed(tmp_path)
