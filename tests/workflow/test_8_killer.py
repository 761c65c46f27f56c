"""Kills in the late phases, and the same command again; `benchmarks/killer.py` kills in all."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import killer
from helpers.project import Project


@pytest.mark.slow
def test_case_27_kills_in_the_late_phases_leave_the_bytes_of_a_calm_run(
    by_snakemake: Project, tmp_path: Path
) -> None:
    subprocess.run(["cp", "-a", f"{by_snakemake.path}/.", str(tmp_path)], check=True)
    project = Project(tmp_path)
    for name in ("results", ".dvc/cache", "mlflow.db"):  # no step is spared by DVC's run cache
        place = tmp_path / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    chance = random.Random(0)
    for phase in ("evaluate", "report", "track"):
        assert phase in killer.kill(project, phase, chance, most=0.5)
    project.run("snakemake", "--cores", "2")
    assert killer.results(project) == killer.results(by_snakemake)
    assert project.snakemake_stale() == set()
