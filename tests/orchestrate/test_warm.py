"""Steps forked from one process do what they would do alone, and end as they would."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lssat.orchestrate import fork_server
from lssat.tables.project import Project

LOG = Project().log("warm")
# Has its own commands, so that nothing heavy is imported; `hand_over` and `serve` are the real.
PROGRAM = """
import os, signal, sys, time
from lssat.orchestrate import fork_server, steps

def work():
    steps.follow()
    if (code := fork_server.hand_over()) is not None:
        sys.exit(code)
    print("works", os.getpid(), os.getppid(), os.environ.get("LSSAT_OTHER"), flush=True)
    exec(sys.argv[1])
    sys.stdout.flush()
    os._exit(0)

if sys.argv[1] == "warm":
    fork_server.serve(sys.argv[2], lambda: None, work)
else:
    work()
"""
SAVE = """
def note(number, _):
    os.write(1, f"saved {number}\\n".encode())  # print may be at work: it is not reentrant
    time.sleep(0.2)
    os._exit(128 + number)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
    signal.signal(number, note)
print("listens", flush=True)
time.sleep(60)
"""
LISTENS = "print('listens', flush=True); time.sleep(60)"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # pytest changes it
    Path(".snakemake").mkdir()
    Path("program.py").write_text(PROGRAM)
    monkeypatch.setattr(fork_server, "PROGRAM", [sys.executable, "program.py", "warm"])
    process = fork_server.start(1, LOG)
    for _ in range(600):
        if Path(os.environ["LSSAT_WARM"]).exists():
            break
        time.sleep(0.05)
    yield process
    fork_server.stop(process)
    assert not list(Path(".snakemake").iterdir())
    assert all(line.startswith("forked: ") for line in LOG.read_text().splitlines())


def step(code: str, **environment: str) -> subprocess.Popen:
    """Start a command as Snakemake would, whose threads are those of the process that forks."""
    own = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return subprocess.Popen(
        [sys.executable, "program.py", code],
        env=own | fork_server.thread_counts(1) | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first(process: subprocess.Popen) -> tuple[int, int]:
    """Return the process ids of who works, and of its parent."""
    assert process.stdout
    line = process.stdout.readline().split()
    assert line[0] == "works", process.communicate()
    return int(line[1]), int(line[2])


def listening(process: subprocess.Popen) -> int:
    pid, _ = first(process)
    assert process.stdout
    assert process.stdout.readline() == "listens\n"
    return pid


def is_gone(pid: int) -> bool:
    for _ in range(200):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("code", "ends", "said"),
    [
        ("pass", 0, ""),
        ("print('wrong', file=sys.stderr); sys.stderr.flush(); os._exit(2)", 2, "wrong\n"),
        ("raise ValueError('traced')", 1, "ValueError: traced\n"),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("signal.raise_signal(signal.SIGTERM)", -signal.SIGTERM, ""),
    ],
)
def test_a_command_ends_as_its_fork(
    server: subprocess.Popen, code: str, ends: int, said: str
) -> None:
    own = dict.fromkeys(("TMPDIR", "TMP", "TEMP", "TEMPDIR"), ".")  # Snakemake gives them
    process = step(code, LSSAT_OTHER="told", **own)
    out, err = process.communicate()
    assert out.split()[2:] == [str(server.pid), "told"]
    assert process.returncode == ends
    assert err.endswith(said)
    assert bool(err) == bool(said)


def test_two_at_once_read_their_own_streams(server: subprocess.Popen) -> None:
    both = [step("print(sys.stdin.read(), os.getcwd())") for _ in range(2)]
    assert {first(process)[1] for process in both} == {server.pid}
    for number, process in enumerate(both):
        assert process.communicate(f"stream {number}")[0] == f"stream {number} {os.getcwd()}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_reaches_the_fork_which_saves(server: subprocess.Popen, number: int) -> None:
    process = step(SAVE)
    listening(process)
    process.send_signal(number)
    assert process.communicate()[0] == f"saved {number}\n"
    assert process.returncode == 128 + number


def test_a_fork_ends_with_its_command(server: subprocess.Popen) -> None:
    process = step(LISTENS)
    pid = listening(process)
    process.kill()
    assert is_gone(pid)
    process.communicate()
    other = step("pass")  # the others are still served
    assert first(other)[1] == server.pid
    other.communicate()


def test_the_process_outlives_its_run_until_forks_have_saved(server: subprocess.Popen) -> None:
    process = step(SAVE)
    listening(process)
    assert server.stdin
    server.stdin.close()
    server.send_signal(signal.SIGTERM)  # Snakemake's hook tells all its children
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[0].startswith("saved")
    assert process.returncode == 143
    assert server.wait(30) == 0
    server.stdin = None


def test_a_fork_and_its_command_end_where_the_process_is_killed(server: subprocess.Popen) -> None:
    process = step(LISTENS)
    pid = listening(process)
    server.kill()
    assert "was killed" in process.communicate()[1]
    assert process.returncode == 1
    assert is_gone(pid)


@pytest.mark.parametrize(
    ("name", "value"), [("OMP_NUM_THREADS", "2"), ("MKL_CBWR", "AVX2"), ("KMP_AFFINITY", "none")]
)
def test_what_libraries_read_must_be_the_same(
    server: subprocess.Popen, name: str, value: str
) -> None:
    process = step(f"print(os.environ['{name}'])", **{name: value})
    assert first(process)[1] == os.getpid()
    assert process.stdout
    assert process.stdout.read() == f"{value}\n"
    process.communicate()


def test_nobody_listens_at_a_socket_that_was_left(server: subprocess.Popen) -> None:
    assert os.stat(os.environ["LSSAT_WARM"]).st_mode & 0o077 == 0
    server.kill()
    server.wait()
    for where in (os.environ["LSSAT_WARM"], ".snakemake/none"):
        process = step("pass", LSSAT_WARM=where)
        assert first(process)[1] == os.getpid()
        assert process.communicate() == ("", "")
        assert process.returncode == 0
