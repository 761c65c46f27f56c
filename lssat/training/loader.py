"""Reading of crops and codes for training and evaluation.

Everything random is a function of (seed, epoch, sample): the order, the flips and the mask's
noise do not depend on how many workers read, or on where a run was resumed.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from lssat import grid, tables, texture
from lssat.data.shards import REMEDY, Shards
from lssat.tables import DataError
from lssat.training import augment, sampling
from lssat.training import methods as known
from lssat.training import share as shares


class Batch(NamedTuple):
    """A batch for the model."""

    rows: np.ndarray  # (n,) places of the samples in the split's table
    imgs: Tensor  # (n, 3, H, W) uint8
    codes: Tensor | None  # (n, 1, H, W) uint8
    labels: Tensor  # (n, A) int64
    noise: Tensor | None  # (n, L) float32 in [0, 1)
    draws: np.ndarray | None = None  # (n, augment.DRAWS) float32 in [0, 1)
    mates: np.ndarray | None = None  # (m,): places in this batch of whom its first m are mixed with
    mix: tuple[()] | tuple[Tensor, Tensor] = ()  # mixed: labels (m, A) of the mates, shares (m,)
    boundary: Tensor | None = None  # (n, 1, H, W) float32 in [0, 1]: the target of `blend: xray`


Job = Callable[[], Batch]


class Crops:
    """The images, frames or clips of one split: task, labels, ids, crops and codes by place.

    Args:
        split: path of a table of the schema SPLITS.
        faces: folder of the crops' shards.
        codes: folder of the texture's shards; None where the configuration needs none.
        clips: a sample is a clip, all of its frames; otherwise an image or a frame. The frames of
            clips are no samples of an encoder of images: it would be given them twice.
        share: of the groups that are used, and the seed that chooses them (`training.share`).
        methods: of the fakes that are used (`training.methods`); None: all.
    """

    def __init__(
        self,
        split: str | Path,
        faces: str | Path,
        codes: str | Path | None,
        clips: bool = False,
        share: tuple[float, int] = (1.0, 0),
        methods: Sequence[str] | None = None,
    ):
        self.file = Path(split)
        self.share, self.methods = share, methods
        whole = tables.read_table(split, tables.SPLITS)
        self.task = grid.read_task(tables.metadata(whole), split)
        single = pc.equal(whole["clip"], -1)
        used = whole.filter(pc.invert(single) if clips else single)
        used = known.part(used, methods, self.task, self.file)
        used = shares.part(used, *share, strata=self.task.kind != "multilabel")
        self.table, self.shard, self.row = _gather(used, clips)
        self.sha256 = tables.sha256(split)
        if not len(self):
            what = "clip" if clips else "sample"
            raise DataError(split, f"holds no {what}", "See the rejects of the steps before it")
        self.labels = np.array(self.table["labels"].to_pylist(), dtype=np.int64)
        self.clips = clips
        self.faces = Shards(faces, used, self.file)
        self.codes = None
        self.kind = self.k = None
        if codes is not None:
            self.codes = Shards(codes, used, self.file, self.faces)
            head = self.codes.shard(int(self.shard.flat[0])).header
            self.kind, self.k = head["kind"], int(head["k"])

    def __len__(self) -> int:
        return len(self.table)

    @property
    def size(self) -> int:
        """Side of the crops in pixels."""
        return self.faces.take(self.shard.reshape(-1)[:1], self.row.reshape(-1)[:1]).shape[1]

    @property
    def settings(self) -> dict:
        """How the crops were made, from the header of their table."""
        header = self.faces.shard(int(self.shard.flat[0])).header
        if "settings" not in header:
            raise DataError(self.faces.folder, "does not say what made its crops", REMEDY)
        return json.loads(header["settings"])

    @property
    def frames(self) -> int:
        """Frames of a clip; 1 for images and frames."""
        return self.row.shape[1] if self.clips else 1

    def batch(self, rows: np.ndarray, flip: np.ndarray | None = None, codes: bool = True) -> Batch:
        """Read samples; where `flip` (n,) is true, mirror the crop and compute its codes again.

        A cached code image is never flipped: ties make that wrong on a fifth of the pixels.
        """
        imgs = self._take(self.faces, rows)
        code_images = self._take(self.codes, rows) if codes and self.codes is not None else None
        if flip is not None and flip.any():
            imgs[flip] = imgs[flip][..., ::-1, :]
            if code_images is not None:
                flat = imgs[flip].reshape(-1, *imgs.shape[-3:])
                flipped = texture.codes(flat, str(self.kind), int(self.k or 0))
                code_images[flip] = flipped.reshape(-1, *code_images.shape[1:])
        labels = torch.from_numpy(self.labels[rows])
        return Batch(rows, *tensors(imgs, code_images), labels, None)

    def _take(self, shards: Shards, rows: np.ndarray) -> np.ndarray:
        shard, row = self.shard[rows], self.row[rows]
        taken = shards.take(shard.ravel(), row.ravel())
        return taken.reshape(*shard.shape, *taken.shape[1:])

    def training(self, *where: Any, **options: Any) -> Iterator[Batch]:
        """Go through the split once: run the jobs of `jobs`, which takes the same arguments."""
        return (job() for job in self.jobs(*where, **options))

    def jobs(
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
        mixed: bool = False,
    ) -> Iterator[Job]:
        """Go through the split once, in the order, flips and noise of (seed, epoch).

        Each job reads one batch, and may run in any thread and at any time.

        An incomplete last batch is left out; each epoch leaves out other samples. With
        `sampler: balanced` an epoch holds as many samples, each class equally often.

        Args:
            start: batches to skip, for a resumed run.
            part: the samples of each batch that this process reads, if several share it.
            augmented: the crops will be augmented: return the numbers for it and no codes, which
                would belong to other pixels.
            mixed: each sample will be mixed with the next one of its whole batch, the last with
                the first; samples of other processes follow this process's own in the batch.
        """
        order, times = sampling.order(self.labels, sampler, seed, epoch)
        for first in range(start * batch_size, len(self) - batch_size + 1, batch_size):
            places, mates = np.arange(batch_size)[part], None
            if mixed:
                places, mates = _with_mates(places, batch_size)
            rows = order[first + places]
            occurrences = times[first + places]  # 0: the same noise as without it
            numbers = partial(sampling.numbers, seed, epoch, rows, occurrences)
            yield partial(self._drawn, rows, numbers, hflip, patches, augmented, mates)

    def _drawn(
        self,
        rows: np.ndarray,
        numbers: Callable[[int], np.ndarray],
        hflip: bool,
        patches: int,
        augmented: bool,
        mates: np.ndarray | None,
    ) -> Batch:
        drawn = numbers(1 + patches + augment.DRAWS)
        flip = drawn[:, 0] < 0.5 if hflip else None
        noise = torch.from_numpy(drawn[:, 1 : 1 + patches].copy())
        draws = drawn[:, 1 + patches :] if augmented else None
        batch = self.batch(rows, flip, codes=not augmented)
        return batch._replace(noise=noise, draws=draws, mates=mates)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Go through the split in the order of its table, nothing changed, nothing left out."""
        return (job() for job in self.jobs_in_order(batch_size))

    def jobs_in_order(self, batch_size: int) -> Iterator[Job]:
        """Return the jobs of `in_order`, each of which reads one batch."""
        for start in range(0, len(self), batch_size):
            yield partial(self.batch, np.arange(start, min(start + batch_size, len(self))))


