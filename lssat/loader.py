"""Reading of crops and codes for training and evaluation.

Everything random is a function of (seed, epoch, sample): the order, the flips and the mask's
noise do not depend on how many workers read, or on where a run was resumed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc
import torch
from torch import Tensor

from lssat import augment, grid, sampling, tables, texture
from lssat.shards import Shards
from lssat.tables import DataError


class Batch(NamedTuple):
    """What the model is fed."""

    rows: np.ndarray  # (n,) places of the samples in the split's table
    imgs: Tensor  # (n, 3, H, W) uint8
    codes: Tensor | None  # (n, 1, H, W) uint8
    labels: Tensor  # (n, A) int64
    noise: Tensor | None  # (n, L) float32 in [0, 1)
    draws: np.ndarray | None = None  # (n, augment.DRAWS) float32 in [0, 1)


class Crops:
    """The images or single frames of one split: task, labels, ids, crops and codes by place.

    Args:
        split: path of a table of the schema SPLITS.
        faces: folder of the crops' shards.
        codes: folder of the texture's shards; None where the configuration needs none.
    """

    def __init__(self, split: str | Path, faces: str | Path, codes: str | Path | None):
        self.file = Path(split)
        whole = tables.read_table(split, tables.SPLITS)
        # A clip's frames are for encoders of clips; to others they would be samples given twice.
        self.table = whole.filter(pc.equal(whole["clip"], -1))
        self.task = grid.read_task(tables.metadata(self.table), split)
        self.sha256 = tables.sha256(split)
        if not len(self):
            raise DataError(split, "holds no sample", "See the rejects of the steps before it")
        self.shard = self.table["shard"].to_numpy()
        self.row = self.table["row"].to_numpy()
        self.labels = np.array(self.table["labels"].to_pylist(), dtype=np.int64)
        self.faces = Shards(faces, self.table, self.file)
        self.codes = None
        self.kind = self.k = None
        if codes is not None:
            self.codes = Shards(codes, self.table, self.file, self.faces)
            head = self.codes.shard(int(self.shard[0])).header
            self.kind, self.k = head["kind"], int(head["k"])

    def __len__(self) -> int:
        return len(self.table)

    @property
    def size(self) -> int:
        """Side of the crops in pixels."""
        return self.faces.take(self.shard[:1], self.row[:1]).shape[1]

    def batch(self, rows: np.ndarray, flip: np.ndarray | None = None, codes: bool = True) -> Batch:
        """Read samples; where `flip` (n,) is true the crop is mirrored and its codes computed anew.

        A cached code image is never flipped: ties make that wrong on a fifth of the pixels.
        """
        where = self.shard[rows], self.row[rows]
        imgs = self.faces.take(*where)
        found = self.codes.take(*where) if codes and self.codes is not None else None
        if flip is not None and flip.any():
            imgs[flip] = imgs[flip, :, ::-1]
            if found is not None:
                found[flip] = texture.codes(imgs[flip], str(self.kind), int(self.k or 0))
        return Batch(
            rows,
            torch.from_numpy(imgs).permute(0, 3, 1, 2),
            None if found is None else torch.from_numpy(found)[:, None],
            torch.from_numpy(self.labels[rows]),
            None,
        )

    def training(
        self,
        batch_size: int,
        seed: int,
        epoch: int,
        hflip: bool,
        patches: int,
        sampler: str = "uniform",
        start: int = 0,
        part: slice = slice(None),
        augmented: bool = False,
    ) -> Iterator[Batch]:
        """Go through the split once, in the order, flips and noise of (seed, epoch).

        An incomplete last batch is left out; another epoch leaves out others. With
        `sampler: balanced` an epoch holds as many samples, each class equally often.

        Args:
            start: batches to pass over, of a run that goes on.
            part: the samples of each batch that this process reads, of several that share it.
            augmented: the crops are still to be augmented: give the numbers for it, and no codes,
                which would be those of other pixels.
        """
        order, times = sampling.order(self.labels, sampler, seed, epoch)
        for first in range(start * batch_size, len(self) - batch_size + 1, batch_size):
            rows = order[first : first + batch_size][part]
            again = times[first : first + batch_size][part]  # 0: the same noise as without it
            drawn = sampling.numbers(seed, epoch, rows, again, 1 + patches + augment.DRAWS)
            flip = drawn[:, 0] < 0.5 if hflip else None
            noise = torch.from_numpy(drawn[:, 1 : 1 + patches].copy())
            draws = drawn[:, 1 + patches :] if augmented else None
            batch = self.batch(rows, flip, codes=not augmented)
            yield batch._replace(noise=noise, draws=draws)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Go through the split in the order of its table, nothing changed, nothing left out."""
        for start in range(0, len(self), batch_size):
            yield self.batch(np.arange(start, min(start + batch_size, len(self))))
