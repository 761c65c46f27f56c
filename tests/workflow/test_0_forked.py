"""A program that is forked (helpers/forked.py) is the program as typed, only sooner."""

import subprocess
from pathlib import Path

from helpers import ROOT, forked
from helpers.project import Project


def test_a_fork_says_and_returns_what_the_program_does(tmp_path: Path) -> None:
    """Right and wrong words, this copy's package, its own folder and variables."""
    package = tmp_path / "lssat"
    package.symlink_to(ROOT / "lssat")
    project = Project(tmp_path)
    environment = project.environment | {"COLUMNS": "60"}
    for command, code, part in (
        (("lssat", "verify"), 1, "expected/sample.json: does not exist"),
        (("lssat", "nonsense"), 2, "No such command 'nonsense'"),
        (("dvc", "status"), 253, "not inside of a DVC repository"),
        (("snakemake", "--cores", "1"), 1, "No Snakefile found"),
    ):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert (done.returncode, part in done.stdout) == (code, True), done.stdout
        assert forked.run(command, tmp_path, environment) == (code, done.stdout)
