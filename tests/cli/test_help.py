"""The help: its panels, examples that can be run as they stand, the version, completion."""

import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

import lssat
from lssat.cli import base
from lssat.cli import commands as cli
from lssat.params import READS, hardware
from lssat.tables import DataError
from lssat.tables.project import Project

ROOT = Path(__file__).parent.parent.parent
GROUP = typer.main.get_command(cli.app)
ALSO = {
    "report",
    "slices_listed",
    "track_cross",
    "track_slices",
}  # in a panel, or command, of others
assert isinstance(GROUP, typer.core.TyperGroup)


def words(name: str) -> list[str]:
    """Return the example of a command, as a shell parts it."""
    line = re.fullmatch(r"Example: \[bold\](.*)\[/bold\]", GROUP.commands[name].epilog or "")
    assert line is not None, f"{name} shows no example"
    return line[1].split()


@pytest.mark.parametrize("name", list(GROUP.commands))
def test_each_example_is_read_by_its_own_parser(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program, command, *rest = words(name)
    assert (program, command) == ("lssat", name)
    GROUP.commands[name].make_context(name, rest, parent=click.Context(GROUP))
    assert not any("..." in word for word in rest)


@pytest.mark.parametrize("name", list(GROUP.commands))
def test_files_that_an_example_names_lie_where_a_project_has_them(name: str) -> None:
    here = Project()
    places = here.sample.root, here.prepared, here.runs.root, here.results.root
    for word in words(name)[2:]:
        run = re.fullmatch(r"\w+/\w+/[\w.+-]+/seed\d", word)
        if "/" in word and not word.startswith("/") and not run:
            assert any(Path(word).is_relative_to(place) for place in places), word


def test_a_step_is_told_what_to_do_and_not_where_its_files_lie() -> None:
    """What it works on, its parameters, the machine's hardware, and the project."""
    what = {"--task", "--run", "--again", "--dataset", "--shard", "--tree", "--variant"}
    what |= {"--scores"}  # a user's own table, which lies anywhere
    what |= {"--check", "--listed", "--added", "--params", "--project", "--tracking"}
    what |= {f"--{key}" for key in hardware.Hardware.model_fields}
    steps = {name: each for name, each in GROUP.commands.items()
             if str(getattr(each, "rich_help_panel", "")).startswith("Steps")}  # fmt: skip
    assert {name.replace("-", "_") for name in steps} >= READS.keys() - ALSO
    for name in (*steps, "report", "digest"):
        command = GROUP.commands[name]
        assert {param.opts[0] for param in command.params} <= what, name
        assert any("--project" in param.opts for param in command.params), name


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("robustness --task celeba", "params.yaml: does not exist"),
        ("lookalikes --task celeba --params {}", "--params: 2 problems"),
        ("manifest --task celeba --params other.yaml", "other.yaml: does not exist"),
    ],
)
def test_what_is_relative_is_so_to_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gc.freeze", lambda: None)  # this process goes on
    (tmp_path / "there").mkdir()
    (tmp_path / "other.yaml").touch()
    done = CliRunner().invoke(cli.app, [*line.split(), "--project", "there"])
    assert said in str(done.exception)
    assert Path.cwd() == tmp_path / "there"


@pytest.mark.parametrize(("name", "why"), [("none", "No such file"), ("file", "Not a directory")])
def test_a_project_that_is_no_folder_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    done = CliRunner().invoke(cli.app, ["texture", "--task=x", "--shard=0", "--project", name])
    assert isinstance(done.exception, DataError)
    assert str(done.exception).startswith(f"{name}: is no folder to go to: {why}")


def test_the_commands_for_people_stand_first_and_the_steps_in_a_panel_of_their_own() -> None:
    assert isinstance(GROUP, typer.core.TyperGroup)
    listed = GROUP.list_commands(click.Context(GROUP))
    assert sorted(listed) == sorted(GROUP.commands)
    assert tuple(listed[: len(base.PEOPLE)]) == base.PEOPLE
    for name, command in GROUP.commands.items():
        panel = getattr(command, "rich_help_panel", None)
        assert (name in base.PEOPLE) == (not isinstance(panel, str)), name
    told = CliRunner().invoke(cli.app, ["--help"]).output
    titles = ["Commands", "Upkeep", "Steps of the pipeline"]
    places = [told.index(f"╭─ {title}") for title in titles]
    assert places == sorted(places)


def test_a_task_is_called_task_by_every_command() -> None:
    """`--dataset` names only what the task's runs are tested on and not trained on."""
    named = {name for name, each in GROUP.commands.items()
             if any("--dataset" in param.opts for param in each.params)}  # fmt: skip
    assert named == {"cross", "audit-cross", "compare"}


def test_the_version_stands_in_one_place() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert lssat.__version__ == told
    assert CliRunner().invoke(cli.app, ["--version"]).output == f"lssat {told}\n"
    source = "".join(file.read_text() for file in (ROOT / "lssat").rglob("*.py"))
    assert f'"{told}"' not in source
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        lssat.nothing  # noqa: B018
    assert (resources.files("lssat") / "py.typed").is_file()


@pytest.mark.slow
def test_the_shell_completes_commands_and_options() -> None:
    program = str(Path(sys.executable).parent / "lssat")
    for typed, wanted in (("lssat pre", "predict"), ("lssat train --stra", "--strategy")):
        asked = {"_LSSAT_COMPLETE": "complete_bash", "COMP_WORDS": typed}
        asked["COMP_CWORD"] = str(len(typed.split()) - 1)
        done = subprocess.run([program], capture_output=True, text=True, check=True, env=asked)
        assert wanted in done.stdout.split()
