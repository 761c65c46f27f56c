"""Does the decoder learn anything? Its error on removed patches beside that of a constant.

Both are measured on the validation samples that each run keeps in reconstruction.npz.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lssat import grid
from lssat.report.kit import pictures, words
from lssat.report.kit.cells import ROW, Cell, Column, Table, flagged, num
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
    normed = bool(train.get("norm_pix_loss", False))
    removed = arrays["mask"].reshape(-1) == 1
    found = []
    kinds = grid.parse(record["configuration"]).targets
    for kind, end in zip(kinds, ("", "_2"), strict=False):
        pair = [_patches(arrays[name + end], arrays["mask"]) for name in ("output", "target")]
        output, target = (part[removed] for part in pair)
        if kind != "RGB" and encoding == "bits":
            errors = _bits(output, target)
        elif normed:
            errors = _normed(output, target)
        else:
            errors = _plain(output, target, kind != "RGB")
        found.append(Errors(kind, *errors, len(arrays["mask"])))
    return found


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
    said, true = (
        np.unpackbits(codes[..., :1].astype(np.uint8), axis=-1) for codes in (output, target)
    )
    ones = true.mean((0, 1))
    entropy = -sum(part * np.log(np.where(part > 0, part, 1)) for part in (ones, 1 - ones))
    return float((said != true).mean()), float(np.minimum(ones, 1 - ones).mean()), entropy.mean()


def rows(task: Task) -> dict[Pair, list[Errors]]:
    """Measure each row with the auxiliary task: means over its seeds, of each target."""
    found: dict[Pair, list[Errors]] = {}
    for row in task.trained:
        runs = [run for run in row["runs"] if not _clips(task.records[run])]
        measured = [measure(task.records[run], _arrays(task, run)) for run in runs]
        of_targets = list(zip(*measured, strict=True))
        if of_targets:
            found[words.pair(row)] = [_mean(seeds) for seeds in of_targets]
    return found


def _arrays(task: Task, run: str) -> dict[str, np.ndarray]:
    return pictures.reconstructed(task.files.runs[run], task.records[run])


def _clips(record: Record) -> bool:
    """Say whether a run reads clips: of a clip only the first frame is kept."""
    return record["backbone"] in grid.VIDEO_ENCODERS


def _mean(seeds: tuple[Errors, ...]) -> Errors:
    losses = [each.loss for each in seeds if each.loss is not None]
    return Errors(
        seeds[0].target,
        float(np.mean([each.decoder for each in seeds])),
        float(np.mean([each.constant for each in seeds])),
        float(np.mean(losses)) if losses else None,
        sum(each.samples for each in seeds),
    )


def constant_loss(errors: list[Errors]) -> float | None:
    """Return the auxiliary loss of a constant, the mean over targets; None where one is unknown."""
    losses = [each.loss for each in errors if each.loss is not None]
    return float(np.mean(losses)) if losses and len(losses) == len(errors) else None


def sentence(measured: Mapping[Pair, list[Errors]]) -> str:
    """Say in how many rows the decoder does better than a constant."""
    ratios = [each.ratio for errors in measured.values() for each in errors]
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
    columns = [
        *ROW,
        Column("Target", "key"),
        Column("Error", "num", "of a constant’s; at 1 the decoder knows no more than a constant"),
        Column("Loss of a constant", "num", "the auxiliary loss, where it can be told"),
        Column("n", "num", "validation samples, of all seeds"),
        Column("Flag"),
    ]
    cells = [
        [
            *map(Cell, (*pair, each.target)),
            *map(num, (each.ratio, each.loss, each.samples)),
            flagged(pair in task.collapsed),
        ]
        for pair, errors in measured.items()
        for each in errors
    ]
    caption = f"{task.title}: error of the decoder on removed patches, as a share of a constant’s"
    return Table(f"decoder-{task.name}", caption, columns, cells)
