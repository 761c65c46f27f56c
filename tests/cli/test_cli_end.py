"""How a command ends: its message alone on stderr, its exit code, and what others registered."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.training import command
from typer.testing import CliRunner

from lssat import tables
from lssat.cli import commands

TRACED = {  # mistakes of ours
    "raise KeyError('lost')",
    "raise OSError(errno.EBADF, '', 'a.csv')",
    "raise OSError(errno.EACCES, 'a socket')",
}


def run(*line: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *line], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_an_error_of_training_stands_alone_on_stderr(tmp_path: Path) -> None:
    """Libraries that torch loads would report leaks below it, since imports are frozen."""
    done = run(*command(tmp_path, tmp_path / "out")[1:])
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "data/prepared/ffpp/splits/train.parquet: does not exist" in done.stderr


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("pass", 0, ""),
        ("sys.exit(7)", 7, ""),
        ("sys.exit('no')", 1, "no\n"),
        ("raise tables.DataError('a.csv', 'is bad', 'Mend it', 3)", 1, "a.csv:3: is bad. Mend it"),
        ("raise KeyError('lost')", 1, "KeyError: 'lost'"),
        (
            "raise OSError(errno.ENOSPC, '', 'a.csv')",
            1,
            "a.csv: the system says: No space left on device. Free space, or choose another f",
        ),
        ("open('a' * 300)", 1, f"{'a' * 200}...: the system says: File name too long. Give it a"),
        ("raise OSError(errno.EBADF, '', 'a.csv')", 1, "Errno 9"),
        ("raise OSError(errno.EACCES, 'a socket')", 1, "Errno 13"),
    ],
)
def test_the_end_keeps_codes_texts_and_what_was_registered(end: str, code: int, said: str) -> None:
    lines = [
        "import atexit, errno, sys",
        "from lssat import cli, tables",
        "from lssat.cli import commands",
        "def command(): print('done', end=''); " + end,
        "commands.app = command",
        "atexit.register(lambda: print(', registered', end=''))",
        "cli.main()",
    ]
    done = run("-c", "\n".join(lines))
    assert (done.returncode, done.stdout) == (code, "done, registered")
    assert said in done.stderr
    assert ("Traceback" in done.stderr) == (end in TRACED)


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-", "2>&-"])
def test_a_stream_that_was_closed_ends_no_command_and_is_no_files(
    closed: str, tmp_path: Path
) -> None:
    """As of a daemon: the next file that is opened would have the stream's number."""
    lines = [
        "from lssat import cli",
        "from lssat.cli import commands",
        "def command(): file = open('made', 'w'); print('said'); assert file.fileno() > 2",
        "commands.app = command",
        "cli.main()",
    ]
    program = tmp_path / "program.py"
    program.write_text("\n".join(lines))
    line = f"{sys.executable} {program} {closed}"
    assert subprocess.run(line, shell=True, cwd=tmp_path, check=False).returncode == 0
    assert (tmp_path / "made").read_text() == ""


@pytest.mark.parametrize("width", ["0", "00", ""])
def test_a_terminal_of_no_width_is_none(width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    done = run("-m", "lssat", "show", "--help")
    assert "Print the headline table" in done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("show", "results: holds no result (no tasks/<task>/metrics.json). Run `snakemake"),
        ("show --results other --all", "other: holds no result"),
        ("run --cores 1", "Snakefile: is not in this folder ("),
        ("save", "Snakefile: is not in this folder ("),
        ("digest", "Snakefile: is not in this folder ("),
        ("sync", "Snakefile: is not in this folder ("),
        ("verify --rerun", "Snakefile: is not in this folder ("),
        ("verify", "expected/sample.json: does not exist. Make it with --write"),
        ("verify --write", "results: holds no tasks/<task>/metrics.json. Run `snakemake"),
        ("check", "params.yaml: does not exist. Copy one of presets/ there, or run in the"),
        ("doctor", "params.yaml: does not exist. Copy one of presets/ there, or run in the"),
        ("doctor --json found.json", "params.yaml: does not exist. Copy one of presets/ there"),
        ("init --preset paper --ffpp .", "presets: there are no presets in this folder ("),
        ("predict --task ffpp a.jpg", "runs/ffpp: holds no trained run of ffpp. Run `snakemake"),
        ("predict --run a/b --json out.json a.jpg", "a/b: is no trained run (it holds no record"),
        ("compare a b --out page.html --json out.json", "a: is no trained run (it holds no record"),
    ],
)
def test_fault_a10_a_folder_without_a_project_is_said_and_stays_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gc.freeze", lambda: None)  # this process goes on
    done = CliRunner().invoke(commands.app, line.split())
    assert done.exit_code == 1
    assert isinstance(done.exception, tables.DataError)
    assert str(done.exception).startswith(said)
    assert not list(tmp_path.iterdir())
