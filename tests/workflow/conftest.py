"""Two finished copies of the project: by `snakemake` and by `dvc repro`, each run once.

Each module of tests has its own copy of them, so that what it leaves there is no other's.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.project import Project, copy

from lssat.orchestrate import events


def _again(project: Project, folder: Path) -> Project:
    """A copy with its times, modes and hard links, as the caches of both tools need it."""
    subprocess.run(["cp", "-a", f"{project.path}/.", str(folder)], check=True)
    return Project(folder)


@pytest.fixture(scope="session")
def _snakemake_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy(tmp_path_factory.mktemp("by_snakemake"))
    (project.path / "told.txt").write_text(project.run("snakemake", "--cores", "8"))
    # Those of a later run take their place.
    shutil.copy(project.path / events.FILE, project.path / "events.jsonl")
    return project


@pytest.fixture(scope="session")
def _dvc_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy(tmp_path_factory.mktemp("by_dvc"))
    project.run("dvc", "repro")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "reproduced")
    return project


@pytest.fixture(scope="module")
def by_snakemake(_snakemake_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = _again(_snakemake_once, tmp_path_factory.mktemp("snakemake"))
    told = project.path / "told.txt"
    told.write_text(told.read_text().replace(str(_snakemake_once.path), str(project.path)))
    return project


@pytest.fixture(scope="module")
def by_dvc(_dvc_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return _again(_dvc_once, tmp_path_factory.mktemp("dvc"))
