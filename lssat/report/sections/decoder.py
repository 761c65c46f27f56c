"""Does the decoder learn anything? Its error on removed patches beside that of a constant.

Both are measured on the validation samples that each run keeps in reconstruction.npz.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lssat import grid
from lssat.report.kit import pictures, words
from lssat.report.kit.cells import ROW, Column, Table, flag_of
from lssat.report.kit.results import Task
from lssat.tables import Record

_CODE_STD = 0.25 * 255  # what codes are divided by, as in lssat.models, which imports torch
_LEARNT = 0.95  # a decoder whose error is above this share of a constant's has learnt little
_HARDLY = " It has hardly learnt to fill in."
Pair = tuple[str, str]  # backbone, configuration


class Errors(NamedTuple):
    """Errors of one target on removed patches, in one unit: grey levels squared, or wrong bits."""

    target: str
    decoder: float
    constant: float  # of the best constant; with norm_pix_loss, of each patch's own mean
    loss: float | None  # the auxiliary loss of that constant, where it can be told
    samples: int

    @property
    def ratio(self) -> float | None:
        """The decoder's error as a share of the constant's; None where the target is constant."""
        return self.decoder / self.constant if self.constant > 0 else None


def measure(record: Record, arrays: Mapping[str, np.ndarray]) -> list[Errors]:
    """Measure the errors of each target of a run; of none without the auxiliary task.

    Args:
        record: of the run: its configuration and recipe.
        arrays: `mask` (n, L) 0 keep 1 remove, `target` and `output` (n, H, W, 3) uint8, and those
            of a second target with `_2`, as training writes them.
    """
    if not arrays:
        return []
    train, texture = record["params"]["train"], record["params"].get("texture", {})
    encoding = train.get("encoding") or texture.get("encoding", "code")
    removed = arrays["mask"].reshape(-1) == 1
    errors = []
    kinds = grid.parse(record["configuration"]).targets
    for kind, end in zip(kinds, ("", "_2"), strict=False):
        output = _patches(arrays["output" + end], arrays["mask"])[removed]
        target = _patches(arrays["target" + end], arrays["mask"])[removed]
        if kind != "RGB" and encoding == "bits":
            measured = _bits(output, target)
        elif train.get("norm_pix_loss"):
            measured = _normed(output, target)
        else:
            measured = _plain(output, target, kind != "RGB")
        errors.append(Errors(kind, *measured, len(arrays["mask"])))
    return errors


def _patches(images: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Cut images (n, H, W, 3) into the patches of a mask (n, L): (n * L, pixels, 3) float."""
    n, high, _, channels = images.shape
    side = round(mask.shape[1] ** 0.5)
    patch = high // side
    cut = images.reshape(n, side, patch, side, patch, channels).swapaxes(2, 3)
    return cut.reshape(n * side**2, patch**2, channels).astype(np.float64)


def _plain(output: np.ndarray, target: np.ndarray, code: bool) -> tuple[float, float, float | None]:
    constant = float(((target - target.mean((0, 1))) ** 2).mean())
    # of RGB the loss is in units of the backbone's own normalisation
    loss = constant / _CODE_STD**2 if code else None
    return float(((output - target) ** 2).mean()), constant, loss


def _normed(output: np.ndarray, target: np.ndarray) -> tuple[float, float, float | None]:
    """With `norm_pix_loss` each patch is in units of its own spread, and the mean loses 1."""
    spread = target.var((1, 2))
    varied = spread > 0
    errors = ((output - target) ** 2).mean((1, 2))[varied] / spread[varied]
    return float(errors.mean()) if varied.any() else 0.0, float(varied.any()), 1.0


def _bits(output: np.ndarray, target: np.ndarray) -> tuple[float, float, float | None]:
    """Count wrong bits; a constant says of each of the eight planes what it is more often."""
    predicted, true = (
        np.unpackbits(codes[..., :1].astype(np.uint8), axis=-1) for codes in (output, target)
    )
    ones = true.mean((0, 1))
    entropy = -sum(part * np.log(np.where(part > 0, part, 1)) for part in (ones, 1 - ones))
    return (
        float((predicted != true).mean()),
        float(np.minimum(ones, 1 - ones).mean()),
        entropy.mean(),
    )


def rows(task: Task) -> dict[Pair, list[Errors]]:
    """Measure each row with the auxiliary task: means over its seeds, of each target."""
    means = {}
    for row in task.trained:
        if row["backbone"] in grid.VIDEO_ENCODERS:
            continue  # of a clip only the first frame is kept
        by_run = [_of_run(task, run) for run in row["runs"]]
        if by_target := list(zip(*by_run, strict=True)):
            means[words.pair(row)] = [_mean(seeds) for seeds in by_target]
    return means


def _of_run(task: Task, run: str) -> list[Errors]:
    record = task.records[run]
    return measure(record, pictures.reconstructed(task.files.runs[run], record))


def _mean(seeds: tuple[Errors, ...]) -> Errors:
    losses = [errors.loss for errors in seeds if errors.loss is not None]
    return Errors(
        seeds[0].target,
        float(np.mean([errors.decoder for errors in seeds])),
        float(np.mean([errors.constant for errors in seeds])),
        float(np.mean(losses)) if losses else None,
        sum(errors.samples for errors in seeds),
    )


def constant_loss(errors: list[Errors]) -> float | None:
    """Return the auxiliary loss of a constant, the mean over targets; None where one is unknown."""
    losses = [of_target.loss for of_target in errors if of_target.loss is not None]
    return float(np.mean(losses)) if losses and len(losses) == len(errors) else None


def sentence(measured: Mapping[Pair, list[Errors]]) -> str:
    """Say in how many rows the decoder does better than a constant."""
    ratios = [errors.ratio for of_targets in measured.values() for errors in of_targets]
    known = [ratio for ratio in ratios if ratio is not None]
    if not known:
        return ""
    one = "row" if len(ratios) == len(measured) else "target"
    what = words.count(len(known), one)
    better = [ratio for ratio in known if ratio < 1]
    if not better:
        return (
            f"The decoder has learnt no more than a constant in {_none(what)}: on removed patches "
            f"its error is at least {words.number(min(known), 2)} times that of a constant."
        )
    ends = dict.fromkeys(words.percent(ratio) for ratio in (min(better), max(better)))
    return (
        f"The decoder’s error on removed patches is below that of a constant in {len(better)} of "
        f"{what}: {' to '.join(ends)} of it.{_HARDLY if min(better) > _LEARNT else ''}"
    )


def _none(what: str) -> str:
    return f"its only {what[2:]}" if what.startswith("1 ") else f"any of {what}"


def table(task: Task, measured: Mapping[Pair, list[Errors]]) -> Table:
    """Make the table of errors: a row per backbone, configuration and target."""
    constant = "of a constant’s; at 1 the decoder knows no more than a constant"
    columns = [
        *ROW,
        Column("Target", "key", "", "target"),
        Column("Error", "num", constant, "ratio"),
        Column("Loss of a constant", "num", "the auxiliary loss, where it can be told", "loss"),
        Column("n", "num", "validation samples, of all seeds", "samples"),
        flag_of(task),
    ]
    rows = [
        {"backbone": pair[0], "configuration": pair[1], "ratio": errors.ratio, **errors._asdict()}
        for pair, of_targets in measured.items()
        for errors in of_targets
    ]
    caption = f"{task.title}: error of the decoder on removed patches, as a share of a constant’s"
    return Table.of(f"decoder-{task.name}", caption, columns, rows)
