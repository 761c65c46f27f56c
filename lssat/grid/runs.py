"""The runs of the grid: task x backbone x configuration x seed."""

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from lssat.grid.notation import EXTERNAL, parse
from lssat.tables import DataError

RUN = "{task}/{backbone}/{configuration}/seed{seed}"  # a run's path
BESIDE = "variants", "more_variants"  # the products of `benchmark` with other recipes
SUPERVISED = "none-none-CRGB"  # the configuration of the grid's baselines


class Product(Protocol):
    """A section such as `benchmark.variants`: runs beside the grid."""

    tasks: list[str]
    backbones: list[str]
    configurations: list[str]


class Lists(Protocol):
    """What names the runs: the section `benchmark`, or what a step sees of it, with BESIDE."""

    backbones: list[str]
    configurations: list[str]
    seeds: list[int]
    baselines: list[str]
    clip_tasks: list[str]
    clip_backbones: list[str]


class External(Protocol):
    """An entry of `benchmark.external`: scores of another program."""

    file: str
    task: str
    name: str
    seed: int


class Run(NamedTuple):
    """One run of the grid: task x backbone x configuration x seed."""

    task: str
    backbone: str
    configuration: str  # as in paths
    seed: int

    @property
    def path(self) -> str:
        """`ffpp/vit_micro/MRGB-RLDP-CRGB/seed0`, below the folder of all runs."""
        return RUN.format(**self._asdict())

    @classmethod
    def of(cls, path: str) -> "Run":
        """Read a run back from its path.

        Raises:
            DataError: it is none.
        """
        parts = PurePosixPath(path).parts[-4:]
        if len(parts) < 4 or not re.fullmatch(r"seed\d+", parts[-1]):
            form = "<task>/<backbone>/<configuration>/seed<number>"
            raise DataError(path, "is no path of a run", f"Write {form}")
        task, backbone, configuration, seed = parts
        return cls(task, backbone, configuration, int(seed.removeprefix("seed")))


def every_run(
    tasks: list[str],
    backbones: list[str],
    configurations: list[str],
    seeds: list[int],
    baselines: Sequence[str] = (),
    clip_tasks: Sequence[str] = (),
    clip_backbones: Sequence[str] = (),
) -> list[Run]:
    """List all runs of the grid.

    First the full grid, then the baselines, which are supervised only, then the encoders of clips
    on those of the tasks that have clips.
    """
    full = itertools.product(tasks, backbones, configurations, seeds)
    alone = itertools.product(tasks, baselines, [SUPERVISED], seeds)
    videos = [task for task in tasks if task in clip_tasks]
    clips = itertools.product(videos, clip_backbones, configurations, seeds)
    return [Run(*choice) for choice in (*full, *alone, *clips)]


def _beside(lists: Lists) -> list[Product]:
    return [getattr(lists, key) for key in BESIDE]


def named(lists: Lists, tasks: list[str]) -> list[Run]:
    """List what the lists name, a folder each: the runs of some tasks, variants last."""
    full = lists.backbones, lists.configurations, lists.seeds, lists.baselines
    runs = every_run(tasks, *full, lists.clip_tasks, lists.clip_backbones)
    for more in _beside(lists):
        those = [task for task in tasks if task in more.tasks]
        beside = itertools.product(those, more.backbones, more.configurations, lists.seeds)
        runs += [Run(*choice) for choice in beside]
    return runs


def external(entries: Iterable[External], tasks: Sequence[str]) -> dict[str, str]:
    """Map each run of another program, by its path, to the table of its scores.

    Args:
        entries: `benchmark.external`.
        tasks: or data sets that are only tested on; those of others are left out.
    """
    runs = [(Run(entry.task, entry.name, EXTERNAL, entry.seed), entry.file) for entry in entries]
    return {run.path: file for run, file in runs if run.task in tasks}


def repeats(lists: Lists, lambda_cls: float | str) -> dict[str, str]:
    """Map each configuration that repeats another to that one: its own lambda is the recipe's.

    Args:
        lambda_cls: the recipe's.
    """
    shared = {name for name in lists.configurations if parse(name).lambda_cls is None}
    beside = (more.configurations for more in _beside(lists))
    own = [parse(name) for name in itertools.chain(lists.configurations, *beside)]
    return {
        config.slug: config.shared.slug
        for config in own
        if config.lambda_cls == lambda_cls
        and config.variant is None
        and config.shared.slug in shared
    }


def runs_of(lists: Lists, tasks: list[str], lambda_cls: float | str) -> list[Run]:
    """List the runs of some tasks, each once: what the lists name, less what they repeat."""
    again = repeats(lists, lambda_cls)
    return [run for run in named(lists, tasks) if run.configuration not in again]
