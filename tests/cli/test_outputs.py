"""An output that is an input is refused before anything is written, whatever it is called."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lssat.cli import commands as cli
from lssat.cli import outputs
from lssat.tables import DataError

PRECIOUS = b"precious"
MADE = ("runs", "results", "data/prepared")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, links to it, and folders that hold it."""
    monkeypatch.chdir(tmp_path)
    for folder in ("runs/x", "root"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("file", "params.yaml", "runs/x/record.json", "root/list.csv"):
        (tmp_path / name).write_bytes(PRECIOUS)
    os.symlink("file", "soft")
    os.link("file", "hard")
    os.symlink("root", "other")
    return tmp_path


def refused(words: str) -> str:
    """Run a command line that must be refused; return why."""
    done = CliRunner().invoke(cli.app, words.split())
    assert isinstance(done.exception, DataError), (words, done.output, done.exception)
    return str(done.exception)


COMMANDS = [
    "verify --expected file --json {}",
    "doctor --params file --json {}",
    "compare a file --json {}",
    "compare a file --out {}",
]


@pytest.mark.parametrize("words", COMMANDS)
def test_fault_d12_no_command_writes_over_what_it_reads(here: Path, words: str) -> None:
    for name in ("file", "./file", "soft", "hard", f"{here}/file"):
        assert "is to be written, and is read as well" in refused(words.format(name))
    assert (here / "file").read_bytes() == (here / "params.yaml").read_bytes() == PRECIOUS


@pytest.mark.parametrize(
    "words",
    [
        "doctor ffpp --root root --json root/list.csv",
        "doctor ffpp --root root --json other/list.csv",
        "verify --results runs --json runs/x/record.json",
        "compare runs/x runs/x --json runs/x/record.json",
        "compare runs/x runs/x --out runs/x/record.json",
        "predict --run runs/x --json runs/x/record.json file",
        "init --preset sample --ffpp root --out root/list.csv --force",
    ],
)
def test_fault_d12_nothing_in_a_folder_that_is_read_is_replaced(here: Path, words: str) -> None:
    assert "which is read" in refused(words)
    assert (here / "runs/x/record.json").read_bytes() == PRECIOUS
    assert (here / "root/list.csv").read_bytes() == PRECIOUS


def test_fault_d12_the_roots_of_a_params_yaml_count_for_the_doctor(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(cli.__file__).parents[2] / "params.yaml").read_text()
    (here / "params.yaml").write_text(text.replace("data/raw/sample/celeba", "root"))
    (here / "root/list.json").write_bytes(PRECIOUS)
    assert "lies in root, which is read" in refused("doctor celeba --json root/list.json")
    assert (here / "root/list.json").read_bytes() == PRECIOUS


def test_fault_d12_a_preset_is_no_place_for_a_params_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(cli.__file__).parents[2])
    before = Path("presets/paper.yaml").read_bytes()
    assert "is read as well (a preset" in refused("init --preset sample --out presets/paper.yaml")
    assert Path("presets/paper.yaml").read_bytes() == before


def test_fault_d12_two_outputs_are_two_files(here: Path) -> None:
    for one, other in (("new", "./new"), ("hard", "soft")):
        words = f"compare a b --json {one} --out {other}"
        assert "is named as two outputs" in refused(words)


def test_fault_d12_every_option_that_names_an_output_is_known_as_one() -> None:
    """Whatever is called so must be declared with `option.writes`, or it would not be looked at."""
    group = typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        assert isinstance(command, outputs.Command), name
        for param in command.params:
            if {"--out", "--json", "--pictures"} & {*param.opts}:
                assert param.callback is not None, (name, param.name)


def test_fault_d12_a_new_file_beside_what_is_read_is_written(here: Path) -> None:
    assert outputs.from_inputs(here / "new.json", [("--x", here / "file")]) is None
    with pytest.raises(DataError):  # the same call, of what is read itself
        outputs.from_inputs(here / "file", [("--x", here / "file")])
    assert outputs.outside(here / "root/new.json", [here / "root"]) is None


@pytest.mark.slow
def test_fault_d13_names_are_spelt_out_where_the_terminal_cannot_show_them(tmp_path: Path) -> None:
    """Bytes that are no text, and letters that ASCII has not got, on stdout and on stderr."""
    plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    for setting, root in (
        ({"PYTHONIOENCODING": "ascii"}, "Bilder é 脸".encode()),
        ({"PYTHONIOENCODING": "utf-8"}, b"no text \xff"),
        (plain, "Bilder é 脸".encode()),
    ):
        os.makedirs(os.fsencode(tmp_path) + b"/" + root, exist_ok=True)
        command = [sys.executable, "-m", "lssat", "doctor", "celeba", "--root", root]
        env = {**os.environ, **setting}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (1, b"")
        assert b"list_attr_celeba" in done.stdout


@pytest.mark.parametrize(
    "text", ["nan,1,2,3", "1,2,inf,3", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,1,0,5", "1,1,5,-2", " "]
)
def test_fault_d13_a_box_that_is_none_is_a_message(text: str) -> None:
    done = CliRunner().invoke(cli.app, ["predict", "--task", "ffpp", "--box", text, "x.jpg"])
    assert done.exit_code == 2
    assert f"--box {text!r} is not" in " ".join(done.output.replace("│", "").split())


@pytest.mark.parametrize("text", ["0", "-1", "none", "1.5", "", "²"])
def test_fault_d5_frames_are_a_number_or_all(text: str) -> None:
    done = CliRunner().invoke(cli.app, ["predict", "--task", "ffpp", f"--frames={text}", "x.jpg"])
    assert done.exit_code == 2
    assert "is neither a number above 0 nor all" in " ".join(done.output.replace("│", "").split())


@pytest.mark.parametrize(
    "words",
    [
        "verify --json {}",
        "doctor --json {}",
        "compare a b --json {}",
        "compare a b --out {}",
        "predict --task ffpp --json {} a.jpg",
        "plan --json {}",
        "init --preset sample --out {}",
        "weights convert a.pth {}",
    ],
)
def test_no_command_replaces_a_file_of_another_kind_or_a_result(here: Path, words: str) -> None:
    (here / "Snakefile").touch()
    kinds = ("json", "html", "yaml", "safetensors")
    for name in ("mlflow.db", *(f"{folder}/x/of.{kind}" for folder in MADE for kind in kinds)):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(PRECIOUS)
        assert re.search(
            "is there already|no name of a saf|is read", refused(words.format(name))
        ), name
        assert (here / name).read_bytes() == PRECIOUS


def test_a_page_takes_the_place_of_a_page(here: Path) -> None:
    (here / "Snakefile").touch()
    for name in ("page.html", "page.HTM", "new", "results/new.html"):
        outputs.like(here / name, (".html", ".htm"))
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).touch()
    outputs.like(here / "page.html", (".html", ".htm"))
    outputs.like(Path(os.devnull), (".html",))
    with pytest.raises(DataError, match=r"page.html: is there already, and is no \.json file"):
        outputs.like(here / "page.html", (".json",))


def test_an_empty_argument_is_refused_before_it_becomes_this_folder(here: Path) -> None:
    for words in (["predict", "--task", "ffpp", ""], ["verify", "--expected", ""]):
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == 2
        assert "one of the arguments is empty; is a variable not set?" in done.output
