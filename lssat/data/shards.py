"""Shards and the tables that vouch for them: nothing of a shard is used before it was verified.

DVC serves a damaged cache without a word, and files can be cut, emptied or exchanged: a table holds
the sha256 of its shard and the place of each row, and a table of codes the sha256 of the crops.
"""

import re
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import texture
from lssat.tables import FACES, TEXTURE, DataError, metadata, open_shard, project, read_table
from lssat.tables.seal import REMEDY


class Shard(NamedTuple):
    """A verified shard: its file, the rows of its table, the table's header, and its array."""

    file: Path
    rows: pa.Table
    header: dict[str, str]
    array: np.ndarray  # uint8 (N, H, W, 3) of crops or (N, H, W) of codes, mapped read-only


def read(file: Path, table: Path, schema: pa.Schema, remedy: str = REMEDY) -> Shard:
    """Open a shard after comparing it with its table.

    Args:
        file: the NPY file; if its name is that of a shard, its rows must belong to that shard.
        table: the table beside it.
        schema: FACES or TEXTURE.
        remedy: the command that rebuilds it, for the error.

    Raises:
        DataError: one of the two is missing or damaged, they do not belong together, or they are
            those of another shard.
    """
    rows = read_table(table, schema, remedy)
    header = metadata(rows)
    array = open_shard(file, header.get("sha256", "(none)"), remedy)
    if len(array) != len(rows):
        raise DataError(file, f"has {len(array)} entries, its table {len(rows)} rows", remedy)
    name = re.fullmatch(r"shard-(\d+)", file.stem)
    others = set(rows["shard"].to_pylist()) - {int(name[1])} if name else set()
    if others:
        raise DataError(file, f"is shard {min(others)} under another's name", remedy)
    return Shard(file, rows, header, array)


def check_codes(codes: Shard, crops: Shard, remedy: str = REMEDY) -> None:
    """Prove that codes were computed from these crops, by the specification of this version.

    Raises:
        DataError: they belong to other crops, or to another version.
    """
    of, wanted = codes.header.get("faces_sha256", "(none)"), crops.header["sha256"]
    if of != wanted:
        problem = f"holds codes of other crops ({of[:12]}...) than {crops.file} ({wanted[:12]}...)"
        raise DataError(codes.file, problem, remedy)
    if any(codes.rows[name] != crops.rows[name] for name in TEXTURE.names):
        raise DataError(codes.file, f"does not hold the rows of {crops.file}", remedy)
    if (spec := codes.header.get("spec", "(none)")) != texture.SPEC:
        problem = f"holds codes of specification {spec}, this version computes {texture.SPEC}"
        raise DataError(codes.file, problem, remedy)


def check_split(shard: Shard, number: int, split: pa.Table, file: Path) -> None:
    """Prove that a shard holds the samples that a split looks for in it.

    Args:
        number: the shard's, as in the column `shard` of the split.
        split: table of schema SPLITS, read from `file`.

    Raises:
        DataError: a row is absent, or belongs to another sample.
    """
    wanted = split.filter(pc.equal(split["shard"], number))
    if len(wanted) and (last := pc.max(wanted["row"]).as_py()) >= len(shard.rows):
        problem = f"has {len(shard.rows)} rows, {file} looks for row {last}"
        raise DataError(shard.file, problem, REMEDY)
    rows = shard.rows.take(wanted["row"])
    for row, have, want in zip(wanted["row"].to_pylist(), _ids(rows), _ids(wanted), strict=True):
        if have != want:
            problem = f"holds {have} in row {row}, where {file} has {want[:-1]}"
            raise DataError(shard.file, problem, REMEDY)


def _ids(table: pa.Table) -> list[str]:
    both = zip(table["id"].to_pylist(), table["frame"].to_pylist(), strict=True)
    return [f"{id!r}, frame {frame}," for id, frame in both]


class Shards:
    """The crops of one folder, or their codes, opened and verified when first needed.

    Args:
        folder: folder of shards, each with its table beside it.
        split: table of schema SPLITS, read from `file`: what will be looked for.
        crops: for codes: the shards that they must have been computed from.
    """

    def __init__(
        self, folder: str | Path, split: pa.Table, file: Path, crops: "Shards | None" = None
    ):
        self.folder, self.split, self.file, self.crops = Path(folder), split, file, crops
        self.opened: dict[int, Shard] = {}
        self.lock = threading.Lock()  # a shard is verified once, whichever thread needs it first

    def take(self, shard: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Copy rows (n, ...) uint8 in the given order.

        Raises:
            DataError: a shard is missing, not the bytes that its table vouches for, or not that
                of the split or of the crops.
        """
        where = list(zip(shard.tolist(), row.tolist(), strict=True))
        arrays = {number: self.shard(number).array for number in dict.fromkeys(shard.tolist())}
        out = np.empty((len(where), *arrays[where[0][0]].shape[1:]), np.uint8)
        for place, (number, at) in enumerate(where):  # one copy each, twice as fast as by index
            out[place] = arrays[number][at]
        return out

    def shard(self, number: int) -> Shard:
        """Return a shard, verified when it is first used."""
        with self.lock:
            return self._shard(number)

    def _shard(self, number: int) -> Shard:
        if number not in self.opened:
            file = project.ShardFolder(self.folder).shard(number).npy
            schema = FACES if self.crops is None else TEXTURE
            shard = read(file, file.with_suffix(".parquet"), schema)
            if self.crops is not None:
                check_codes(shard, self.crops.shard(number))
            check_split(shard, number, self.split, self.file)
            self._check_kind(shard)
            self.opened[number] = shard
        return self.opened[number]

    def _check_kind(self, shard: Shard) -> None:
        other = next(iter(self.opened.values()), shard)
        kind, wanted = (f"{s.header.get('kind')}, k = {s.header.get('k')}" for s in (shard, other))
        if kind != wanted:
            problem = f"holds codes {kind}, others of the folder {wanted}"
            raise DataError(shard.file, problem, REMEDY)
