"""The training split of a baseline that is trained on real faces alone (`train.blend`).

A batch is half real crops, half the fakes that were blended of them; no fake of the split is read.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lssat.data.blending import Reals
from lssat.params.blends import task_problem
from lssat.tables import DataError
from lssat.training.loader import Batch, Crops, Job, tensors


class Blended(Crops):
    """The real crops of a training split, each twice: as it is, and as a fake.

    Args:
        split, faces, share: as of `Crops`. The share is of all groups, those of fakes too, so
            that it holds the same videos as that of other runs.
        kind: `sbi` or `xray`.

    Raises:
        DataError: as `Crops` and `blending.Reals`.
    """

    def __init__(self, split: Path, faces: Path, kind: str, share: tuple[float, int] = (1.0, 0)):
        super().__init__(split, faces, None, share=share)
        if problem := task_problem(kind, self.task.name, self.task.kind):
            what, _, fix = problem.rpartition("; ")
            raise DataError(split, what, fix.capitalize())
        self.kind_of_blend = kind
        self.reals = Reals(self.table, self.faces, kind, self.file)
        self.table, self.shard, self.row = self.reals.table, self.reals.shard, self.reals.row
        self.labels = np.repeat(np.array([[0], [1]], np.int64), len(self.reals), axis=0)

    def __len__(self) -> int:
        return 2 * len(self.table)

    def jobs(
        self,
        batch_size: int,
        seed: int,
        epoch: int,
        hflip: bool,
        *_: Any,
        start: int = 0,
        part: slice = slice(None),
        **__: Any,
    ) -> Iterator[Job]:
        """Go through the real crops once, as `Crops.jobs` does: the first half of a batch is real.

        Args:
            batch_size: even. start, part: as of `Crops.jobs`; what else it takes is for masks,
                samplers and augmentations, which such a run has none of.
        """
        order = np.random.default_rng([seed, epoch]).permutation(len(self.reals))
        half = batch_size // 2
        for first in range(start * half, len(order) - half + 1, half):
            places = np.tile(order[first : first + half], 2)[part]
            fakes = np.repeat([False, True], half)[part]
            yield partial(self._made, places, fakes, seed, epoch, hflip)

    def _made(
        self, places: np.ndarray, fakes: np.ndarray, seed: int, epoch: int, hflip: bool
    ) -> Batch:
        wanted = np.unique(places).tolist()
        pairs = {place: self.reals.pair(place, seed, epoch, hflip) for place in wanted}
        both = list(zip(places.tolist(), fakes.tolist(), strict=True))
        imgs = np.stack([pairs[place].fake if fake else pairs[place].real for place, fake in both])
        labels = torch.from_numpy(fakes.astype(np.int64)[:, None])
        batch = Batch(places, *tensors(imgs, None), labels, None)
        if self.kind_of_blend != "xray":
            return batch
        edges = np.stack([pairs[place].boundary * fake for place, fake in both])
        return batch._replace(boundary=torch.from_numpy(edges[:, None]))
