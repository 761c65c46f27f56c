"""Two copies of the project, run once for all tests: by `snakemake` and by `dvc repro`."""

import shutil

import pytest
from helpers.project import Project, copy

from lssat.orchestrate import events


@pytest.fixture(scope="session")
def by_snakemake(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy(tmp_path_factory.mktemp("by_snakemake"))
    (project.path / "told.txt").write_text(project.run("snakemake", "--cores", "8"))
    # Those of a later run take their place.
    shutil.copy(project.path / events.FILE, project.path / "events.jsonl")
    return project


@pytest.fixture(scope="session")
def by_dvc(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy(tmp_path_factory.mktemp("by_dvc"))
    project.run("dvc", "repro")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "reproduced")
    return project
