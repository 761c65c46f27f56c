"""The cache of texture codes: one NPY shard of codes for each shard of crops, row for row."""

from pathlib import Path

import numpy as np

from lssat import params, tables, texture
from lssat.data import shards

_BLOCK = 256  # crops that are read at a time


@tables.confidential()
@tables.together()
def write_shard(
    faces_npy: Path, faces_table: Path, options: params.Codes, out: Path, table: Path
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
    crops = shards.read(faces_npy, faces_table, tables.FACES)
    codes = np.empty(crops.array.shape[:3], np.uint8)
    for start in range(0, len(codes), _BLOCK):
        block = slice(start, start + _BLOCK)
        codes[block] = texture.codes(crops.array[block], options.kind, options.k, bulk=True)
    header = {"sha256": tables.write_shard(out, codes), "faces_sha256": crops.header["sha256"]}
    header |= {"kind": options.kind, "k": str(options.k), "spec": texture.SPEC}
    tables.write_table(table, crops.rows.select(tables.TEXTURE.names), tables.TEXTURE, header)
