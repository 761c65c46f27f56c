"""The faces step takes less than 2 GiB a process, whatever the size of the shard and the data."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, trees

from lssat import tables
from lssat.data.faces import _samples
from lssat.tables import MANIFEST

pytestmark = pytest.mark.slow

LIMIT = 2 * 2**30
MEASURE = """
import json, resource, sys
from pathlib import Path
from helpers import ROOT, trees
from lssat.data import faces
folder, kind, counts = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
options = trees.ffpp_options(folder, frames=1) if kind == "video" else trees.celeba_options(folder)
settings = trees.FACES.model_copy(update={"size": 224, "min_face_size": 20.0})
peaks = []
for count in counts:
    out = [folder / f"{count}{end}" for end in (".npy", ".parquet", ".rejects.parquet")]
    faces.crop_shard(folder / f"m{count}.parquet", kind, options, settings, 0, *out)
    own = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    decoder = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peaks.append([own * 1024, decoder * 1024])
print(json.dumps(peaks))
"""


def listed(folder: Path, media: str, count: int) -> None:
    """A manifest in which one file stands under many ids."""
    row = {"dataset": "x", "path": "file", "media": media, "labels": [0], "subset": ""}
    row |= {"split": "train", "groups": ["g"], "group": "g", "box": []}
    tables.write_table(
        folder / f"m{count}.parquet", [row | {"id": f"{n:06d}"} for n in range(count)], MANIFEST
    )


def measured(folder: Path, media: str, *counts: int) -> list[list[int]]:
    """Make shards of so many samples, one after the other, in one process.

    Returns:
        the peak memory in bytes of the process, and of its decoders, after each shard.
    """
    command = [sys.executable, "-c", MEASURE, str(folder), media, *map(str, counts)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "tests", check=True)
    for count in counts:
        assert len(np.load(folder / f"{count}.npy", mmap_mode="r")) == count
    return json.loads(done.stdout)


def test_memory_does_not_grow_with_the_number_of_samples(tmp_path: Path) -> None:
    """800 crops more are 120 MB of pixels."""
    trees.jpeg(tmp_path / "file", trees.picture(0))
    for count in (100, 900):
        listed(tmp_path, "image", count)
    peaks = measured(tmp_path, "image", 100, 900)
    own, decoder = np.subtract(peaks[1], peaks[0]) / 2**20
    assert own < 40
    assert decoder < 40


def test_the_largest_frame_that_is_allowed_stays_below_2_gib(tmp_path: Path) -> None:
    frame = np.full((3072, 4096, 3), 128, np.uint8)
    frame[1000:1600, 2000:2600] = trees.face(1, 600)
    trees.motion_jpeg(tmp_path / "file", [frame])
    listed(tmp_path, "video", 1)
    (peaks,) = measured(tmp_path, "video", 1)
    assert max(peaks) < LIMIT


def test_a_shards_samples_are_those_of_its_hash_sorted(tmp_path: Path) -> None:
    listed(tmp_path, "image", 1000)
    parts = [_samples(tmp_path / "m1000.parquet", 8, shard)["id"].to_pylist() for shard in range(8)]
    assert all(part == sorted(part) for part in parts)
    assert all(tables.shard_of(id, 8) == k for k, part in enumerate(parts) for id in part)
    assert sorted(id for part in parts for id in part) == [f"{n:06d}" for n in range(1000)]
