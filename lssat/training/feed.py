"""Batches on their way to a step: read ahead, brought to the device, augmented there."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from lssat import grid
from lssat.models.ssat import clips_of, frames_of
from lssat.params import Train
from lssat.texture import tensors
from lssat.training.augment import Policy, augment, mix, shares
from lssat.training.loader import Batch, Crops, Job, pinned
from lssat.training.prefetch import Ahead


class Feed:
    """Gives a run its batches.

    Args:
        num_patches: of a sample, for the noise that its mask is drawn by.
        ahead: reads the batches.
    """

    def __init__(
        self,
        run: grid.Run,
        data: Mapping[str, Crops],
        recipe: Train,
        fabric: Fabric,
        num_patches: int,
        ahead: Ahead,
    ):
        self.run, self.data, self.recipe, self.fabric = run, data, recipe, fabric
        self.num_patches, self.ahead = num_patches, ahead
        self.policy = Policy(recipe.crop, recipe.rand_augment, recipe.erase, recipe.mixup)

    def updates(self, epoch: int, numbers: range) -> Iterator[tuple[int, list[Batch]]]:
        """Yield an epoch's updates, each with the batches whose gradients are added up."""
        recipe, world = self.recipe, self.fabric.world_size
        jobs = self.data["train"].jobs(
            recipe.batch_size,
            self.run.seed,
            epoch,
            recipe.hflip,
            self.num_patches,
            recipe.sampler,
            start=numbers.start * recipe.accumulate,
            part=slice(self.fabric.global_rank, None, world),
            augmented=self.policy.active,
            mixed=self.policy.mixup > 0,
        )
        batches = self._read("train", jobs)
        for update in numbers:
            yield update, [next(batches) for _ in range(recipe.accumulate)]

    def in_order(self, split: str) -> Iterator[Batch]:
        """Yield all samples of a split once, neither drawn nor augmented."""
        return self._read(split, self.data[split].jobs_in_order(self.recipe.batch_size))

    def _read(self, split: str, jobs: Iterator[Job]) -> Iterator[Batch]:
        """Read batches ahead; for a GPU into pinned memory, from where they are copied behind."""
        if self.fabric.device.type == "cuda":
            jobs = (partial(pinned, job) for job in jobs)
        return self.ahead(jobs, self.data[split].file)

    def move(self, batch: Batch) -> Batch:
        """Bring a batch to the device, augmented where the recipe says so."""

        def place(value: Tensor | None) -> Tensor | None:
            return None if value is None else self.fabric.to_device(value)

        moved = [place(value) for value in batch[1:5]]
        placed = Batch(batch.rows, *moved)._replace(  # type: ignore[arg-type]
            draws=batch.draws, mates=batch.mates, boundary=place(batch.boundary)
        )
        return placed if batch.draws is None else self._augment(placed)

    def _augment(self, batch: Batch) -> Batch:
        """Augment the crops, all frames of a clip alike; codes are those of the augmented ones."""
        crops, draws, imgs = self.data["train"], batch.draws, batch.imgs
        assert draws is not None
        if crops.clips:
            imgs, draws = frames_of(imgs), np.repeat(draws, crops.frames, axis=0)
        imgs = augment(imgs, draws, self.policy)
        batch = batch._replace(imgs=clips_of(imgs, len(batch.imgs)) if crops.clips else imgs)
        if batch.mates is not None:
            batch = self._mix(batch)
        if crops.codes is None:
            return batch
        imgs = frames_of(batch.imgs) if crops.clips else batch.imgs
        codes = tensors.codes(imgs, str(crops.kind), int(crops.k or 0))
        return batch._replace(codes=clips_of(codes, len(batch.imgs)) if crops.clips else codes)

    def _mix(self, batch: Batch) -> Batch:
        """Mix this process's samples with their mates; drop those that were read only for that."""
        assert batch.mates is not None
        assert batch.draws is not None
        assert batch.noise is not None
        own, device = len(batch.mates), batch.imgs.device
        mates = torch.from_numpy(batch.mates).to(device)
        share = torch.from_numpy(shares(batch.draws[:own], self.policy)).to(device)
        return batch._replace(
            rows=batch.rows[:own],
            imgs=mix(batch.imgs[:own], batch.imgs[mates], share),
            labels=batch.labels[:own],
            noise=batch.noise[:own],
            mix=(batch.labels[mates], share),
        )
