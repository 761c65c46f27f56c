"""Digests: an edited formula counts, a comment does not; a raw tree by its content."""

import os
import shutil
from pathlib import Path

import pytest

from lssat import digest, tables


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "lssat"
    shutil.copytree(digest.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(digest, "PACKAGE", copy)
    digest._module.cache_clear()
    yield copy
    digest._module.cache_clear()


def edited(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    digest._module.cache_clear()


@pytest.mark.parametrize(
    ("rule", "module"),
    [
        ("sample", "sample/ffpp.py"),
        ("manifest", "datasets/celeba.py"),
        ("faces", "media/video.py"),
        ("texture", "texture/compiled.py"),
        ("texture", "texture_cache.py"),
        ("splits", "splits.py"),
        ("train", "ssat.py"),
        ("train", "backbones.py"),
        ("train", "metrics/weighted.py"),
        ("evaluate", "statistics.py"),
        ("track", "tracking.py"),
        ("report", "report/words.py"),
    ],
)
def test_a_rule_uses_the_modules_that_its_step_imports(rule: str, module: str) -> None:
    assert module.removesuffix(".py").replace("/", ".") in digest.modules(rule)


def test_data_steps_do_not_depend_on_the_model() -> None:
    for rule in ("sample", "manifest", "faces", "texture", "splits"):
        assert not {"ssat", "train", "evaluate", "report"} & set(digest.modules(rule))


def test_a_formula_counts_and_comments_and_docstrings_do_not(package: Path) -> None:
    before = digest.code("train")
    edited(package / "ssat.py", '"""The two-branch model', '# Another.\n"""A two-branch model')
    edited(
        package / "ssat.py", '    """Mean squared error per patch', '    """Mean error per patch'
    )
    assert digest.code("train") == before
    edited(package / "ssat.py", "(pred - target) ** 2", "(pred - target) ** 4")
    assert digest.code("train") != before


def test_a_template_of_the_report_counts(package: Path) -> None:
    before = digest.code("report"), digest.code("train")
    edited(package / "report/style.css", "{", "{ margin: 1px;")
    assert digest.code("report") != before[0]
    assert digest.code("train") == before[1]


def test_a_tree_is_known_by_its_content(tmp_path: Path) -> None:
    root, memory = tmp_path / "tree", tmp_path / "memory.sqlite"
    assert digest.tree(root, memory) == "absent"
    (root / "a").mkdir(parents=True)
    (root / "a/x.jpg").write_bytes(b"1")
    (root / "y.jpg").write_bytes(b"2")
    before = digest.tree(root, memory)
    os.utime(root / "y.jpg", (1, 1))
    assert digest.tree(root, memory) == before
    (root / "y.jpg").write_bytes(b"3")
    changed = digest.tree(root, memory)
    assert changed != before
    (root / "y.jpg").write_bytes(b"2")
    assert digest.tree(root, memory) == before
    (root / "a/x.jpg").rename(root / "x.jpg")
    assert digest.tree(root, memory) != before


def test_only_new_and_touched_files_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    for name in "abc":
        (root / name).write_text(name)
    first = digest.tree(root, tmp_path / "memory.sqlite")
    read: list[str] = []
    monkeypatch.setattr(digest, "sha256", lambda path: read.append(path) or tables.sha256(path))
    assert digest.tree(root, tmp_path / "memory.sqlite") == first
    assert read == []
    (root / "b").write_text("B")
    digest.tree(root, tmp_path / "memory.sqlite")
    assert [Path(path).name for path in read] == ["b"]
