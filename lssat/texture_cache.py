"""The cache of texture codes: one NPY shard of codes for each shard of crops, row for row."""

from pathlib import Path

import numpy as np

from lssat import params, tables, texture

_BLOCK = 256  # crops that are read at a time
_REMEDY = "Make this shard of crops again (lssat faces)"


def write_shard(
    faces_npy: Path, faces_table: Path, options: params.Texture, out: Path, table: Path
) -> None:
    """Write the texture codes of a shard of crops, after the crops were verified.

    Args:
        faces_npy: uint8 (N, size, size, 3), RGB.
        faces_table: its table, whose header vouches for the bytes.
        options: kind of texture and bits set in an LDP code.
        out: NPY shard to write, uint8 (N, size, size).
        table: table of schema TEXTURE to write, the rows of `faces_table` in their order; its
            header holds the sha256 of `out` and of the crops, kind, k and the version of the
            specification.

    Raises:
        DataError: the crops are missing, damaged, or not those of their table.
    """
    rows = tables.read_table(faces_table, tables.FACES, _REMEDY)
    vouched = tables.metadata(rows).get("sha256", "")
    crops = tables.open_shard(faces_npy, vouched, _REMEDY)
    if len(crops) != len(rows):
        problem = f"holds {len(crops)} crops, its table {len(rows)} rows"
        raise tables.DataError(faces_npy, problem, _REMEDY)
    codes = np.empty(crops.shape[:3], np.uint8)
    for start in range(0, len(crops), _BLOCK):
        block = slice(start, start + _BLOCK)
        codes[block] = texture.codes(crops[block], options.kind, options.k, bulk=True)
    header = {"sha256": tables.write_shard(out, codes), "faces_sha256": vouched}
    header |= {"kind": options.kind, "k": str(options.k), "spec": texture.SPEC}
    tables.write_table(table, rows.select(tables.TEXTURE.names), tables.TEXTURE, header)
