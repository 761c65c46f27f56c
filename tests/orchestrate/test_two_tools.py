"""What keeps Snakemake and DVC apart: who holds the folder, what only looks, what failed last.

The whole, with the real programs, is tried in tests/workflow and benchmarks/two_tools.py.
"""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from helpers.waiting import ended, until

from lssat.orchestrate import failures, guard, lock, restore
from lssat.orchestrate.events import Words
from lssat.orchestrate.hooks import looks, make_writable
from lssat.orchestrate.save import Made
from lssat.tables import DataError

HOLD = (
    "import sys; from lssat.orchestrate import lock; lock.hold(False);"
    " print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    while lock._held:
        lock._held.pop().close()


def holder() -> subprocess.Popen:
    """Another process that holds the current folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    "arguments",
    ["-n", "--dry-run", "--dryrun", "-nq", "-pn", "--lint", "--unlock", "--dag", "--summary",
     "--report results/snakemake.zip", "--list-rules", "-l", "-D", "--cores 8 -n"],
)  # fmt: skip
def test_a_snakemake_that_only_looks_takes_no_folder(arguments: str) -> None:
    assert looks(arguments.split())


@pytest.mark.parametrize(
    "arguments",
    ["", "--cores 8", "-c 8 -k", "-p --cores all", "--allowed-rules train -- runs/x/record.json",
     "-j4", "-s Snakefile", "--touch --forceall", "-R train", "--nolock", "--notemp"],
)  # fmt: skip
def test_a_snakemake_that_works_takes_it(arguments: str) -> None:
    assert not looks(arguments.split())


def test_fault_f1_a_live_run_is_named_and_a_dead_ones_locks_are_taken_over(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    process = holder()
    locks = folder / ".snakemake/locks"
    locks.mkdir()
    (locks / "0.input.lock").write_text("data\n")
    with pytest.raises(DataError) as told:
        lock.hold(False)
    assert f"another run is at work in this folder: process {process.pid} (" in str(told.value)
    assert "Wait until it has ended, or stop it." in str(told.value)
    assert locks.exists()
    end(process)
    lock.hold(False)
    assert not locks.exists()
    assert f"locks left by process {process.pid} (" in capsys.readouterr().err
    assert lock.OWNER.read_text().startswith(f"process {os.getpid()} (")


def test_fault_f1_steps_of_a_killed_run_are_waited_for(
    folder: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock.STEPS.parent.mkdir()
    lock.STEPS.touch()
    code = (
        "import fcntl, sys; file = open('.snakemake/steps'); fcntl.flock(file, fcntl.LOCK_SH);"
        " print('held', flush=True); sys.stdin.read()"
    )
    step = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert step.stdout is not None
    assert step.stdout.readline() == "held\n"
    # It works until somebody waits for it.
    monkeypatch.setattr(lock.time, "sleep", lambda seconds: step.communicate())
    lock.hold(False)
    assert f"Waiting for steps of an earlier run: process {step.pid}." in capsys.readouterr().err
    assert step.returncode == 0


def test_fault_f13_a_dvc_command_at_work_is_named(folder: Path) -> None:
    (folder / ".dvc/tmp").mkdir(parents=True)
    assert lock.dvc_at_work() is None
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    entry = {"pid": other.pid, "cmd": "/bin/dvc repro"}
    for content in ({"write": {"runs": entry}, "read": {}}, {"write": {}, "read": {"x": [entry]}}):
        (folder / ".dvc/tmp/rwlock").write_text(json.dumps(content))
        with pytest.raises(DataError, match=rf"process {other.pid} \(/bin/dvc repro\)"):
            lock.hold(False)
    lock.hold(True)  # this Snakemake is a stage of it
    other.communicate(b"\n")
    assert lock.dvc_at_work() is None  # it has ended


def test_a_step_ends_with_the_process_that_started_it(folder: Path) -> None:
    step = (
        "import sys, time; from lssat.orchestrate import steps; steps.follow();"
        "print('works', flush=True); time.sleep(3000)"
    )
    lead = (
        "import subprocess, sys; from lssat.orchestrate import steps; steps.lead();"
        f"step = subprocess.Popen([sys.executable, '-c', {step!r}]); print(step.pid, flush=True);"
        "step.wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", lead], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert process.stdout.readline() == "works\n"
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: ended(pid), "the step's end")


MANY = [f"runs/celeba/vit_micro/MRGB-RLDP-CRGB/seed{seed}/record.json" for seed in range(60)]


@pytest.mark.parametrize(
    "words", [['a "quoted" \\ name', "#: {x}"], MANY, ["a\nb", "\x07", "results/\udcff"]]
)
def test_the_guard_is_a_sentence_that_any_yaml_reader_reads(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Whatever was typed: many targets, a name that is not UTF-8, a control character."""
    monkeypatch.setattr(sys, "argv", ["snakemake", *words])
    lock.hold(False)
    guard.put()
    assert guard.there()
    ((said, empty),) = yaml.safe_load(guard.FILE.read_text()).items()
    assert empty == {}
    assert said.startswith(f"Snakemake is at work here, process {os.getpid()} (snakemake ")
    assert said.endswith("`lssat save` only saves them.")
    assert lock.OWNER.read_text().split(", since")[0] in said
    guard.remove()
    guard.remove()
    assert not guard.FILE.parent.exists()


def stage(name: str, cmd: str, *outs: str) -> SimpleNamespace:
    return SimpleNamespace(
        name=name, cmd=cmd, outs=[SimpleNamespace(fs_path=os.path.abspath(out)) for out in outs]
    )


def test_a_stage_is_vouched_for_only_if_all_its_files_are_in_step(folder: Path) -> None:
    faces = stage("faces@a", "snakemake -- faces_a", "data/prepared/a/faces")
    one, two = "data/prepared/a/faces/0.npy", "data/prepared/a/faces/1.npy"
    assert Made(fresh=frozenset({one, two})).vouches(faces)
    assert not Made(fresh=frozenset({one}), stale=frozenset({two})).vouches(faces)
    assert not Made().vouches(faces)
    assert not Made(fresh=frozenset({"data/prepared/a/faces.txt"})).vouches(faces)
    gallery = stage("gallery", "snakemake --force -- results/local/gallery.html")
    assert Made(fresh=frozenset({"results/local/gallery.html"})).vouches(gallery)
    assert not Made(done=frozenset({one})).has_made(gallery)
    assert Made(done=frozenset({one})).has_made(faces)


@pytest.mark.parametrize(
    ("config", "runs", "asks"),
    [
        ("[core]\n", False, False),
        ("[core]\n", True, True),
        ('[cache]\n    dir = "/elsewhere"\n', False, True),
        ("no configuration", False, True),
        (None, True, False),
    ],
)
def test_the_run_cache_is_asked_where_it_may_hold_something(
    folder: Path, config: str | None, runs: bool, asks: bool
) -> None:
    (folder / ".dvc").mkdir()
    if config is not None:
        (folder / ".dvc/config").write_text(config)
    if runs:
        (folder / ".dvc/cache/runs").mkdir(parents=True)
    assert restore.worth_asking() is asks


def test_a_linked_output_can_be_replaced_again(folder: Path) -> None:
    file = folder / "runs/a/weights.safetensors"
    file.parent.mkdir(parents=True)
    file.touch(0o444)
    (folder / "raw.jpg").touch(0o444)  # not Snakemake's
    make_writable()
    assert file.stat().st_mode & 0o777 == 0o644
    assert (folder / "raw.jpg").stat().st_mode & 0o777 == 0o444


LOG = """celeba: 1 of 2 runs
data/prepared/celeba/faces/shard-00000.npy: has sha256 0f. Rebuild it:
  lssat faces ...
"""
CRASH = """epoch 1 of 5
Traceback (most recent call last):
  File "x.py", line 1, in <module>
ValueError: negative dimensions
"""


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (LOG, ["data/prepared/celeba/faces/shard-00000.npy: has sha256 0f. Rebuild it:",
               "  lssat faces ..."]),
        (CRASH, ["An error in the program itself; the log has the traceback:",
                 "ValueError: negative dimensions"]),
        ("", ["ended without a word"]),
        (None, ["ended without a word"]),
    ],
)  # fmt: skip
def test_fault_f11_what_failed_is_each_steps_own_message(
    folder: Path, capsys: pytest.CaptureFixture, log: str | None, said: list[str]
) -> None:
    if log is not None:
        Path("step.log").write_text(log)
    job = SimpleNamespace(rule="train", wildcards=["celeba", "0"], log=["step.log"])
    failures.tell([job], None)
    lines = ["What failed:", "  train celeba 0: step.log", *(f"    {line}" for line in said)]
    assert capsys.readouterr().err.splitlines() == lines


