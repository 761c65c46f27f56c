"""Cases 12 and 27: ids stay text, and a killed writer leaves the old file or none."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from helpers.steps import steps

from lssat.data import datasets
from lssat.tables import MANIFEST, TEXTURE, read_table

ODD = ["000003", "NA", "nan", "null", "1e5", "0x10", "True", "12.50", "-0", "inf"]


def test_case_12_celeba_ids_stay_text(tmp_path: Path) -> None:
    names = [f"{id}.jpg" for id in ODD]
    root = trees.celeba(tmp_path / "raw", names, "0120000000", ODD)
    found = steps(tmp_path, "celeba", trees.celeba_options(root))
    assert all(ids == sorted(names) for ids in found.values())
    groups = read_table(tmp_path / "m.parquet", MANIFEST)["group"].to_pylist()
    assert sorted(groups) == sorted(ODD)


def test_case_12_affectnet_ids_stay_text(tmp_path: Path) -> None:
    codes = {"train": {f"{n:03}": str(n) for n in range(8)}}
    codes["val"] = {f"{id}_{n}": str(n) for n in range(8) for id in ODD[:3]}
    root = trees.affectnet(tmp_path / "raw", codes)
    found = steps(tmp_path, "affectnet", trees.affectnet_options(root))
    wanted = sorted(f"{split}/{id}" for split, ids in codes.items() for id in ids)
    assert all(ids == wanted for ids in found.values())


def test_case_12_ffpp_ids_stay_text(tmp_path: Path) -> None:
    pairs = {"train": [["000003", "NA"]], "val": [["nan", "1e5"]], "test": [["null", "0x10"]]}
    root = trees.ffpp(tmp_path / "raw", pairs)
    options = trees.ffpp_options(root)
    datasets.manifest("ffpp", options, tmp_path / "m.parquet", tmp_path / "r.parquet")
    rows = read_table(tmp_path / "m.parquet", MANIFEST).to_pylist()
    ids = {row["id"] for row in rows}
    assert {"original/c23/000003", "original/c23/NA", "Deepfakes/c23/nan_1e5"} <= ids
    assert {group for row in rows for group in row["groups"]} == {
        name for listed in pairs.values() for pair in listed for name in pair
    }


# One writer, run here and, in a loop, in the process that is killed.
WRITE = """
import numpy as np
from lssat import tables

def write(folder, version):
    crops = np.full((200, 64, 64, 3), version, np.uint8)
    tables.write_shard(folder / "s.npy", crops)
    place = {"clip": -1, "shard": 0}
    rows = [{"id": f"{version}-{i}", "frame": i, "row": i} | place for i in range(3000)]
    tables.write_table(folder / "s.parquet", rows, tables.TEXTURE, {"version": str(version)})
"""
LOOP = """
import sys
from pathlib import Path
print("ready", flush=True)
while True:
    write(Path(sys.argv[1]), 1)
"""
FILES = ("s.npy", "s.parquet")


def write(folder: Path, version: int) -> None:
    names: dict = {}
    exec(WRITE, names)
    names["write"](folder, version)


def kill_a_writer(folder: Path, after: float) -> None:
    command = [sys.executable, "-c", WRITE + LOOP, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(after)
        writer.send_signal(signal.SIGKILL)


def versions(folder: Path) -> set[int]:
    """Read what stands there in full; return the versions that it is of."""
    found = set()
    if (folder / "s.npy").exists():
        crops = np.load(folder / "s.npy", allow_pickle=False)
        assert crops.shape == (200, 64, 64, 3)
        assert (crops == crops[0, 0, 0, 0]).all()
        found.add(int(crops[0, 0, 0, 0]))
    if (folder / "s.parquet").exists():
        ids = read_table(folder / "s.parquet", TEXTURE)["id"].to_pylist()
        version = ids[0].split("-")[0]
        assert ids == [f"{version}-{i}" for i in range(3000)]
        found.add(int(version))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("old", [False, True], ids=["nothing there", "an old version there"])
def test_case_27_killed_writer_leaves_the_old_file_or_none(tmp_path: Path, old: bool) -> None:
    """Writers are killed at random moments, the first ones before their first file is whole."""
    reference = tmp_path / "undisturbed"
    reference.mkdir()
    write(reference, 2)
    rng = random.Random(old)
    for trial, longest in enumerate([0.005, 0.02, 0.1]):
        folder = tmp_path / f"trial{trial}"
        folder.mkdir()
        if old:
            write(folder, 2)
        kill_a_writer(folder, rng.uniform(0, longest))
        assert versions(folder) <= ({1, 2} if old else {1})
        if old:
            assert all((folder / name).exists() for name in FILES)
        write(folder, 2)
        for name in FILES:
            assert (folder / name).read_bytes() == (reference / name).read_bytes()
