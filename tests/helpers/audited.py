"""Crops with leaks drawn into them, audited."""

from pathlib import Path

import numpy as np

from helpers.splits import crop, sample
from lssat import params, tables
from lssat.data.audit import crops, leaks, lookalikes
from lssat.grid import releases
from lssat.tables import FACES, MANIFEST, SPLITS, read_json, read_table
from lssat.tables.project import Splits

OPTIONS = params.Audit(near_distance=4, near_limit=0.5)


class Drawn:
    """Tables of a few samples: `rows` are those of the manifest, `hashes` sha256 and phash."""

    def __init__(self, folder: Path, rows: list[dict], hashes: dict[tuple[str, int], tuple]):
        self.folder, self.rows = folder, {row["id"]: row for row in rows}
        self.hashes = {key: hashes[key] for key in sorted(hashes)}
        task = (
            releases.TASKS[rows[0]["dataset"]]
            if rows[0]["dataset"] != "d"
            else releases.TASKS["celeba"]
        )
        tables.write_table(folder / "m.parquet", rows, MANIFEST, task.header())
        self._shards()

    def _shards(self) -> None:
        parts: list[list[dict]] = [[], []]
        where = []
        for number, ((id, frame), (sha256, phash)) in enumerate(self.hashes.items()):
            shard = parts[number % 2]
            row = crop(id, frame, number % 2, len(shard))
            shard.append(row | {"sha256": sha256, "phash": phash})
            where.append({key: row[key] for key in ("id", "frame", "clip", "shard", "row")})
        for number, shard in enumerate(parts):
            tables.write_table(self.folder / f"s{number}.parquet", shard, FACES)
        for name in crops.NAMES:
            some = [row for row in where if self.rows[row["id"]]["split"] == name]
            rest = {"labels": [0], "subset": "", "split": name, "group": "", "seed": None}
            rows = [row | rest for row in some]
            tables.write_table(self.folder / f"{name}.parquet", rows, SPLITS)

    @property
    def faces(self) -> list[Path]:
        return [self.folder / "s1.parquet", self.folder / "s0.parquet"]  # any order

    def audit(self) -> tuple[list[dict], dict]:
        out, table = self.folder / "audit.json", self.folder / "audit.parquet"
        leaks.audit(self.folder / "m.parquet", self.faces, Splits(self.folder).tables, out, table)
        return self.findings("audit"), read_json(out)

    def findings(self, name: str) -> list[dict]:
        return read_table(self.folder / f"{name}.parquet", crops.FINDINGS).to_pylist()

    def lookalikes(self, options: params.Audit = OPTIONS) -> tuple[list[dict], dict]:
        out, table = self.folder / "lookalikes.json", self.folder / "lookalikes.parquet"
        files = Splits(self.folder).tables
        lookalikes.lookalikes("d", self.faces, files, options, out, table)
        return self.findings("lookalikes"), read_json(out)


def clean(tmp_path: Path, **other) -> Drawn:
    """Six samples, two a split, two crops each, all different; `other` replaces hashes."""
    rows = [sample(f"{name}/{n}", name, 0) for name in crops.NAMES for n in range(2)]
    rng = np.random.default_rng(0)
    hashes = {
        (row["id"], frame): (f"{row['id']} {frame}", int(rng.integers(0, 2**64, dtype=np.uint64)))
        for row in rows
        for frame in (0, 5)
    }
    return Drawn(tmp_path, rows, hashes | other.get("hashes", {}))


def bits(one: int, other: int) -> int:
    return (one ^ other).bit_count()