def pinned(job: Job) -> Batch:
    """Run a job and put its batch where a GPU can fetch it while it computes: pinned memory."""
    batch = job()

    def pin(value: Tensor | None) -> Any:
        return None if value is None else value.pin_memory()

    return batch._replace(
        imgs=pin(batch.imgs),
        codes=pin(batch.codes),
        labels=pin(batch.labels),
        noise=pin(batch.noise),
        boundary=pin(batch.boundary),
    )


def tensors(imgs: np.ndarray, codes: np.ndarray | None) -> tuple[Tensor, Tensor | None]:
    """Return crops and codes as the model takes them.

    Args:
        imgs: uint8 (n, H, W, 3), or (n, T, H, W, 3) of clips.
        codes: uint8 (n, H, W) or (n, T, H, W), or None.

    Returns:
        uint8 (n, 3, H, W) or (n, 3, T, H, W), and the codes with one channel.
    """
    code_images = None if codes is None else torch.from_numpy(codes)[:, None]
    return torch.from_numpy(imgs).movedim(-1, 1), code_images


def _with_mates(places: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of a batch that are needed, and where each first one's mate is in them."""
    mates = (places + 1) % batch_size
    needed = np.concatenate([places, np.setdiff1d(mates, places)])
    where = {place: number for number, place in enumerate(needed.tolist())}
    return needed, np.array([where[mate] for mate in mates.tolist()])


def _gather(used: pa.Table, clips: bool) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Return a row for each sample, and the shards and rows of its crops, (N,) or (N, T)."""
    shard, row = used["shard"].to_numpy(), used["row"].to_numpy()
    if not clips or not len(used):
        return used, shard, row
    # The table is sorted by id, clip and frame, and every clip has as many frames.
    ids = zip(used["id"].to_pylist(), used["clip"].to_pylist(), strict=True)
    first = [n for n, (before, now) in enumerate(pairwise([None, *ids])) if now != before]
    length = len(used) // len(first)
    return used.take(first), shard.reshape(-1, length), row.reshape(-1, length)
