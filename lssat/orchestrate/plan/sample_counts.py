"""How many crops and clips each split of a data set has: as made, or as it will be.

In this order: the splits, where they are made of the parameters as they are; what the sample
draws; the release's own numbers; files in the tree.
"""

import base64
import json
import math
import os
from pathlib import Path
from typing import Any, NamedTuple

from lssat import params, tables
from lssat.data.preflight.files import SAMPLE
from lssat.grid.releases import RELEASES
from lssat.tables.project import Project

_FRAMES = 500  # of a video of FaceForensics++, on average
_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".mp4", ".avi", ".mov", ".mkv"}


class Amount(NamedTuple):
    """What a data set has of something in each split."""

    train: int
    val: int
    test: int

    @property
    def all(self) -> int:
        """In all three."""
        return sum(self)

    def times(self, factor: float) -> "Amount":
        """Return so many times as much."""
        return Amount(*(math.ceil(n * factor) for n in self))


class Samples(NamedTuple):
    """Images or videos of a data set, and what is cut out of each."""

    files: Amount
    frames: Amount  # crops of frames or images, which a run of images reads
    clips: Amount
    clip_frames: int
    videos: bool
    drawn: bool  # the built-in sample, whose videos are small
    source: str  # of the numbers, in words

    def seen(self, clips: bool) -> Amount:
        """Return what a run reads: clips, or crops."""
        return self.clips if clips else self.frames

    @property
    def crops(self) -> int:
        """Crops that are stored."""
        return self.frames.all + self.clips.all * self.clip_frames


def samples(task: str, values: params.Params) -> Samples:
    """Count what a data set has, by the best source that there is."""
    options: Any = getattr(values.datasets, task)
    drawn = os.path.dirname(os.path.relpath(options.root)) == SAMPLE
    videos = getattr(options, "media", None) == "video" or _of_videos(task)
    per = (options.frames or _FRAMES // options.every) if videos else 1
    clips = options.clips if videos else 0
    counted = _made(task, values)
    files, source = (counted, "as split") if counted else _expected(task, options, drawn)
    cut = files.times(per), files.times(clips), options.clip_frames if clips else 0
    return Samples(files, *cut, videos, drawn, source)


def _of_videos(task: str) -> bool:
    return task in RELEASES and RELEASES[task].task.level == "video"


def _made(task: str, values: params.Params) -> Amount | None:
    """Return the samples of splits, where their manifest is of these parameters."""
    data = Project().data(task)
    known = Path(".snakemake/metadata") / _named(str(data.manifest))
    section = params.section_json(values, "manifest", task=task)
    try:
        recorded = json.loads(known.read_text(encoding="utf-8"))["params"]
        if repr(section) not in recorded and section not in recorded:
            return None
        counts = tables.read_json(data.splits.summary, "")["samples"]
        return Amount(*(int(counts[name]) for name in ("train", "val", "test")))
    except (OSError, ValueError, KeyError, TypeError, tables.DataError):
        return None  # none, or of another state: counted otherwise


def _named(path: str) -> str:
    return base64.b64encode(path.encode()).decode()  # as Snakemake names its records


def _expected(task: str, options: Any, drawn: bool) -> tuple[Amount, str]:
    if task in RELEASES:
        known = RELEASES[task].small if drawn else RELEASES[task].size
        source = "the built-in sample" if drawn else "the release's numbers"
    else:
        number = _files(Path(options.root))
        shares = 1 - options.val_share - options.test_share, options.val_share, options.test_share
        known = tuple(round(number * share) for share in shares)
        known = (0, 0, number) if options.test_only else known
        source = "files of its tree"
    amount = Amount(*known)
    if methods := getattr(options, "methods", None):
        amount = amount.times(1 + len(methods))
    if options.partial and task in RELEASES:
        there = _files(Path(options.root))
        amount = amount.times(min(1.0, there / max(1, amount.all)))
        source = f"{there:,} files of its tree, a part"
    if options.limit:
        amount = Amount(*(min(n, 10 * options.limit) for n in amount))
        source = f"at most {options.limit} groups of each split and class"
    return amount, source


def _files(root: Path) -> int:
    """Count the images and videos of a tree."""
    names = (name for _, _, names in os.walk(root) for name in names)
    return sum(os.path.splitext(name)[1].lower() in _SUFFIXES for name in names)
