"""Small prepared data drawn by code: shards of crops and codes with their tables, and splits."""

from pathlib import Path

import numpy as np
import skimage.data

from lssat import tables, texture
from lssat.grid import releases

SIZE = 40
SETTINGS = '{"margin": 1.3, "boxes": "whole image"}'  # what made the crops


def crops(count: int, seed: int = 0) -> np.ndarray:
    """Windows (N, 40, 40, 3) uint8 of a real photograph, half of them made darker."""
    photo, draw = skimage.data.astronaut(), np.random.default_rng(seed)
    places = draw.integers(0, 512 - SIZE, (count, 2))
    cut = np.stack([photo[y : y + SIZE, x : x + SIZE] for y, x in places])
    cut[1::2] //= 3
    return cut


def write(
    folder: Path,
    counts: dict[str, int],
    outputs: int = 1,
    multiclass: int = 0,
    odd: dict[int, str] | None = None,
    kind: str = "ldp",
) -> None:
    """Write faces/, texture/ and splits/ below `folder`, in two shards; label 1 is dark.

    `odd` gives samples, by number, another id than their number.
    """
    ids = {i: f"{i:06d}" for i in range(sum(counts.values()))} | (odd or {})
    total = sum(counts.values())
    imgs = crops(total)
    shard, row = np.arange(total) % 2, np.arange(total) // 2
    for number in range(2):
        rows = [
            dict(id=ids[i], frame=0, clip=-1, shard=number, row=int(row[i]))
            for i in range(total)
            if shard[i] == number
        ]
        part = imgs[shard == number]
        vouched = ""
        for name, array in (("faces", part), ("texture", texture.codes(part, kind, 3))):
            file = folder / name / f"shard-{number:05d}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)
            head = {"sha256": tables.write_shard(file, array), "kind": kind, "k": "3"}
            head |= {"spec": texture.SPEC, "faces_sha256": vouched}
            schema, full = tables.TEXTURE, rows
            if name == "faces":
                head["settings"] = SETTINGS
                vouched = head["sha256"]
                rest = dict(box=[], landmarks=[], score=1.0, n_faces=1, n_frames=1)
                rest |= dict(sha256="", phash=0)
                schema, full = tables.FACES, [each | rest for each in rows]
            tables.write_table(file.with_suffix(".parquet"), full, schema, head)
    kind = "multiclass" if multiclass else "binary" if outputs == 1 else "multilabel"
    known = next(task for task in releases.TASKS.values() if task.kind == kind)
    task = known._replace(classes=known.classes[: multiclass or max(outputs, 2)])
    start = 0
    for split, count in counts.items():
        rows = [
            dict(
                id=ids[i], frame=0, clip=-1, shard=int(shard[i]), row=int(row[i]), subset="",
                labels=[i % multiclass] if multiclass else [int(i % 2)] * outputs,
                split=split, group=f"{i:06d}", seed=0,
            )
            for i in range(start, start + count)
        ]  # fmt: skip
        tables.write_table(
            folder / "splits" / f"{split}.parquet", rows, tables.SPLITS, task.header()
        )
        start += count
