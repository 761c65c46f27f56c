"""Case 28: a full disk stops every writer with file and bytes free, and loses nothing."""

import gc
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from lssat.checkpoint import Checkpoints, save_weights
from lssat.tables import TEXTURE, DataError, atomic, write_json, write_shard, write_table

SIZE = 2**20  # of the disk


def _table(folder: Path, size: int) -> None:
    rows = [
        dict(id=os.urandom(20).hex(), frame=0, clip=-1, shard=0, row=row)
        for row in range(size // 40)
    ]
    write_table(folder / "t.parquet", rows, TEXTURE)


def _report(folder: Path, size: int) -> None:
    with atomic(folder / "report.html", "w") as file:
        file.write("x" * size)


def _state(folder: Path, size: int) -> None:
    Checkpoints(folder, "key").save(size, {"w": torch.ones(size // 4)}, {"done": size})


WRITERS: dict[str, Callable[[Path, int], object]] = {
    "shard": lambda folder, size: write_shard(folder / "s.npy", np.ones(size, np.uint8)),
    "table": _table,
    "weights": lambda folder, size: save_weights(
        folder / "w.safetensors", {"w": torch.ones(size // 4)}, {}
    ),
    "state": _state,
    "metrics": lambda folder, size: write_json(folder / "metrics.json", {"a": "x" * size}),
    "report": _report,
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one mebibyte; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
    if os.geteuid() or subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("a disk cannot be mounted here")
    yield folder
    # pyarrow's writer goes with the exception that holds it, and formats one of its own: not in
    # the midst of an import, where CPython 3.11's ast.parse may not be entered twice.
    gc.collect()
    subprocess.run(["umount", str(folder)], check=True)


def content(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("kind", WRITERS)
def test_case_28_a_full_disk_is_named_and_the_old_file_stays(disk: Path, kind: str) -> None:
    write = WRITERS[kind]
    write(disk, 4000)
    before = content(disk)
    assert before
    with pytest.raises(DataError) as caught:
        write(disk, 3 * SIZE)
    said = str(caught.value)
    assert said.startswith(str(disk))
    assert "cannot be written: No space left on device (" in said
    assert " bytes free)" in said
    assert content(disk) == before  # no temporary file either
