"""Cases 28 and 30: a full disk or a read-only folder stops every writer and loses nothing."""

import errno
import importlib
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from helpers import ROOT
from helpers.training import RUN, command

from lssat.cli.commands import app
from lssat.data import sample
from lssat.data.sample import celeba
from lssat.models.checkpoint import Checkpoints, save_weights
from lssat.orchestrate import run as orchestrate
from lssat.tables import (
    TEXTURE,
    DataError,
    atomic,
    check_writable,
    together,
    whole_folder,
    write_csv,
    write_json,
    write_shard,
    write_table,
    write_text,
)
from lssat.tracking import runs as tracking

SIZE = 2**20  # of the disk
NOBODY = 65534


def _table(folder: Path, size: int) -> None:
    draw = np.random.default_rng(0)
    rows = [
        dict(id=draw.bytes(20).hex(), frame=0, clip=-1, shard=0, row=row)
        for row in range(size // 40)
    ]
    write_table(folder / "t.parquet", rows, TEXTURE)


def _state(folder: Path, size: int) -> None:
    Checkpoints(folder, "key").save(size, {"w": torch.ones(size // 4)}, {"done": size})


def _stream(folder: Path, size: int) -> None:
    with atomic(folder / "figures.pdf") as file:
        for _ in range(size // 1000):
            file.write(bytes(1000))


WRITERS: dict[str, Callable[[Path, int], object]] = {
    "shard": lambda folder, size: write_shard(folder / "s.npy", np.ones(size, np.uint8)),
    "table": _table,
    "weights": lambda folder, size: save_weights(
        folder / "w.safetensors", {"w": torch.ones(size // 4)}, {}
    ),
    "state": _state,
    "metrics": lambda folder, size: write_json(folder / "metrics.json", {"a": "x" * size}),
    "curve": lambda folder, size: write_csv(folder / "curve.csv", ["a"], [["x" * size]]),
    "report": lambda folder, size: write_text(folder / "report.html", "x" * size),
    "figures": _stream,
}


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A disk of one mebibyte; only root may mount one."""
    folder.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
    if os.geteuid() or subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    """What a folder holds: bytes and time of each file, and of each folder its time."""
    return {
        str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in [folder, *folder.rglob("*")]
    }


def files(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refused(kind: str, folder: Path) -> tuple[int, int]:
    """Write more than the disk holds; return the bytes said to be needed, and those free."""
    write = WRITERS[kind]
    write(folder, 4000)
    before = files(folder)
    assert before
    with pytest.raises(DataError) as caught:
        write(folder, 3 * SIZE)
    assert files(folder) == before  # no temporary file either
    assert caught.value.file.startswith(str(folder))
    said = caught.value.problem.removeprefix("cannot be written: No space left on device (needs ")
    needed, free = said.removesuffix(" bytes free)").split(" bytes, ")
    assert needed.startswith("more than ") == (kind == "figures")  # the only one that streams
    return int(needed.removeprefix("more than ").replace(",", "")), int(free.replace(",", ""))


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITERS)
def test_case_28_a_full_disk_is_named_with_what_is_needed_and_the_old_file_stays(
    tmp_path: Path, kind: str
) -> None:
    with disk(tmp_path / "disk") as folder:
        needed, free = refused(kind, folder)
        assert 0.9 * SIZE < free < SIZE  # without the half of a file, which is gone
        assert needed >= free


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITERS)
def test_case_28_the_bytes_needed_are_those_of_the_file(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a disk of its own: the system says that it is full when the file is complete."""
    WRITERS[kind](tmp_path / "whole", 3 * SIZE)
    size = max(len(data) for data in files(tmp_path / "whole").values())

    def full(descriptor: int) -> None:
        if os.fstat(descriptor).st_size > 2 * SIZE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "disk").mkdir()
    needed, free = refused(kind, tmp_path / "disk")
    assert needed == size
    assert abs(free - shutil.disk_usage(tmp_path).free) < 2**30


def _two(folder: Path, size: int) -> None:
    with together():
        write_json(folder / "audit.json", {"a": size})
        write_shard(folder / "shard.npy", np.ones(size, np.uint8))


def _tree(folder: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample's tree, of one file."""

    def draw(made: Path, seed: int) -> None:
        (made / celeba.TOP[0]).mkdir()
        (made / celeba.TOP[0] / "1.jpg").write_bytes(bytes(size))

    monkeypatch.setattr(celeba, "draw", draw)
    sample.write("celeba", folder / "celeba", folder / "celeba.json", seed=size)


@pytest.mark.parametrize("many", ["two files", "tree"])
def test_fault_f7_on_a_full_disk_no_output_of_a_step_is_replaced(
    tmp_path: Path, many: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full: list[Path] = []

    def step(folder: Path, size: int) -> None:
        _two(folder, size) if many == "two files" else _tree(folder, size, monkeypatch)

    def check(folder: Path) -> None:
        step(folder, 4000)
        before = content(folder)
        with pytest.raises(
            DataError, match=r"cannot be written: No space left .*unchanged"
        ) as told:
            step(folder, 3 * SIZE)
        assert " bytes free)" in told.value.problem
        assert {k: v[0] for k, v in content(folder).items()} == {k: v[0] for k, v in before.items()}
        full.append(folder)

    with disk(tmp_path / "disk") as folder:
        check(folder)
    assert full


def test_fault_f7_all_that_was_asked_for_is_counted_as_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a disk of its own: the second file finds it full."""
    _two(tmp_path, 1000)
    before = files(tmp_path)

    def full(descriptor: int) -> None:
        if os.fstat(descriptor).st_size > 5000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"shard\.npy: cannot be written: No space left") as told:
        _two(tmp_path, 9000)
    first = len(before[str(tmp_path / "audit.json")])
    assert f"(needs {first + 128 + 9000:,} bytes, " in told.value.problem
    assert files(tmp_path) == before


def test_fault_f7_files_appear_together_at_the_end_or_not_at_all(tmp_path: Path) -> None:
    @together()
    def stopped() -> None:
        write_text(tmp_path / "a", "new")
        with whole_folder(tmp_path / "tree") as made:
            write_text(made / "leaf", "new")
            assert (made / "leaf").read_text() == "new"  # in a new folder it can be read back
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stopped()
    assert list(tmp_path.iterdir()) == []
    for text in ("one", "two"):
        with together():
            write_text(tmp_path / "a", text)
            with whole_folder(tmp_path / "tree") as made:
                write_text(made / text, text)
            with together():  # a part of the whole
                write_text(tmp_path / "b", text)
            assert not (tmp_path / "tree" / text).exists()
            assert text == "one" or (tmp_path / "b").read_text() == "one"
        found = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")}
        assert found == {"a", "b", "tree", f"tree/{text}"}
    (tmp_path / "a").unlink()
    (tmp_path / "a").mkdir()

    @together()
    def onto_a_folder() -> None:
        write_text(tmp_path / "b", "three")
        write_text(tmp_path / "a", "three")

    with pytest.raises(DataError, match="it is a folder"):
        onto_a_folder()
    assert (tmp_path / "b").read_text() == "two"


STEPS = {  # of more than one output
    "data.datasets.write", "data.faces.crop_shard", "data.texture.write_shard",
    "data.splits.write", "data.audit.leaks.audit", "data.audit.lookalikes.lookalikes",
    "data.audit.across.across", "data.sample.write", "training.train._write",
    "evaluation.evaluate.evaluate", "evaluation.explain.examine",
    "evaluation.sensitivity.sensitivity", "report.write",
}  # fmt: skip


@pytest.mark.parametrize("step", sorted(STEPS))
def test_fault_f7_each_step_of_several_outputs_writes_them_together(step: str) -> None:
    module, _, name = step.rpartition(".")
    source = inspect.getsource(getattr(importlib.import_module(f"lssat.{module}"), name))
    assert "together()" in source


@pytest.mark.skipif(os.geteuid() == 0, reason="root mounts disks as it is")
def test_case_28_30_disks_are_mounted_in_a_namespace_of_ones_own() -> None:
    unshare = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    line = [*unshare, sys.executable, "-m", "pytest", "-q", __file__, "-p", "no:cacheprovider"]
    subprocess.run([*line, "-k", "a_full_disk or file_system"], check=True, cwd=ROOT)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write into any folder: be somebody else for a while."""
    root = not os.geteuid()
    if root:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that everyone can reach (pytest's own are shut to others); `shut` in it is shut."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for each in ("shut", "shut/old", "open"):
            (folder / each).mkdir()
        for each in ("shut/old/report.html", "shut/metrics.json", "open/a file"):
            (folder / each).write_text("from before")
        (folder / "open").chmod(0o777)
        for each in ("shut/old", "shut"):
            (folder / each).chmod(0o555)
        yield folder
        for each in ("shut", "shut/old"):
            (folder / each).chmod(0o755)


def _outputs() -> Iterator[tuple[str, str]]:
    """Each option of each command that is held to be writable before anything runs."""
    for name, command_ in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for each in command_.params:
            if each.callback is not None and each.opts[0] != "--device":  # which is checked too
                yield name, each.opts[0]


OUTPUTS = list(_outputs())
# What a command is given beside its paths.
GIVEN = {
    "--task": "ffpp",
    "--dataset": "ffpp",
    "--run": "ffpp/vit_micro/MRGB-RLDP-CRGB/seed0",
    "--again": "ffpp/vit_micro/MRGB-RLDP-CRGB-lambda0.1/seed0",
    "--variant": "margin-1.6",
    "--tree": "ffpp",
    "--preset": "sample",
    "--shard": "0",
    "--params": str(ROOT / "params.yaml"),
}
STEPS = {name for name, each in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
         if any("--project" in param.opts for param in each.params)} - {"rejects"}  # fmt: skip


def line_of(name: str, place: Path, at: dict[str, Path]) -> list[str]:
    """Return a command line that no input exists for: outputs are looked at before anything."""
    line = [name]
    for each in typer.main.get_command(app).commands[name].params:  # type: ignore[attr-defined]
        option = each.opts[0]
        if each.param_type_name == "argument":
            line += [str(place / "absent")] * (1 if each.required else 0)
        elif option in at:
            line += [option, str(at[option])]
        elif (name, option) in OUTPUTS and each.name != "json_":
            line += [option, str(place / "open" / "made" / option.strip("-"))]
        elif each.required or option == "--params":
            line += [option, GIVEN.get(option, str(place / "absent"))]
    return line


@pytest.mark.parametrize(("name", "option"), OUTPUTS, ids=[" ".join(each) for each in OUTPUTS])
def test_case_30_each_output_of_each_command_is_refused_at_the_start(
    place: Path, name: str, option: str
) -> None:
    before = content(place)
    for file in (place / "shut/new", place / "shut/not/there/yet"):
        with pytest.raises(DataError) as caught, ordinary_user():
            app(line_of(name, place, {option: file}), standalone_mode=False)
        assert caught.value.file == str(file)
        why = f"({place / 'shut'} belongs to uid {os.getuid()}, dr-xr-xr-x)"
        assert caught.value.problem == f"cannot be written: Permission denied {why}"
        uid = os.getuid() or NOBODY
        fix = f"Make it writable for uid {uid}, or choose another folder"
        assert caught.value.fix == f"{fix}; what stood there before is unchanged"
    with pytest.raises(DataError) as caught:
        app(line_of(name, place, {option: place / "open/a file/x"}), standalone_mode=False)
    problem = f"cannot be written: {place / 'open/a file'} is a file, not a folder"
    assert (caught.value.file, caught.value.problem) == (str(place / "open/a file/x"), problem)
    assert content(place) == before


def test_case_30_no_command_that_writes_is_left_out() -> None:
    held = {name for name, _ in OUTPUTS}
    every = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    # run: see below. sync, save and restore write through Snakemake and DVC; the rest nothing.
    # weights: see below, too.
    others = {"run", "sync", "save", "restore", "show", "check", "rejects", "weights"}
    assert every - held - STEPS == others
    for name in every - {"weights"}:
        for each in typer.main.get_command(app).commands[name].params:  # type: ignore[attr-defined]
            said = getattr(each, "help", None) or ""
            if each.opts[0] in ("--out", "--json", "--pictures") or " to write" in said:
                assert (name, each.opts[0]) in OUTPUTS


def test_case_30_where_converted_weights_would_go_is_looked_at_first(place: Path) -> None:
    before = content(place)
    with pytest.raises(DataError) as caught, ordinary_user():
        app(["weights", "convert", "absent.pth", str(place / "shut/new")], standalone_mode=False)
    assert caught.value.file == str(place / "shut/new")
    assert "cannot be written: Permission denied" in caught.value.problem
    assert content(place) == before


@pytest.mark.parametrize("name", sorted(STEPS - {"digest", "repeat", "knn"}))
def test_case_30_a_step_that_cannot_write_its_outputs_says_so_at_the_start(
    place: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Before it looks for an input: there is none."""
    monkeypatch.chdir(place)
    before = content(place)
    line = [*line_of(name, place, {}), "--project", str(place / "shut")]
    with pytest.raises(DataError) as caught, ordinary_user():
        app(line, standalone_mode=False)
    assert (
        f"cannot be written: Permission denied (. belongs to uid {os.getuid()}"
        in caught.value.problem
    )
    assert content(place) == before


def test_case_30_training_ends_before_its_first_epoch(place: Path, tmp_path: Path) -> None:
    """As a user starts it: one line on stderr; the data are not even looked for."""
    start = "from lssat.cli import commands, main; import os; "  # imports are those of the caller
    start += f"os.geteuid() or os.seteuid({NOBODY}); main()"
    words = command(tmp_path, tmp_path / "out", "--project", str(place / "shut"))[3:]
    line = [sys.executable, "-c", start, *words]
    before = content(place)
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    first = f"runs/{RUN.path}/weights.safetensors: cannot be written: Permission denied ("
    assert done.stderr.startswith(first)
    assert done.stderr.count("\n") == 1
    assert content(place) == before


def test_case_30_states_of_somebody_else_are_not_written_over(place: Path) -> None:
    states = Checkpoints(place / "shut/old", "key")
    with pytest.raises(DataError) as caught, ordinary_user(), states.locked():
        pass
    assert f"{place}/shut/old/.lock: cannot be written: Permission denied" in str(caught.value)


def test_case_30_a_database_that_is_read_only(place: Path) -> None:
    database = place / "open/mlflow.db"
    database.touch(mode=0o444)
    with pytest.raises(DataError) as caught, ordinary_user():
        tracking.connect(None, database, "name", place / "open/artifacts")
    assert str(caught.value).startswith(f"{database}: cannot be written: it is read-only. Make it")
    assert not database.with_name("mlflow.db.lock").exists()
    with pytest.raises(DataError, match=r"shut/m\.db: cannot be written: Perm"), ordinary_user():
        tracking.connect(None, place / "shut/m.db", "name", place / "open/artifacts")
    database.unlink()


def test_case_30_run_ends_before_snakemake(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestrate, "LOG", place / "shut/logs/snakemake.log")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "open"))  # this user may write there
    with pytest.raises(DataError, match="cannot be written: Permission"), ordinary_user():
        orchestrate.run(1)


def test_case_30_a_read_only_file_system(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as folder:
        write_text(folder / "old", "old")
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        for path in (folder / "old", folder / "new", folder / "a/b/c"):
            for write in (check_writable, lambda path: write_text(path, "new")):
                with pytest.raises(DataError) as caught:
                    write(path)
                said = f"{path}: cannot be written: Read-only file system ({folder} belongs to"
                assert str(caught.value).startswith(said)
        assert files(folder) == {str(folder / "old"): b"old"}


def test_case_30_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    for write in (check_writable, lambda path: write_json(path, {})):
        with pytest.raises(DataError) as caught:
            write(tmp_path)
        assert str(caught.value) == f"{tmp_path}: cannot be written: it is a folder. Name a file."
    assert list(tmp_path.iterdir()) == []
    check_writable(tmp_path, folder=True)
    check_writable(tmp_path / "a/b", folder=True)
    assert list(tmp_path.iterdir()) == []
