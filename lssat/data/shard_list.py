"""One small file that stands for all shards of a data set: what each run of training waits for.

Hundreds of runs that each name hundreds of shards are what takes Snakemake longest: a tenth of a
millisecond for each pair of a job and a file. The list holds the sha256 of every shard, so that it
changes with any of them.
"""

from pathlib import Path

from lssat.tables import FACES, TEXTURE, DataError, metadata, read_table, write_json
from lssat.tables.project import ShardFolder
from lssat.tables.seal import REMEDY


def write(faces: ShardFolder, codes: ShardFolder, count: int, out: Path) -> None:
    """Write the list of a data set's shards: their rows, and the sha256 of crops and codes.

    Args:
        faces, codes: folders of `count` shards each.
        out: JSON.

    Raises:
        DataError: a table is missing or damaged, or codes are those of other crops.
    """
    rows = zip(faces.first(count), codes.first(count), strict=True)
    write_json(out, {"shards": [_row(crops.table, of.table) for crops, of in rows]})


def _row(crops: Path, codes: Path) -> dict[str, str | int]:
    rows, coded = read_table(crops, FACES), read_table(codes, TEXTURE)
    faces, texture = metadata(rows)["sha256"], metadata(coded)
    if (of := texture.get("faces_sha256", "(none)")) != faces:
        problem = f"is of codes of other crops ({of[:12]}...) than {crops} ({faces[:12]}...)"
        raise DataError(codes, problem, REMEDY)
    return {"rows": len(rows), "faces_sha256": faces, "texture_sha256": texture["sha256"]}
