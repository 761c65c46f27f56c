"""How a command ends: its message alone on stderr, its exit code, and what others registered."""

import subprocess
import sys
from pathlib import Path

import pytest
from test_train_resume import command


def run(*line: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *line], capture_output=True, text=True, check=False)


def test_an_error_of_training_stands_alone_on_stderr(tmp_path: Path) -> None:
    """Libraries that torch loads would report leaks below it, since imports are frozen."""
    done = run(*command(tmp_path, tmp_path / "out")[1:])
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"{tmp_path}/splits/train.parquet: does not exist" in done.stderr


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("pass", 0, ""),
        ("sys.exit(7)", 7, ""),
        ("sys.exit('no')", 1, "no\n"),
        ("raise tables.DataError('a.csv', 'is bad', 'Mend it', 3)", 1, "a.csv:3: is bad. Mend it"),
        ("raise KeyError('lost')", 1, "KeyError: 'lost'"),
    ],
)
def test_the_end_keeps_codes_texts_and_what_was_registered(end: str, code: int, said: str) -> None:
    lines = [
        "import atexit, sys",
        "from lssat import cli, tables",
        "def command(): print('done', end=''); " + end,
        "cli.app = command",
        "atexit.register(lambda: print(', registered', end=''))",
        "cli.main()",
    ]
    done = run("-c", "\n".join(lines))
    assert (done.returncode, done.stdout) == (code, "done, registered")
    assert said in done.stderr
