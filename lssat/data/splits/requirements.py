"""What train, val and test must hold, and whether the existing samples suffice.

The samples and their splits are known before any face is detected. Much that would stop a run
after hours can therefore be found at once. The manifest step, `lssat doctor` and the start of a
Snakemake run call `lacking`; the splits step checks the crops against the same needs.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from lssat import grid, params
from lssat.data.splits.assign import NAMES, assign, requested, untested
from lssat.data.splits.counts import by_member
from lssat.grid.releases import CROSS, HALVED, RELEASES, TASKS
from lssat.tables import MANIFEST, DataError, check_groups, listed_counts, metadata, read_table

PAGE = "docs/part-of-the-data.md"
_RULES = params.Splits(seed=0, affectnet_test=0.5, selection="val", holdout=0.1)


class Gap(NamedTuple):
    """Something that a split needs and does not have."""

    split: str
    kind: str  # classes | subsets; "": the split is empty
    member: str

    def meant(self, options: params.Dataset) -> bool:
        """Say whether params.yaml asks for it: a method that is not tested."""
        return (self.split, self.kind) == ("test", "subsets") and self.member in untested(options)


def needed(dataset: str, options: params.Dataset) -> tuple[str, ...]:
    """Return the splits that must hold samples; only test for a data set without training."""
    only = dataset in CROSS or getattr(options, "test_only", False)
    return ("test",) if only else NAMES


def expected(task: grid.Task, options: Any, subsets: set[str]) -> dict[str, list[str]]:
    """List the classes and subsets that each split must have; attributes may be constant."""
    classes = 0 if task.kind == "multilabel" else len(task.classes)
    members = {*subsets, *getattr(options, "methods", [])} - {""}
    return {"classes": [str(code) for code in range(classes)], "subsets": sorted(members)}


def gaps(
    counts: dict[str, dict[str, dict[str, int]]],
    sizes: dict[str, int],
    members: dict[str, list[str]],
    splits: tuple[str, ...],
) -> Iterator[Gap]:
    """Yield what is missing: empty splits first, then classes and subsets of the others.

    Args:
        counts: of samples or crops, by `classes` and `subsets`, split and member (`by_member`).
        sizes: of samples or crops, by split.
        members: what `expected` returns.
        splits: what `needed` returns.
    """
    yield from (Gap(name, "", "") for name in splits if not sizes.get(name))
    for kind, names in members.items():
        for split in splits:
            for name in names:
                if sizes.get(split) and not counts[kind][split].get(name):
                    yield Gap(split, kind, name)


class _Inventory(NamedTuple):
    """The samples of a data set that exist, beside those that its lists name."""

    dataset: str
    task: grid.Task
    options: Any
    sizes: Counter  # samples by split
    counts: dict[str, dict[str, dict[str, int]]]
    listed: Counter  # by split of the lists, subset and class
    experiment: params.Params | None

    @property
    def medium(self) -> str:
        video = isinstance(self.options, params.Video) and self.task.level == "video"
        return "video" if video else "image"


def lacking(
    dataset: str,
    samples: pa.Table,
    counts: Counter,
    task: grid.Task,
    options: params.Dataset,
    experiment: params.Params | None = None,
) -> tuple[str, str] | None:
    """Say what the splits lack before any face is detected, and what can be done.

    Args:
        samples: of schema MANIFEST.
        counts: what is listed (`lssat.tables.listed_counts`).
        experiment: rules of the splits and size of a batch; None: our rules, and no batch.

    Returns:
        The problem, with a line for each thing that is missing, and the ways out; or None.
    """
    rules = experiment.splits if experiment else _RULES
    names = assign(dataset, samples, rules, options)
    kept = {name: samples[name] for name in ("labels", "subset")}
    there = by_member(pa.table({"split": names, **kept}))
    inventory = _Inventory(dataset, task, options, Counter(names), there, counts, experiment)
    members = expected(task, options, {subset for _, subset, _ in counts})
    lacked = gaps(inventory.counts, inventory.sizes, members, needed(dataset, options))
    missing = [gap for gap in lacked if not gap.meant(options)]
    missing = [gap for gap in missing if not _named_by_class(gap, missing, inventory)]
    batches = [*_batches(inventory)] if inventory.sizes["train"] else []
    sizes = [*off(samples, names, rules, options)]
    lines = [*_say(missing, inventory), *sizes, *(line for line, _ in batches)]
    if not lines:
        return None
    first = f"what the runs of {dataset} need is not there, as its lists and files show:"
    ways = _ways(missing, [most for _, most in batches], inventory, bool(sizes))
    return "\n  ".join([first, *lines]), ways


def off(
    samples: pa.Table, names: list[str], rules: params.Splits, options: params.Dataset
) -> Iterator[str]:
    """Yield a line for each split that whole groups make too large or too small."""
    sizes = Counter(names)
    for name, wish in requested(samples, rules, options).items():
        if problem := wish.problem(sizes[name]):
            yield f"{name}: {problem}"


def of(experiment: params.Params | None) -> Callable:
    """Return `lacking` of one experiment."""
    return partial(lacking, experiment=experiment)


def refusal(
    dataset: str, manifest: Path, options: params.Dataset, experiment: params.Params
) -> DataError | None:
    """Return why faces should not be detected for a manifest, or None.

    Raises:
        DataError: the manifest is absent or damaged, or an identity stands in two splits.
    """
    samples = read_table(manifest, MANIFEST)
    about = metadata(samples)
    task, counts = grid.read_task(about, manifest), listed_counts.read(about, manifest)
    if problem := lacking(dataset, samples, counts, task, options, experiment):
        return DataError(options.root, *problem)
    names = assign(dataset, samples, experiment.splits, options)
    check_groups(samples["groups"].to_pylist(), names, Path(options.root))
    return None


def _named_by_class(gap: Gap, missing: list[Gap], inventory: _Inventory) -> bool:
    """Say whether a subset is missing because its class is, which is reported already."""
    if gap.kind != "subsets":
        return False
    known = {label for _, subset, label in inventory.listed if subset == gap.member}
    return bool(known) and all(Gap(gap.split, "classes", label) in missing for label in known)


def _say(missing: list[Gap], inventory: _Inventory) -> Iterator[str]:
    """Yield a line for each split and kind of what is missing, with what is there."""
    for split, kind in dict.fromkeys(gap[:2] for gap in missing):
        alike = [gap for gap in missing if gap[:2] == (split, kind)]
        named = ", ".join(f"{_name(gap, inventory)} ({_listed(gap, inventory)})" for gap in alike)
        others = _others(alike[0], inventory)
        yield f"{split}: no {named}" + (f"; there are {others}" if others else "")


def _name(gap: Gap, inventory: _Inventory) -> str:
    if not gap.kind:
        return f"{inventory.medium} at all"
    if gap.kind == "subsets":
        return f"{inventory.medium} of {gap.member}"
    name = inventory.task.classes[int(gap.member)]
    if inventory.task.kind == "binary":
        return f"{name} {inventory.medium}"
    return f"{inventory.medium} of class {gap.member} {name}"


def _listed(gap: Gap, inventory: _Inventory) -> str:
    """Say how many samples the lists name in the official split that ours comes from."""
    official = {split for split, _, _ in inventory.listed}
    source = gap.split
    if inventory.dataset in HALVED and gap.split == "test":
        source = "val"  # halved
    elif isinstance(inventory.options, params.Own) and "" in official:
        source = ""  # parted by us
    cells = [cell for cell in inventory.listed if cell[0] == source]
    if gap.kind:
        place = {"subsets": 1, "classes": 2}[gap.kind]
        cells = [cell for cell in cells if cell[place] == gap.member]
    n = sum(inventory.listed[cell] for cell in cells)
    return f"of {n:,} listed" if n else "none is listed"


def _others(gap: Gap, inventory: _Inventory) -> str:
    """Name what the split has: its subsets, or its classes."""
    kind = "subsets" if any(inventory.counts["subsets"].values()) else "classes"
    have = inventory.counts[kind][gap.split]
    names = inventory.task.classes
    shown = {key: key if kind == "subsets" else names[int(key)] for key in have}
    return ", ".join(f"{n:,} {shown[key]}" for key, n in sorted(have.items()))


def _batches(inventory: _Inventory) -> Iterator[tuple[str, int]]:
    """Yield why training has less than one batch, and how many samples it has at most."""
    experiment, options, n = inventory.experiment, inventory.options, inventory.sizes["train"]
    if experiment is None or "train" not in needed(inventory.dataset, options):
        return
    recipe = experiment.train
    units = [("frame", getattr(options, "frames", None))] if inventory.medium == "video" else []
    if not units:
        units = [("image", 1)]
    benchmark = experiment.benchmark
    if inventory.dataset in benchmark.clip_tasks and benchmark.clip_backbones:
        units.append(("clip", options.clips))
    for unit, many in units:
        if many is None or many * n >= recipe.batch_size * recipe.accumulate:
            continue  # None: every n-th frame of videos whose length is not known yet
        of = f" ({n:,} {inventory.medium}s, {many} of each)" if unit != "image" else ""
        size = f"train.batch_size is {recipe.batch_size}"
        size += f", times train.accumulate {recipe.accumulate}" if recipe.accumulate > 1 else ""
        yield f"train: at most {many * n:,} {unit}s{of}, less than one batch; {size}", many * n


OTHER_SHARE = "ask for another share, part the largest groups, or name a split for each row"


def _ways(missing: list[Gap], most: list[int], inventory: _Inventory, off: bool) -> str:
    """Say what can be done, the simplest first."""
    dataset, ways = inventory.dataset, [OTHER_SHARE] if off else []
    if missing:
        ways.append("add them")
        methods = {gap.member for gap in missing if gap.kind == "subsets"}
        left = set(getattr(inventory.options, "methods", [])) - methods
        if methods and left:
            names = ", ".join(sorted(methods))
            ways.append(f"take {names} out of datasets.{dataset}.methods")
        if dataset in RELEASES:
            members = {gap.member for gap in missing}
            ways += [way for m, way in RELEASES[dataset].ways.items() if not m or members == {m}]
        if isinstance(inventory.options, params.Own):
            ways.append("part your files in another way (split, group, val_share, test_share)")
        elif dataset in TASKS:
            ways.append("list your files in a CSV of your own")
        if "train" not in needed(dataset, inventory.options):
            ways.append(f"take {dataset} out of benchmark.cross")
    if most:
        accumulate = inventory.experiment.train.accumulate if inventory.experiment else 1
        fits = min(most) // accumulate
        ways.append(f"lower train.batch_size to {fits} or less" if fits else "add data to train")
    text = "; or ".join(ways)
    return f"{text[0].upper()}{text[1:]}. {PAGE} shows each"
