"""Results move with DVC: push, pull in another clone, no retraining."""

import pytest
from helpers.project import Project


@pytest.fixture(scope="module")
def clone(by_dvc: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone of the reproduced project that has pulled its artifacts from a local remote."""
    remote = tmp_path_factory.mktemp("remote")
    by_dvc.run("dvc", "remote", "add", "--default", "storage", str(remote))
    by_dvc.run("dvc", "push")
    by_dvc.run("git", "commit", "--quiet", "--all", "--message", "remote")
    folder = tmp_path_factory.mktemp("clone") / "clone"
    by_dvc.run("git", "clone", "--quiet", str(by_dvc.path), str(folder))
    project = Project(folder)
    project.run("dvc", "pull")
    return project


def test_after_a_pull_snakemake_refuses_to_guess_and_names_the_command(clone: Project) -> None:
    told = clone.run("snakemake", "-n", "--cores", "1", check=False)
    assert "Run `lssat sync`" in told
    assert "Traceback" not in told


def test_lssat_sync_refuses_what_dvc_does_not_vouch_for(clone: Project) -> None:
    file = clone.path / "params.yaml"
    text = file.read_text()
    file.write_text(text.replace("epochs: 2", "epochs: 3"))
    told = clone.run("lssat", "sync", check=False)
    assert "something is not up to date" in told
    assert not any((clone.path / ".snakemake").glob("metadata/*"))
    file.write_text(text)


def test_lssat_sync_puts_snakemake_in_step_without_retraining(clone: Project) -> None:
    weights = next(clone.path.glob("runs/**/MRGB*/**/weights.safetensors"))
    before = weights.read_bytes()
    clone.run("lssat", "sync")
    assert clone.snakemake_stale() == set()
    assert clone.dvc_stale() == set()
    assert weights.read_bytes() == before
    clone.params(train={"lr": 0.003})
    assert any(name.startswith("train@") for name in clone.snakemake_stale())
    clone.run("git", "checkout", "--quiet", "--", "params.yaml")


def test_an_update_of_the_code_that_changes_no_result_keeps_them(clone: Project) -> None:
    weights = next(clone.path.glob("runs/**/MRGB*/**/weights.safetensors"))
    before = weights.read_bytes()
    with open(clone.path / "lssat/training/recipe.py", "a") as file:
        file.write("\n_UPDATED = True\n")
    assert any(name.startswith("train@") for name in clone.snakemake_stale())
    told = clone.run("lssat", "sync", check=False)
    assert "If only the code has changed, and no result: `lssat sync --code`" in told
    told = clone.run("lssat", "sync", "--code")
    assert "The code of train has changed." in told
    assert clone.snakemake_stale() == clone.dvc_stale() == set()
    assert weights.read_bytes() == before
    clone.params(train={"lr": 0.003})  # what is no code is still looked at
    assert "something is not up to date" in clone.run("lssat", "sync", "--code", check=False)
    clone.run("git", "checkout", "--quiet", "--", "params.yaml")
