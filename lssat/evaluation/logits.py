"""Logits of a trained run for a split, and as rows of the table of predictions."""

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from lssat import grid, tables
from lssat.models.checkpoint import load_weights
from lssat.models.ssat import SSAT
from lssat.tables import DataError, read_record
from lssat.tables.project import RunFiles
from lssat.training.build import rebuild
from lssat.training.loader import Crops


def load_run(folder: str | Path) -> SSAT:
    """Return the model of a run's folder, in evaluation mode.

    Raises:
        DataError: the weights are missing, or not those that the run's record vouches for.
    """
    state, described = _weights(Path(folder))
    model = rebuild(described)
    model.load_state_dict(state)
    return model.eval()


def untrained(folder: str | Path, seed: int) -> SSAT:
    """Return the model of a run's folder with fresh weights, in evaluation mode."""
    _, described = _weights(Path(folder))
    torch.manual_seed(seed)
    return rebuild(described).eval()


def _weights(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    record = read_record(RunFiles(folder).record, "weights_sha256")
    return load_weights(RunFiles(folder).weights, record["weights_sha256"])


@torch.inference_mode()
def classify(model: SSAT, imgs: Tensor, codes: Tensor | None) -> np.ndarray:
    """Return the logits (n, outputs) float32 of crops as `loader.tensors` gives them."""
    device = next(model.parameters()).device
    seen = None if codes is None else codes.to(device)
    return model.classify(imgs.to(device), seen).float().cpu().numpy()


def logits(model: SSAT, crops: Crops, batch_size: int) -> np.ndarray:
    """Return the logits (N, outputs) float32 of all samples, in the order of their table.

    Raises:
        DataError: crops of another size than the run was trained on.
    """
    check_size(model, crops)
    batches = crops.in_order(batch_size)
    return np.concatenate([classify(model, batch.imgs, batch.codes) for batch in batches])


def check_size(model: SSAT, crops: Crops) -> None:
    """Check that crops have the size that a run was trained on."""
    if crops.size != (want := model.img_size):
        fix = "Set faces.size to the size that the run was trained on"
        raise DataError(crops.file, f"has crops of {crops.size} px, the run wants {want}", fix)


def rows(run: str, crops: Crops, logits: np.ndarray, chosen: np.ndarray | None = None) -> pa.Table:
    """Return the rows of a run in the table of predictions.

    Args:
        run: the run's path.
        logits: (n, outputs), of the samples that `chosen` picks (None: all), in the order of
            their table.
    """
    level = "clip" if crops.clips else "frame" if crops.task.level == "video" else "image"
    samples = crops.table if chosen is None else crops.table.take(np.arange(len(crops))[chosen])
    return as_table(run, level, samples, logits)


def as_table(run: str, level: str, samples: pa.Table, logits: np.ndarray) -> pa.Table:
    """Return predictions of samples, as rows of a split (schema SPLITS) or those of clips."""
    values = pa.array(np.ascontiguousarray(logits, np.float32).reshape(-1))
    columns = {
        **{name: samples[name] for name in samples.column_names},
        "run": _repeated(run, len(samples)),
        "level": _repeated(level, len(samples)),
        "logits": pa.ListArray.from_arrays(_starts(*logits.shape), values),
    }
    names = tables.PREDICTIONS.names
    return pa.table({name: columns[name] for name in names}).cast(tables.PREDICTIONS)


# A task's predictions may be millions of rows, in which these columns are as large as logits: the
# splits of a run share one, and all runs what is the same in all.
@lru_cache(maxsize=8)
def _repeated(text: str, count: int) -> pa.Array:
    return pa.array([text] * count)


@lru_cache(maxsize=8)
def _starts(rows: int, width: int) -> pa.Array:
    return pa.array(np.arange(rows + 1, dtype=np.int32) * width)


def predicted(
    run: str, model: SSAT, crops: Crops, batch_size: int, answers: list[int] | None = None
) -> pa.Table:
    """Return the rows of a run on all samples of a split that it can see (`Splits`).

    Args:
        answers: the outputs that answer for the split's classes (`Tested`); logits of the others
            are left out. None: all of them.
    """
    outputs = logits(model, crops, batch_size)
    return rows(run, crops, outputs if answers is None else outputs[:, answers])


class Splits:
    """What models see of splits: images, frames or clips, with codes for those that need them.

    Each is read once for all runs of a task, whose predictions share its columns.
    """

    def __init__(self, faces: Path, codes: Path):
        self._read = cache(
            lambda split, codes, clips, methods: Crops(split, faces, codes, clips, methods=methods)
        )
        self._codes = codes

    def seen_by(self, model: SSAT, split: Path, methods: Sequence[str] | None = None) -> Crops:
        """Return the samples of a split that a model can see; of fakes, those of `methods`."""
        codes = self._codes if model.needs_codes else None
        return self._read(split, codes, model.clips, methods and tuple(methods))


class Tested(NamedTuple):
    """What runs were trained and are tested on, as far as both have it."""

    trained: grid.Task
    tested: grid.Task
    answers: list[int]  # the outputs that answer for the classes of `tested`, in their order
    labels: np.ndarray  # (M, A) of the training split, of those classes: for the trivial baseline


def trained_on(train_file: Path, tested_file: Path) -> Tested:
    """Return what runs were trained and are tested on.

    Training samples of a class that is not tested are left out of `labels`; of attributes, the
    columns are.

    Raises:
        DataError: what they are tested on is another kind of task, or has other classes.
    """
    train = tables.read_table(train_file, tables.SPLITS)
    trained = grid.read_task(tables.metadata(train), train_file)
    table = tables.read_table(tested_file, tables.SPLITS)
    tested = grid.read_task(tables.metadata(table), tested_file)
    try:
        answers = trained.answers(tested)
    except ValueError as error:
        fix = f"Map its classes (datasets.{tested.name}.labels), or test the runs of another task"
        raise DataError(tested_file, f"{error}", fix) from None
    labels = np.array(train["labels"].to_pylist(), dtype=np.int64)
    return Tested(trained, tested, answers, _of_common(trained.kind, labels, answers))


def _of_common(kind: str, labels: np.ndarray, answers: list[int]) -> np.ndarray:
    if kind == "multilabel":
        return labels[:, answers]
    if kind == "multiclass":
        new = {old: code for code, old in enumerate(answers)}
        return np.array([[new[code]] for code in labels[:, 0] if code in new], dtype=np.int64)
    return labels
