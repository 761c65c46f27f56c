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

ROOT = Path(__file__).parent.parent.parent
GROUP = typer.main.get_command(cli.app)
RULES = "".join(file.read_text() for file in (ROOT / "workflow/rules").glob("*.smk"))
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
def test_files_that_an_example_names_lie_where_the_rules_put_them(name: str) -> None:
    for word in words(name)[2:]:
        if "/" not in word or word.startswith("/"):
            continue
        if re.fullmatch(r"\w+/\w+/[\w-]+/seed\d", word):  # the name of a run
            continue
        assert word.split("/")[0] in ("data", "runs", "results"), word
        suffix = r"(\.rejects)?\.(parquet|npy|json|csv|svg|html)$"
        if re.search(suffix, word):
            known = re.sub(r"shard-\d+", "shard-{shard}", word)
            known = re.sub(r"margin-1\.6|frames-\d+", "{{variant}}", known)
            stems = {known.rsplit("/", 1)[1], known.rsplit(".", 1)[1]}
            assert stems & set(re.findall(r"[\w{}.-]+", RULES)) or _of_a_task(known), word


def _of_a_task(path: str) -> bool:
    """Is it named by a task: results/mlflow/{task}.json?"""
    named = re.sub(r"\b(ffpp|celeba|affectnet|celebdf)\.json$", "{task}.json", path)
    named = re.sub(r"/(slices|slices_listed)/\{task\}", "/{sliced}/{task}", named)
    return named != path and named in RULES


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
    assert named == {"cross", "audit-cross", "track-cross", "compare"}


def test_the_version_stands_in_one_place() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert lssat.__version__ == told
    assert CliRunner().invoke(cli.app, ["--version"]).output == f"lssat {told}\n"
    source = "".join(file.read_text() for file in (ROOT / "lssat").rglob("*.py"))
    assert f'"{told}"' not in source
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        lssat.nothing  # noqa: B018
    assert (resources.files("lssat") / "py.typed").is_file()


def test_the_shell_completes_commands_and_options() -> None:
    program = str(Path(sys.executable).parent / "lssat")
    for typed, wanted in (("lssat pre", "predict"), ("lssat train --stra", "--strategy")):
        asked = {"_LSSAT_COMPLETE": "complete_bash", "COMP_WORDS": typed}
        asked["COMP_CWORD"] = str(len(typed.split()) - 1)
        done = subprocess.run([program], capture_output=True, text=True, check=True, env=asked)
        assert wanted in done.stdout.split()
