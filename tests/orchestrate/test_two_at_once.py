"""Two commands in one folder, and what Snakemake and DVC need before they are started."""

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers import ROOT
from typer.testing import CliRunner

from lssat.cli import commands
from lssat.orchestrate import account, lock, steps, sync
from lssat.orchestrate import run as orchestrate
from lssat.tables import DataError

HOLD = (
    "import sys; from lssat.orchestrate import lock; lock.hold(False);"
    " print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "Snakefile").symlink_to(ROOT / "Snakefile")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    while lock._held:
        lock._held.pop().close()


@pytest.fixture
def other():
    """Another process that has the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_lssat_run_is_refused_and_leaves_the_log_of_the_first(
    folder: Path, other: subprocess.Popen
) -> None:
    orchestrate.LOG.parent.mkdir()
    orchestrate.LOG.write_text("of the first\n")
    with pytest.raises(DataError, match=f"another run is at work .*: process {other.pid} "):
        orchestrate.run(1)
    assert orchestrate.LOG.read_text() == "of the first\n"


def test_of_two_that_begin_at_once_one_has_the_log() -> None:
    with orchestrate.Log() as first:
        first.keep(["a\n"])
        with pytest.raises(DataError, match="another run is at work in this folder: it has just"):
            orchestrate.Log()
        first.keep(["b\n"])
    assert orchestrate.LOG.read_text() == "a\nb\n"
    with orchestrate.Log() as later:
        later.keep(["c\n"])
    assert orchestrate.LOG.read_text() == "c\n"


def test_a_log_on_a_full_disk_costs_lines_and_not_the_run(capsys: pytest.CaptureFixture) -> None:
    """While nobody takes Snakemake's words it waits for ever."""
    with orchestrate.Log() as log:
        log._file.close()
        log._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115
        log.keep(f"line {number}\n" for number in range(50))
    assert [*log.last][-1] == "line 49\n"
    said = capsys.readouterr().err.splitlines()
    assert said == [f"{orchestrate.LOG}: No space left on device: it lacks lines from here on."]


def test_a_save_by_hand_without_a_repository_says_that_it_saves_nothing(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr("gc.freeze", lambda: None)  # this process goes on
    done = CliRunner().invoke(commands.app, ["save"])
    assert done.exit_code == 0
    assert "Nothing was saved: DVC keeps nothing here" in done.output


def test_sync_beside_a_run_names_it(other: subprocess.Popen) -> None:
    with pytest.raises(DataError, match=f"another run is at work .*: process {other.pid} "):
        sync.sync()


@pytest.mark.parametrize("active", [True, False])
def test_where_dvc_cannot_say_nothing_is_called_stale(
    active: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """It is asked by this Python, whether or not its environment was activated."""
    if not active:
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(DataError, match=r"^dvc status: cannot say what .*\(exit code \d+, as it"):
        sync.sync()  # no repository
    assert "not up to date" not in capsys.readouterr().out


def test_a_folder_that_somebody_only_asks_about_can_be_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock.OWNER.parent.mkdir()
    asked = open(lock.OWNER, "a")  # noqa: SIM115
    fcntl.flock(asked, fcntl.LOCK_SH)
    timer = threading.Timer(0.12, asked.close)
    timer.start()
    lock.hold(False)
    timer.join()
    assert lock.OWNER.read_text().startswith(f"process {os.getpid()} (")


def test_the_empty_folder_of_a_dry_run_is_not_called_a_lock(capsys: pytest.CaptureFixture) -> None:
    Path(".snakemake/locks").mkdir(parents=True)
    lock.OWNER.write_text("process 1 (snakemake -c 2), since yesterday")
    lock.hold(False)
    assert not Path(".snakemake/locks").exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_named(
    number: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    import errno

    from lssat.tables import refused

    error = OSError(getattr(errno, number), "")
    monkeypatch.setattr(fcntl, "flock", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(DataError, match=r"^\.snakemake/owner: the system says: .* Its file system"):
        lock.hold(False)
    assert str(refused(OSError(error.errno, ""))).startswith(f"{folder}: the system says: ")


def nobody(number: int) -> None:
    raise KeyError(number)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "USER: is not set, and uid"),
        ({"USER": "me"}, "HOME: is not set, and uid"),
        ({"USER": "me", "HOME": "/proc/1/none"}, "HOME: /proc/1/none/.cache, for Snakemake's"),
        (
            {"USER": "me", "HOME": "/tmp", "XDG_CACHE_HOME": "/proc/1/none"},
            "XDG_CACHE_HOME: /proc/1/none, for Snakemake's",
        ),
    ],
)
def test_an_account_that_snakemake_or_dvc_would_trip_over_is_said_before(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with pytest.raises(DataError) as told:
        account.check()
    assert str(told.value).startswith(said)


def test_the_folder_of_snakemake_itself_decides(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """It may lead to another disk from a home that is closed, or be root's in one that is open."""
    own = folder / ".cache/snakemake"
    own.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os, "access", lambda path, *_, **__: path == own)
    account.check()
    monkeypatch.setattr(os, "access", lambda path, *_, **__: path != own)
    with pytest.raises(DataError, match=rf"^HOME: {folder}/\.cache, .*: {own} cannot be written"):
        account.check()


def test_a_home_of_another_user_is_said(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """In a container HOME is often root's, whoever the user is."""
    real = os.stat

    def stat(path, **options):
        if f"{path}".startswith(f"{folder}/"):
            raise PermissionError(13, "Permission denied", f"{path}")
        return real(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with pytest.raises(DataError, match=rf"^HOME: .*: {folder} cannot be written"):
        account.check()


def test_a_run_that_is_refused_for_its_account_leaves_the_log_of_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orchestrate.LOG.parent.mkdir()
    orchestrate.LOG.write_text("of the last\n")
    monkeypatch.setattr(account, "_check_name", lambda: nobody(1))
    with pytest.raises(KeyError):
        orchestrate.run(1)
    assert orchestrate.LOG.read_text() == "of the last\n"


def test_an_ordinary_account_is_good(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    account.check()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which nobody takes
    account.check()


def test_steps_find_the_programs_of_this_environment_first(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / "other").mkdir()
    (folder / "other/lssat").touch(0o755)
    ours = Path(sys.executable).parent
    for path in ("/usr/bin:/bin", f"{folder}/other:{ours}", ""):
        monkeypatch.setenv("PATH", path)
        steps._own_programs_first()
        assert shutil.which("lssat") == str(ours / "lssat")
        assert os.environ["PATH"].endswith(path)
    monkeypatch.setenv("PATH", f"{folder}:{ours}")  # of others: as it is
    steps._own_programs_first()
    assert os.environ["PATH"] == f"{folder}:{ours}"
