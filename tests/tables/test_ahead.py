"""Digests that are taken by another process are those that this one would take."""

import subprocess
from pathlib import Path

import pytest

from lssat.tables import DataError, digest, digest_ahead


@pytest.fixture
def trees(tmp_path: Path) -> list[str]:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_text(name)
    return [str(tmp_path / name) for name in ("a", "b", "absent")]


def looked(trees: list[str], memory: Path) -> list[str]:
    return [digest.tree(root, memory) for root in trees]


def test_large_trees_are_looked_at_by_a_process_of_their_own(
    trees: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "memory"
    wanted = looked(trees, memory)
    monkeypatch.setattr(digest_ahead, "_LARGE", 0)
    taken = digest_ahead.Ahead([*trees, trees[0]], memory)
    monkeypatch.setattr(digest, "tree", lambda *_: pytest.fail("looked at here"))
    assert [taken.of(root) for root in trees] == wanted
    assert wanted[2] == "absent"


def test_few_files_and_what_nobody_remembers_are_looked_at_here(
    trees: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process"))
    taken = digest_ahead.Ahead(trees, tmp_path / "memory")  # none yet
    wanted = [taken.of(root) for root in trees]
    again = digest_ahead.Ahead(trees, tmp_path / "memory")  # a small one
    assert [again.of(root) for root in trees] == wanted == looked(trees, tmp_path / "memory")


def test_what_stops_the_other_process_is_said_by_this_one(
    trees: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    memory = tmp_path / "memory"
    looked(trees, memory)
    monkeypatch.setattr(digest_ahead, "_LARGE", 0)
    monkeypatch.setattr(digest_ahead, "_CODE", "raise SystemExit(1)")
    taken = digest_ahead.Ahead(trees, memory)

    def denied(root: str, memory: Path) -> str:
        raise DataError(root, "cannot be read", "Ask")

    with monkeypatch.context() as broken:
        broken.setattr(digest, "tree", denied)
        with pytest.raises(DataError, match="a: cannot be read"):
            taken.of(trees[0])
    assert taken.of(trees[1]) == digest.tree(trees[1], memory)
    assert capfd.readouterr().err == ""
