"""Case 35: what an edit makes stale, by what the rules read; tests/workflow asks the two tools."""

import shutil
from pathlib import Path

import pytest
from helpers import stale
from helpers.parsed import remembered  # noqa: F401  # a fixture
from helpers.project import Project

from lssat import params
from lssat.tables import source


@pytest.mark.parametrize("key", stale.PARAMS, ids=".".join)
def test_case_35_an_edited_parameter_makes_stale_whom_it_reaches(
    tmp_path: Path, key: tuple[str, str]
) -> None:
    value, expected = stale.PARAMS[key]
    project = Project(tmp_path)
    project.params()
    before = _read(tmp_path)
    project.edit(*key, value)
    after = _read(tmp_path)
    changed = {stage for stage in before if before[stage] != after[stage]}
    assert stale.following(stale.EVERY, changed) == stale.ended(expected)


def _read(folder: Path) -> dict[str, dict]:
    """What each stage of the small project reads of params.yaml."""
    found = params.load(folder / "params.yaml")
    return {
        stage: params.section(found, rule, task="celeba")
        for rule in params.READS
        for stage in stale.stages_of(rule)
    }


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("package") / "lssat"
    shutil.copytree(source.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.mark.slow
@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("name", stale.MODULES)
def test_case_35_an_edited_module_makes_stale_whom_it_reaches(
    package: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(source, "PACKAGE", package)
    whole = (package / name).read_bytes()
    before = _digests()
    try:
        (package / name).write_bytes(whole + stale.edit_of(name))
        after = _digests()
    finally:
        (package / name).write_bytes(whole)
        source.forget()
    changed = {rule for rule in before if before[rule] != after[rule]}
    direct = set().union(*map(stale.stages_of, changed))
    found, wanted = stale.following(stale.EVERY, direct), stale.ended(stale.MODULES[name])
    # What a module's edit makes stale depends on who imports it: more is an honest answer.
    assert found == wanted if name in stale.EXACT else found >= wanted


def _digests() -> dict[str, str]:
    source.forget()
    return {rule: source.digest(rule) for rule in source.ENTRY}