REFUSED = "SLURM sbatch failed. The error message was 'sbatch: error: Invalid account'."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (Words(REFUSED, True), [REFUSED, "it wrote no log in this run: step.log is an earlier"]),
        (Words("", True), ["it wrote no log in this run: step.log is an earlier one's"]),
        (Words("SLURM status is: 'OUT_OF_MEMORY'.", False),
         ["SLURM status is: 'OUT_OF_MEMORY'.", "vit_micro: 4.41 ms for one"]),
    ],
)  # fmt: skip
def test_an_earlier_log_is_no_message_of_a_job_that_wrote_none(
    folder: Path, capsys: pytest.CaptureFixture, words: Words, said: list[str]
) -> None:
    Path("step.log").write_text("vit_micro: 4.41 ms for one\n")
    job = SimpleNamespace(rule="speed", wildcards=[], log=["step.log"])
    failures.tell([job], None, {"step.log": words})
    lines = capsys.readouterr().err.splitlines()[2:]
    assert len(lines) == len(said)
    assert all(line.startswith(f"    {each}") for line, each in zip(lines, said, strict=True))


@pytest.mark.parametrize("number", ["ENOSPC", "EDQUOT"])
def test_a_log_that_the_disk_had_no_room_for_is_told(
    folder: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    def full(**_: object) -> None:
        raise OSError(getattr(errno, number), "", "logs/x")

    Path("step.log").touch()
    monkeypatch.setattr(failures.tempfile, "TemporaryFile", full)
    failures.tell([SimpleNamespace(rule="track", wildcards=[], log=["step.log"])], None)
    lines = capsys.readouterr().err.splitlines()
    assert lines[2] == "    ended without a word"
    assert lines[3].startswith("    logs/x: the system says: ")
    assert "Free space, or " in lines[3]


def test_of_a_log_that_is_elsewhere_its_address_is_said(capsys: pytest.CaptureFixture) -> None:
    address = "s3://lssat/project/logs/train.log"
    log = SimpleNamespace(is_storage=True, storage_object=SimpleNamespace(query=address))
    failures.tell([SimpleNamespace(rule="train", wildcards=[], log=[log])], None)
    said = capsys.readouterr().err.splitlines()
    assert said[1:] == [f"  train: {address}", f"    {failures.ELSEWHERE}"]
