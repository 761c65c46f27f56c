"""Each command that README and docs name, in a block or in running text, is one that exists.

What stands in a block of the shell is run by a test as well (tests/workflow/test_4_readme.py).
Here the program's own command line reads every command: its name, its options and their values.
A command without any word after its name is only named, and has to exist.
"""

import argparse
import re
import shlex
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import typer
import yaml
from helpers import ROOT

from lssat.cli import commands as cli

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = ("lssat", "snakemake", "dvc", "mlflow", "make", "pytest", "python")
_FENCED = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_OPTION = re.compile(r'add_argument\(\s*"(--[\w-]+)"')
_SETS = re.compile(r"(\w+=\S+ )*")  # variables of the environment before a program
# Of click, and of typer's own copy of it.
CLICKS = (click.ClickException, typer.BadParameter.__mro__[2])
# An option of the data set that the page adds (tests/test_add.py follows it).
ADDED = {"add-a-data-set.md": "--wild /data/wild"}
SCRIPTS = [*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "docs/images").glob("*.py")]


class Named(NamedTuple):
    """A command of a page."""

    page: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words, the program first."""
        return shlex.split(_SETS.sub("", self.text, count=1).split(" <<")[0].split(" > ")[0])


def inline(page: Path) -> list[str]:
    """The code in the running text of a page."""
    return _INLINE.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))


def named() -> dict[str, list[Named]]:
    """The commands of all pages, by their program."""
    found = defaultdict(list)
    for page in PAGES:
        blocks = _FENCED.findall(page.read_text(encoding="utf-8"))
        lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
        for text in dict.fromkeys([*lines, *inline(page)]):
            text = text.replace(ADDED.get(page.name, ""), "").rstrip()
            program = _SETS.sub("", text, count=1).split(" ")[0]
            if program in PROGRAMS:
                found[program].append(Named(page.name, text))
    return found


NAMED = named()


def refused(read: Callable[[list[str]], object], each: Named) -> str | None:
    """What a command line says against a command; None where it takes it."""
    try:
        read(each.words[1:])
    except (*CLICKS, argparse.ArgumentError, ValueError, SystemExit) as problem:
        said = problem.format_message() if isinstance(problem, CLICKS) else problem
        return f"{each.page}: `{each.text}`: {said}"
    return None


def accepted(program: str, read: Callable[[list[str]], object]) -> None:
    """Hold the commands of a program to its command line."""
    assert NAMED[program], program
    assert [told for each in NAMED[program] if (told := refused(read, each))] == []


def click_line(command: Any, words: list[str]) -> None:
    """Let a command, or the one of its group that is named, read words."""
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, *words = command.commands[words[0]], *words[1:]
    if hasattr(command, "commands") and words and not words[0].startswith("-"):
        raise ValueError(f"there is no command {words[0]!r}")
    if words and words != ["--help"]:
        command.make_context("named", words)


def test_lssat_reads_its_commands() -> None:
    accepted("lssat", lambda words: click_line(typer.main.get_command(cli.app), words))


def test_mlflow_is_asked_for_nothing_but_what_a_test_runs() -> None:
    assert {each.text for each in NAMED["mlflow"]} == {
        "mlflow ui"
    }  # tests/workflow/test_4_readme.py


@pytest.mark.slow
def test_snakemake_reads_its_commands_and_has_their_targets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from snakemake.cli import get_argument_parser

    monkeypatch.chdir(ROOT)  # where its profiles are
    files = [ROOT / "Snakefile", *(ROOT / "workflow").rglob("*.smk")]
    rules = set(
        re.findall(r"^(?:local)?rule (\w+):", "\n".join(f.read_text() for f in files), re.M)
    )

    def read(words: list[str]) -> None:
        for target in get_argument_parser().parse_args(words).targets:
            if "/" not in target and target not in rules:
                raise ValueError(f"there is no rule {target!r}")

    accepted("snakemake", read)


@pytest.mark.slow
def test_dvc_reads_its_commands_and_has_their_stages_and_parameters() -> None:
    from dvc.cli import DvcParserError
    from dvc.cli.parser import get_main_parser

    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    values = yaml.safe_load((ROOT / "params.yaml").read_text())

    def read(words: list[str]) -> None:
        if _ends(get_main_parser(), words):
            return
        try:
            asked = get_main_parser().parse_args(words)
        except DvcParserError as problem:
            raise ValueError("see above") from problem
        for target in getattr(asked, "targets", None) or ():
            if target not in stages:
                raise ValueError(f"there is no stage {target!r}")
        for setting in getattr(asked, "set_param", None) or ():
            section, key = setting.partition("=")[0].split(".")
            if key not in values[section]:
                raise ValueError(f"there is no parameter {section}.{key}")

    accepted("dvc", read)


def _ends(parser: argparse.ArgumentParser, words: list[str]) -> bool:
    """Whether words are a command's name and nothing more."""
    for word in words:
        below = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
        if not below or word not in below[0].choices:
            return False
        parser = below[0].choices[word]
    return True


def test_make_has_its_targets() -> None:
    targets = set(re.findall(r"^([\w.]+):", (ROOT / "Makefile").read_text(), re.M))

    def read(words: list[str]) -> None:
        if unknown := set(words) - targets:
            raise ValueError(f"there is no target {unknown}")

    accepted("make", read)


def test_scripts_and_tests_are_there_with_their_options() -> None:
    def read(words: list[str]) -> None:
        script = ""
        for word in words:
            if word.endswith(".py") or word.startswith("tests/"):
                if not (ROOT / word).exists():
                    raise ValueError(f"there is no {word}")
                script = (ROOT / word).read_text() if word.endswith(".py") else ""
            if word.startswith("--") and word not in _OPTION.findall(script):
                raise ValueError(f"there is no option {word}")

    accepted("python", read)
    accepted("pytest", read)


@pytest.mark.slow
def test_options_that_are_named_alone_are_options_of_something() -> None:
    from dvc.cli.parser import get_main_parser
    from snakemake.cli import get_argument_parser

    known = {"--help"}
    groups: list[Any] = [typer.main.get_command(cli.app)]
    while groups:
        command = groups.pop()
        groups += getattr(command, "commands", {}).values()
        known |= {
            option for each in command.params for option in (*each.opts, *each.secondary_opts)
        }
    parsers = [get_argument_parser(), get_main_parser()]
    while parsers:
        for action in parsers.pop()._actions:
            known |= {*action.option_strings}
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
    known |= {o for file in SCRIPTS for o in _OPTION.findall(file.read_text())}
    for page in PAGES:
        for text in inline(page):
            if text.startswith("--"):
                options = {word.partition("=")[0] for word in text.split() if word[:2] == "--"}
                assert options <= known, f"{page.name}: {text}"
