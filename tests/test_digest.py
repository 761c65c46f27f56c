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
        ("train", "ssat/model.py"),
        ("train", "backbones/packed.py"),
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
    edited(
        package / "ssat/model.py", '"""The two-branch model', '# Another.\n"""A two-branch model'
    )
    edited(package / "ssat/losses.py", '    """Mean squared error over', '    """Mean error over')
    assert digest.code("train") == before
    edited(package / "ssat/losses.py", "F.mse_loss(", "F.l1_loss(")
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


def many(root: Path) -> None:
    for folder in ("a", "a/b", "c"):
        (root / folder).mkdir(parents=True)
        for number in range(5):
            (root / folder / f"{number} x\n.jpg").write_text(f"{folder}{number % 3}")


def test_an_untouched_tree_is_looked_at_not_read_or_asked_for_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(tmp_path / "tree")
    first = digest.tree(tmp_path / "tree", tmp_path / "memory.sqlite")
    assert digest.tree(tmp_path / "tree", tmp_path / "other.sqlite") == first
    monkeypatch.setattr(digest, "sha256", lambda path: pytest.fail(f"{path} was read"))
    monkeypatch.setattr(digest._Reading, "_remembered", lambda *_: pytest.fail("asked by file"))
    assert digest.tree(tmp_path / "tree", tmp_path / "memory.sqlite") == first


def test_a_removed_file_and_swapped_contents_count(tmp_path: Path) -> None:
    root, memory = tmp_path / "tree", tmp_path / "memory.sqlite"
    many(root)
    first = digest.tree(root, memory)
    one, two = root / "a/0 x\n.jpg", root / "a/1 x\n.jpg"
    contents = one.read_text(), two.read_text()
    one.write_text(contents[1])
    two.write_text(contents[0])
    swapped = digest.tree(root, memory)
    two.unlink()
    removed = digest.tree(root, memory)
    assert len({first, swapped, removed}) == 3
    two.write_text(contents[1])
    one.write_text(contents[0])
    assert digest.tree(root, memory) == first


def test_an_interrupted_first_look_goes_on_from_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    root, memory = tmp_path / "tree", tmp_path / "memory.sqlite"
    many(root)
    wanted = digest.tree(root, tmp_path / "undisturbed.sqlite")
    monkeypatch.setattr(digest, "_AT_ONCE", 2)
    monkeypatch.setattr(digest, "_SECONDS", -1)
    read: list[str] = []

    def interrupted(path: str) -> str:
        if len(read) >= 7:
            raise KeyboardInterrupt
        read.append(path)
        return tables.sha256(path)

    monkeypatch.setattr(digest, "sha256", interrupted)
    with pytest.raises(KeyboardInterrupt):
        digest.tree(root, memory)
    assert "tree: first look, 2 files read, 3 left in" in capsys.readouterr().err
    kept = list(read)
    read.clear()
    monkeypatch.setattr(digest, "sha256", lambda path: read.append(path) or tables.sha256(path))
    assert digest.tree(root, memory) == wanted
    assert 15 - len(kept) <= len(read) <= 15 - 6  # at most a batch is read twice
