"""Two finished copies of the project: by `snakemake` and by `dvc repro`, each run once.

Each module of tests has its own copy of them, so that what it leaves there is no other's.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import once
from helpers.project import Project, copy

from lssat.orchestrate import events


def _again(project: Project, folder: Path) -> Project:
    """A copy with its times, modes and hard links, as the caches of both tools need it."""
    subprocess.run(["cp", "-a", f"{project.path}/.", str(folder)], check=True)
    return Project(folder)


@pytest.fixture(scope="session")
def _snakemake_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    def make(folder: Path) -> None:
        project = copy(folder)
        (folder / "told.txt").write_text(project.run("snakemake", "--cores", "8", steps=False))
        # Those of a later run take their place.
        shutil.copy(folder / events.FILE, folder / "events.jsonl")

    return Project(once.made(tmp_path_factory, "by_snakemake", make))


@pytest.fixture(scope="session")
def _dvc_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    def make(folder: Path) -> None:
        project = copy(folder)
        project.run("dvc", "repro", steps=False)
        project.run("git", "add", "--all")
        project.run("git", "commit", "--quiet", "--message", "reproduced")

    return Project(once.made(tmp_path_factory, "by_dvc", make))


@pytest.fixture(scope="module")
def by_snakemake(_snakemake_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = _again(_snakemake_once, tmp_path_factory.mktemp("snakemake"))
    told = project.path / "told.txt"
    told.write_text(told.read_text().replace(str(_snakemake_once.path), str(project.path)))
    return project


@pytest.fixture(scope="module")
def by_dvc(_dvc_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return _again(_dvc_once, tmp_path_factory.mktemp("dvc"))
