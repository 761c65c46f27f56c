"""What the workers of a session share is made by one of them (helpers/once.py)."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import once


@pytest.fixture
def factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of a worker: its folder lies beside those of the others."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    return SimpleNamespace(getbasetemp=lambda: tmp_path / f"worker-{os.getpid()}")


def test_of_workers_that_ask_at_once_one_makes_it_and_all_have_it(
    factory: Any, tmp_path: Path
) -> None:
    def make(folder: Path) -> None:
        with open(tmp_path / "makers", "a") as makers:
            makers.write(f"{os.getpid()}\n")
        (folder / "file").write_text("whole")

    workers = []
    for _ in range(4):
        if not (worker := os.fork()):
            read = (once.made(factory, "shared", make) / "file").read_text()
            os._exit(read != "whole")
        workers.append(worker)
    assert [os.waitpid(worker, 0)[1] for worker in workers] == [0] * 4
    assert len((tmp_path / "makers").read_text().splitlines()) == 1


def test_what_could_not_be_made_is_made_anew(factory: Any) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        sys.exit("no")

    with pytest.raises(SystemExit, match="no"):
        once.made(factory, "shared", fail)
    folder = once.made(factory, "shared", lambda folder: (folder / "whole").touch())
    assert [file.name for file in folder.iterdir()] == ["whole"]
