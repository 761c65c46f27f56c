"""Faces: frames of a manifest's samples become square crops in one NPY shard and its table.

Frames of videos go through MTCNN (Zhang et al. 2016; facenet-pytorch). Images of releases that
are aligned or cropped are used as they are, and a box that a release gives is used in place of
a detector. All media are decoded in a process of their own, under limits (`media.Decoder`).

Memory: one frame, or one batch of them on a GPU, is held at a time, and crops go to the file
one by one; 2 GiB a process suffice whatever the size of the shard
(tests/data/faces/test_memory.py).
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from lssat import params
from lssat.data import media
from lssat.data.faces.npy_writer import Sheet
from lssat.data.faces.sample import Cropper
from lssat.tables import (
    FACES,
    MANIFEST,
    REJECTS,
    confidential,
    read_table,
    shard_of,
    together,
    write_table,
    write_whole,
)
from lssat.tables.rows import SampleRow

__all__ = ["crop_shard"]
_CHUNK = 4096  # rows that are held as Python objects


@confidential()
@together()
def crop_shard(
    manifest: Path,
    dataset: str,
    options: params.Dataset,
    faces: params.Faces,
    shard: int,
    out: Path,
    table: Path,
    rejects: Path,
    device: str = "cpu",
) -> None:
    """Crop the faces of the samples that fall into one shard, sorted by id.

    The frames of a sample come first, then its clips, each in the order of time.

    Args:
        manifest: table of schema MANIFEST.
        options: the data set's section of params.yaml; videos have the fields of `params.Video`.
        shard: number of the shard, from 0; see `tables.shard_of`.
        out: NPY shard to write, uint8 (N, size, size, 3), RGB; N may be 0.
        table: table of schema FACES to write, a row per crop; its header holds the sha256 of
            `out`, the size and the settings.
        rejects: table of schema REJECTS to write: samples, frames and clips without a crop.
        device: where faces are detected, cpu or cuda.

    Raises:
        DataError: the manifest is damaged, or a file may not be read.
    """
    samples = _samples(manifest, options.shards, shard)
    rows, rejected = _Packed(FACES), _Packed(REJECTS)
    with media.Decoder(faces.timeout, faces.memory) as decoder:
        cropper = Cropper(dataset, options, faces, shard, decoder, device)
        places = ((cropper.root / row["path"], row["media"]) for row in _rows(samples))
        decoder.copies.expect(places)

        def crop_all(file: IO[bytes]) -> None:
            sheet, reported = Sheet(file, faces.size), time.monotonic()
            for done, row in enumerate(_rows(samples), start=1):
                crops, losses = cropper.crop(row, sheet, len(rows))
                rows.extend(crops)
                rejected.extend(losses)
                if time.monotonic() - reported > 10:
                    reported = time.monotonic()
                    where = f"faces {dataset} shard {shard}: {done:,} of {len(samples):,} samples"
                    print(where, file=sys.stderr, flush=True)
            sheet.finish(len(rows))

        digest = write_whole(out, crop_all)
    if cropper.few:
        n_frames, id = min(cropper.few)
        few = f"{len(cropper.few):,} videos have fewer than {media.LEAST} frames"
        where = f"faces {dataset} shard {shard}"
        print(f"{where}: warning: {few}, {id} only {n_frames}; all are used", file=sys.stderr)
    header = {"sha256": digest, "size": str(faces.size), "dataset": dataset}
    header["settings"] = json.dumps(cropper.settings(), sort_keys=True)
    write_table(table, rows.table(), FACES, header)
    write_table(rejects, rejected.table(), REJECTS)


def _samples(manifest: Path, shards: int, shard: int) -> pa.Table:
    """Read the manifest's rows of one shard, sorted by id."""
    table = read_table(manifest, MANIFEST)
    in_shard = np.array([shard_of(id, shards) == shard for id in table["id"].to_pylist()], bool)
    return table.filter(pa.array(in_shard)).sort_by("id")


def _rows(samples: pa.Table) -> Iterator[SampleRow]:
    for batch in samples.to_batches(max_chunksize=_CHUNK):
        yield from batch.to_pylist()


class _Packed:
    """Rows of a table under construction, packed chunk by chunk."""

    def __init__(self, schema: pa.Schema):
        self.schema, self.packed = schema, [schema.empty_table()]
        self.loose: list[Mapping] = []

    def __len__(self) -> int:
        return sum(len(part) for part in self.packed) + len(self.loose)

    def extend(self, rows: Sequence[Mapping]) -> None:
        self.loose += rows
        if len(self.loose) >= _CHUNK:
            self._pack()

    def _pack(self) -> None:
        self.packed.append(pa.Table.from_pylist(self.loose, schema=self.schema))
        self.loose = []

    def table(self) -> pa.Table:
        self._pack()
        return pa.concat_tables(self.packed)
