"""Drawn crops with landmarks, of a task of real and fake."""

from pathlib import Path

import numpy as np

from helpers.drawn_data import SIZE
from helpers.drawn_data import write as write_drawn
from lssat import tables
from lssat.data.blending import Reals, hull
from lssat.data.shards import Shards
from lssat.tables.project import Data

__all__ = ["LANDMARKS", "SIZE", "reals", "write"]

BOX = [10.0, 20.0, 10.0 + 2 * SIZE, 20.0 + 2 * SIZE]  # of the crop in the frame
LANDMARKS = hull.FIVE * 9 + (SIZE / 2, 15)


def write(
    folder: Path, counts: dict[str, int], undetected: str = "", group: str | None = None
) -> None:
    """Write what `drawn_data.write` does, with landmarks; odd numbers are fakes.

    Args:
        undetected: an id whose landmarks are absent.
        group: of all samples; None: each its own.
    """
    write_drawn(folder, counts)
    found = (LANDMARKS * 2 + BOX[:2]).ravel().tolist()
    for file in sorted((folder / "faces").glob("*.parquet")):
        table = tables.read_table(file, tables.FACES)
        rows = [
            {**row, "box": BOX, "landmarks": [] if row["id"] == undetected else found}
            for row in table.to_pylist()
        ]
        head = tables.metadata(table)
        tables.write_table(file, rows, tables.FACES, head)
    for split in counts if group else ():
        file = folder / "splits" / f"{split}.parquet"
        table = tables.read_table(file, tables.SPLITS)
        rows = [{**row, "group": group} for row in table.to_pylist()]
        tables.write_table(file, rows, tables.SPLITS, tables.metadata(table))


def reals(folder: Path, kind: str) -> Reals:
    """Open the real crops of the training split."""
    file = Data(folder).splits.train
    used = tables.read_table(file, tables.SPLITS)
    return Reals(used, Shards(folder / "faces", used, file), kind, file)


def repaint(folder: Path, seed: int) -> None:
    """Give every fake other pixels, and vouch for them."""
    for file in sorted((folder / "faces").glob("*.npy")):
        table = tables.read_table(file.with_suffix(".parquet"), tables.FACES)
        crops = np.load(file)
        fakes = [row["row"] for row in table.to_pylist() if int(row["id"]) % 2]
        draw = np.random.default_rng(seed)
        crops[fakes] = draw.integers(0, 256, (len(fakes), *crops.shape[1:]), np.uint8)
        head = tables.metadata(table) | {"sha256": tables.write_shard(file, crops)}
        tables.write_table(file.with_suffix(".parquet"), table, tables.FACES, head)
