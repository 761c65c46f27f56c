"""Features of a frozen encoder (`tune: linear`): computed once, and read by every head and seed.

They lie in the project's `.lssat/features`, named by all that they depend on: the encoder's own
weights, the crops, the code, precision and device. So neither Snakemake nor DVC has to know them:
whoever needs features first makes them, the next one finds them, and what is missing or damaged is
made again. A file is whole or not there, and its table vouches for its bytes.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from lightning_fabric import Fabric
from numpy.lib import format as npy
from torch import Tensor

from lssat.models.ssat import SSAT
from lssat.params import Train
from lssat.tables import (
    FACES,
    TEXTURE,
    DataError,
    confidential,
    metadata,
    open_shard,
    read_table,
    refusing,
    source,
    write_table,
    write_whole,
)
from lssat.tables.project import ShardFolder
from lssat.training.loader import Batch, Crops
from lssat.training.resume import Stop

FEATURES = pa.schema([("id", pa.string()), ("frame", pa.int32()), ("clip", pa.int16())])
_BATCH = 64  # crops at a time, whatever the recipe's: another number changes the last bits
_REMEDY = "Remove it: it is made again"


class Features(Crops):
    """A split as a frozen encoder sees it: `imgs` of its batches are features (n, F) float32."""

    def __init__(self, crops: Crops, array: np.ndarray):
        vars(self).update(vars(crops))
        self.array, self.codes = array, None

    def batch(self, rows: np.ndarray, flip: np.ndarray | None = None, codes: bool = True) -> Batch:
        """Read samples; nothing can be flipped any more."""
        if flip is not None:
            raise ValueError("features of a crop are not those of its mirror image")
        labels = torch.from_numpy(self.labels[rows])
        return Batch(rows, torch.from_numpy(self.array[rows]), None, labels, None)


class Maker(NamedTuple):
    """What features are made by.

    Args:
        folder: of all features of the project.
        stop: set by a signal, looked at between batches.
    """

    folder: Path
    model: SSAT
    recipe: Train
    fabric: Fabric
    stop: Stop

    def of(self, run: str, data: dict[str, Crops]) -> dict[str, Features]:
        """Return the features of each split, made by one process where several share the run.

        Raises:
            Stopped: a signal came before they were made.
            DataError: unusable crops, or a folder that cannot be written.
        """
        weights = _digest(self.model)
        with self.fabric.rank_zero_first():
            return {
                split: Features(crops, self._array(run, split, crops, weights))
                for split, crops in data.items()
            }

    def _array(self, run: str, split: str, crops: Crops, weights: str) -> np.ndarray:
        depends = {
            "weights": weights,
            "inputs": self.model.classified,
            "crops": _crops(crops, self.model.needs_codes),
            "code": source.digest("train"),
            "torch": torch.__version__,
            "device": self.fabric.device.type,
            "precision": self.recipe.precision,
            "threads": self.recipe.threads,
        }
        text = json.dumps(depends, sort_keys=True)
        file = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npy"
        with _alone(file):
            array = _found(file, crops)
            if array is None:
                print(f"{run}: features of {len(crops):,} samples of {split}", flush=True)
                self._write(file, crops, run, text)
                array = _found(file, crops)
        assert array is not None
        return array

    def _write(self, file: Path, crops: Crops, run: str, depends: str) -> None:
        width = self.model.head.in_features
        size = 4 * width * len(crops)
        with confidential():  # they are of faces
            digest = write_whole(file, lambda out: self._fill(out, crops, run, width), size)
            rows = crops.table.select(FEATURES.names)
            table = file.with_suffix(".parquet")
            write_table(table, rows, FEATURES, {"sha256": digest, "depends": depends})

    def _fill(self, out: IO[bytes], crops: Crops, run: str, width: int) -> None:
        """Write features batch by batch: memory does not grow with their number."""
        head = {"descr": "<f4", "fortran_order": False, "shape": (len(crops), width)}
        npy.write_array_header_1_0(out, head)
        for features in self._batches(crops, run):
            out.write(np.ascontiguousarray(features, "<f4").data)

    @torch.no_grad()
    def _batches(self, crops: Crops, run: str) -> Iterator[np.ndarray]:
        model = self.model.to(self.fabric.device).eval()
        for batch in crops.in_order(_BATCH):
            if self.stop.signal:
                raise self.stop.early(run, "while features were computed")
            with self.fabric.autocast():
                seen = model.inputs(*(self._placed(part) for part in (batch.imgs, batch.codes)))
                yield model.features(seen).float().cpu().numpy()

    def _placed(self, value: Tensor | None) -> Any:
        return None if value is None else self.fabric.to_device(value)


def _digest(model: SSAT) -> str:
    """Return what the encoder's weights, and how its inputs are prepared, are known by."""
    sums = hashlib.sha256(json.dumps([model.img_size, model.frames]).encode())
    for part in (model.encoder, model.prepare):
        for name, value in [*part.named_parameters(), *part.named_buffers()]:
            sums.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
            sums.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return sums.hexdigest()


def _crops(crops: Crops, codes: bool) -> list[Any]:
    """Return what the samples are known by: of the split, and of each shard of crops and codes."""
    numbers = np.unique(crops.shard).tolist()
    known = [crops.sha256, crops.clips]
    known += [crops.share] if crops.share[0] < 1 else []
    known += [sorted(crops.methods)] if crops.methods else []
    read = [(crops.faces, FACES), (crops.codes, TEXTURE)] if codes else [(crops.faces, FACES)]
    for shards, schema in read:
        if shards is not None:
            tables = [ShardFolder(shards.folder).shard(number).table for number in numbers]
            known.append([metadata(read_table(table, schema)).get("sha256") for table in tables])
    return known


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Wait until nobody else makes these features."""
    path = file.with_suffix(".lock")
    with refusing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(path, "a+")  # noqa: SIM115
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _found(file: Path, crops: Crops) -> np.ndarray | None:
    """Return features (N, F) float32, mapped read-only; None where there are no sound ones."""
    table = file.with_suffix(".parquet")
    if not (file.exists() and table.exists()):
        return None
    try:
        rows = read_table(table, FEATURES, _REMEDY)
        array = open_shard(file, metadata(rows).get("sha256", "(none)"), _REMEDY)
        sound = rows.equals(crops.table.select(FEATURES.names)) and len(array) == len(crops)
    except DataError as error:
        print(f"{error.file}: {error.problem}; made again", flush=True)
        return None
    return array if sound else None
