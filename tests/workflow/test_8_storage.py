"""Machines that share one DVC remote on object storage: parts of a grid, merged in a clone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import killer
from helpers.object_storage import bucket
from helpers.project import Project, copy

pytestmark = pytest.mark.slow
HALVES = ["none-none-CRGB", "MRGB-RLDP-CRGB"]
TINY: dict[str, dict] = {
    "train": {"epochs": 1},
    "evaluate": {"resamples": 100},
    "explain": {"samples": 2, "points": 10, "steps": 2},
    "robustness": {"samples": 4, "strengths": [1], "perturbations": ["blur"]},
}


@pytest.fixture(scope="module")
def remote() -> Iterator[list[list[str]]]:
    """The commands that make a bucket of an S3 server on this machine DVC's remote."""
    with bucket() as made:
        yield [
            ["dvc", "remote", "add", "--default", "storage", f"s3://{made.name}/project"],
            ["dvc", "remote", "modify", "storage", "endpointurl", made.url],
        ]


def clone(project: Project, folder: Path) -> Project:
    project.run("git", "clone", "--quiet", str(project.path), str(folder))
    return Project(folder)


def trained(project: Project) -> set[str]:
    """The configurations that a project has trained itself."""
    logs = (project.path / "logs/train").rglob("*.log")
    return {log.parent.name for log in logs if "epoch 1 of 1" in log.read_text()}


def test_two_clones_train_half_of_the_grid_each_and_a_third_reports(
    remote: list[list[str]], tmp_path: Path
) -> None:
    first = copy(tmp_path / "first")
    first.params(**TINY)
    for command in remote:
        first.run(*command)
    first.run("git", "commit", "--quiet", "--all", "--message", "a remote")
    second, third = clone(first, tmp_path / "second"), clone(first, tmp_path / "third")
    for project, half in zip((first, second), HALVES, strict=True):
        print(project.run("dvc", "fetch", "--run-cache", check=False))
        project.run("lssat", "run", "--cores", "2", "--configuration", half)
        assert trained(project) == {half}
        project.run("dvc", "push", "--run-cache")
    third.run("dvc", "fetch", "--run-cache", check=False)
    told = third.run("snakemake", "--cores", "2")
    assert "Face attributes (CelebA)" in told
    assert trained(third) == set()
    for project, half in zip((first, second), HALVES, strict=True):
        run = f"runs/celeba/vit_micro/{half}/seed0/record.json"  # with its times
        assert (third.path / run).read_bytes() == (project.path / run).read_bytes()

    third.run("dvc", "push")
    third.run("git", "add", "--all")
    third.run("git", "commit", "--quiet", "--message", "merged")
    fourth = clone(third, tmp_path / "fourth")
    fourth.run("dvc", "pull")
    fourth.run("lssat", "sync")
    assert fourth.snakemake_stale() == set()
    assert "up to date" in fourth.run("dvc", "status")
    assert killer.results(fourth) == killer.results(third)
