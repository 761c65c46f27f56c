"""A program that is forked (helpers/forked.py) is the program as typed, only sooner."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from helpers import ROOT, ask, forked
from helpers.project import Project
from helpers.waiting import ended, until


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A folder with this copy's package, and nothing else."""
    (tmp_path / "lssat").symlink_to(ROOT / "lssat")
    return Project(tmp_path)


def test_a_fork_says_and_returns_what_the_program_does(project: Project) -> None:
    """Right and wrong words, this copy's package, its own folder and variables."""
    environment = project.environment | {"COLUMNS": "60"}
    for command, code, part in (
        (("lssat", "verify"), 1, "expected/sample.json: does not exist"),
        (("lssat", "nonsense"), 2, "No such command 'nonsense'"),
        (("dvc", "status"), 253, "not inside of a DVC repository"),
        (("snakemake", "--cores", "1"), 1, "No Snakefile found"),
    ):
        done = subprocess.run(
            command, cwd=project.path, env=environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert (done.returncode, part in done.stdout) == (code, True), done.stdout
        assert forked.run(command, project.path, environment) == (code, done.stdout)


STEPS = """
import sys
rule all:
    shell:
        "( lssat verify || echo $?; echo words | lssat nonsense - || echo $?;"
        "  {sys.executable} -m lssat verify || echo $?;"
        "  {sys.executable} -c 'import sys; print(sys.argv)' one two;"
        "  OMP_NUM_THREADS=2 lssat verify ) > told.txt 2>&1"
"""


def test_what_a_fork_starts_says_and_returns_what_it_does_by_itself(project: Project) -> None:
    (project.path / "Snakefile").write_text(STEPS)
    command, told = ("snakemake", "--cores", "1"), project.path / "told.txt"
    found = []
    for way in ({"steps": True}, {"steps": False}, {"LSSAT_NONE": ""}):  # forks; half; none
        assert "Error in rule all" in project.run(*command, check=False, **way)
        found.append(told.read_text())
    assert re.findall(r"^[0-9]$", found[0], flags=re.M) == ["1", "2", "1"]
    assert "['-c', 'one', 'two']" in found[0]
    assert found[0] == found[1] == found[2]


def test_a_fork_for_which_nobody_waits_any_more_is_killed(project: Project) -> None:
    (project.path / "Snakefile").write_text(
        "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(3000)\n"
    )
    with open(os.devnull, "r+") as nothing:
        line = ask.begin(
            str(forked._servers() / "tools"), ["snakemake", "--cores", "1"], str(project.path),
            project.environment, *[nothing.fileno()] * 3,
        )  # fmt: skip
    file = project.path / "pid"
    until(lambda: file.exists() and file.read_text(), "at work")
    line.close()
    until(lambda: ended(int(file.read_text())), "killed")
