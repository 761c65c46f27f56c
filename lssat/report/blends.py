"""The page of blends: real crops, the fakes made of them, masks and boundaries, as trained on.

It shows faces, so that DVC does not keep it, and none but its owner may read it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lssat import grid
from lssat.data.blending import Pair, Reals
from lssat.data.shards import Shards
from lssat.params.blends import task_problem
from lssat.report.kit import html, pictures
from lssat.tables import SPLITS, DataError, confidential, metadata, read_table, write_text

SHOWN = 12  # pairs of each kind
_COLUMNS = ("crop", "real of the pair", "fake", "mask", "boundary")
_TITLES = {
    "sbi": "Self-blended images (arXiv:2204.08376)",
    "xray": "Face X-ray (arXiv:1912.13458)",
}


@dataclass(frozen=True)
class Files:
    """Where the training split and its crops lie."""

    train: Path
    faces: Path  # folder of shards
    page: Path


@confidential()
def write(files: Files, seed: int, epoch: int) -> None:
    """Write the page of the pairs of an epoch, spread evenly over the split.

    Args:
        seed, epoch: of a run, whose pairs are shown as it sees them with `hflip: true`.

    Raises:
        DataError: the task is not of real and fake, or its faces have no landmarks.
    """
    table = read_table(files.train, SPLITS)
    task = grid.read_task(metadata(table), files.train)
    if problem := task_problem("a blend", task.name, task.kind):
        what = problem.partition("; ")[0]
        raise DataError(files.train, what, "Name a task of real and fake")
    frames = table.filter([clip == -1 for clip in table["clip"].to_pylist()])
    shards = Shards(files.faces, frames, files.train)
    page = html.render(
        Path(__file__).with_name("blends.html.j2"),
        title=task.title,
        seed=seed,
        epoch=epoch,
        columns=_COLUMNS,
        kinds=[
            _kind(kind, Reals(frames, shards, kind, files.train), seed, epoch)
            for kind in grid.BLENDS
        ],
    )
    write_text(files.page, page)


def _kind(kind: str, reals: Reals, seed: int, epoch: int) -> dict[str, Any]:
    places = np.unique(np.linspace(0, len(reals) - 1, SHOWN).round().astype(int)).tolist()
    return {
        "name": kind,
        "title": _TITLES[kind],
        "count": len(reals),
        "rows": [_row(reals, place, reals.pair(place, seed, epoch, True)) for place in places],
    }


def _row(reals: Reals, place: int, pair: Pair) -> pictures.Picture:
    maps = [np.rint(255 * part).astype(np.uint8) for part in (pair.mask, pair.boundary)]
    grey = [np.repeat(part[..., None], 3, axis=2) for part in maps]
    tiles = [pictures.tile(part) for part in (reals.crop(place), pair.real, pair.fake, *grey)]
    row = reals.table.slice(place, 1).to_pylist()[0]
    name = f"{row['id']}, frame {row['frame']}"
    alt = f"{name}: {', '.join(_COLUMNS)}"
    return pictures.picture(pictures.gapped([tiles]), alt, name)
