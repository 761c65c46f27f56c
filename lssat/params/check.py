"""What is wrong with a params.yaml, each problem a line with its place and the way out."""

import itertools
import re
from collections.abc import Iterator
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, get_args

from lssat import grid
from lssat.grid import releases
from lssat.params import cross, grid_rules, methods, variants
from lssat.params import names as named
from lssat.params.base import PATTERNS, Get, Problem, nearest, texts
from lssat.params.data import Datasets, Own
from lssat.params.sections import Beside, Params, Train
from lssat.tables.project import Project

SAMPLE = f"{Project().sample.root}/"


def say(path: str | Path, lines: dict, error: Any) -> str:
    """Say a problem of pydantic's in our words, with the line of its key."""
    where = tuple(error["loc"])
    if error["type"] == "extra_forbidden":
        text = f"unknown key{nearest(str(where[-1]), _siblings(where[:-1]))}"
    elif error["type"] == "missing":
        text = "is missing; add it (presets/sample.yaml shows each key)"
    elif error["type"] == "model_type":
        text = f"is no section (found {error['input']!r})"
    elif error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] in PATTERNS:
        text = f"{PATTERNS[error['ctx']['pattern']]} (found {error['input']!r})"
    else:
        text = f"{error['msg'].removeprefix('Value error, ')} (found {error['input']!r})"
    return f"{path}:{_line(lines, where)}: {'.'.join(map(str, where))}: {text}"


def _line(lines: dict[tuple, int], where: tuple) -> int:
    """Return the line of a key, or of the nearest section around it that is there."""
    return next((lines[where[:n]] for n in range(len(where), -1, -1) if where[:n] in lines), 1)


def _siblings(where: tuple) -> list[str]:
    model: Any = Params
    if where[:1] == ("variants",):
        return list(Train.model_fields)
    for step in where:
        model = inside(model, step)
    return list(model.model_fields)


def inside(model: Any, key: str) -> Any:
    """Return the type of a key of a section; of a section that may be absent, that section."""
    own = model is Datasets and key not in model.model_fields
    held = Own if own else model.model_fields[key].annotation
    return get_args(held)[0] if isinstance(held, UnionType) else held


class Source(NamedTuple):
    """A params.yaml as it stands, valid or not: its raw values, and the line of each."""

    path: str | Path
    raw: Any
    lines: dict[tuple, int]

    def get(self, *keys: Any) -> Any:
        """Return the raw value of a key, or None."""
        value = self.raw
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def sound(self, errors: list[Any]) -> "Source":
        """Leave out what has been said and cannot be read, such as a number for a section.

        Args:
            errors: pydantic's, of this file.
        """
        raw = deepcopy(self.raw)
        for error in errors:
            if error["type"].endswith("_type") or error["type"] == "string_pattern_mismatch":
                raw = _without(raw, error["loc"])
        return self._replace(raw=raw)

    def say(self, where: tuple, text: str) -> str:
        """Say a problem of a key, or of an item of a list, in a line with its place."""
        key = ".".join(step for step in where if isinstance(step, str))
        return f"{self.path}:{_line(self.lines, where)}: {key}: {text}"


def _without(value: Any, where: tuple) -> Any:
    """Return a value with None in place of what stands at a place, or as near to it as there is."""
    step, *rest = where or (None,)
    inside = isinstance(value, dict) and step in value
    inside |= isinstance(value, list) and isinstance(step, int) and step < len(value)
    if not inside:  # what is left of the place is a member of a union
        return None
    value[step] = _without(value[step], tuple(rest))
    return value


def absent(source: Source) -> list[str]:
    """Name the keys that have a default and that DVC reads all the same."""
    if not isinstance(source.get("benchmark"), dict):
        return []
    hint = "(presets/sample.yaml shows each key)"
    keys = [*itertools.product(["benchmark"], grid.BESIDE, Beside.model_fields)]
    missing = [where for where in keys if source.get(*where) is None]
    problems = [source.say(where, f"is missing; add it, [] for none {hint}") for where in missing]
    if source.get("benchmark", "external") is None:
        text = "is missing; add it, [] for none (docs/rivals.md)"
        problems.append(source.say(("benchmark", "external"), text))
    return problems


def across(source: Source) -> list[str]:
    """Check what two sections say together, as far as both can be read (`Source.sound`)."""
    get = source.get
    problems = itertools.chain(
        *(_recipe(get), _sections(get), _choices(get), _slices(get)),
        *(rules.problems(get) for rules in (grid_rules, cross, methods, named, variants)),
    )
    errors = (say(source.path, source.lines, error) for error in variants.errors(get))
    return [*(source.say(where, text) for where, text in problems), *errors]


def _recipe(get: Get) -> Iterator[Problem]:
    """Hold the size of crops to the patches of each backbone."""
    size, ratio = get("faces", "size"), get("train", "mask_ratio")
    for name in get("benchmark", "backbones") or []:
        if isinstance(name, str) and isinstance(size, int):
            sound = isinstance(ratio, float) and 0 < ratio < 1
            if problem := grid.backbone_problem(name, size, ratio if sound else 0.5):
                yield ("faces", "size"), f"{name}: {problem}"


def _choices(get: Get) -> Iterator[Problem]:
    """Yield choices of the recipe and the splits that cannot stand together."""
    if get("splits", "selection") == "val" and get("splits", "affectnet_test") == 1:
        text = "1.0 leaves no val to select on; lower it or write selection: train_holdout"
        yield ("splits", "affectnet_test"), text
    if get("train", "batch_size") == 1 and get("train", "mixup"):
        text = "mixes each sample with the next of its batch, and train.batch_size is 1; write 0.0"
        yield ("train", "mixup"), text
    if get("train", "sampler") == "balanced":
        if get("train", "class_weights") == "balanced":
            text = "class_weights is balanced too, which corrects twice; leave one of them balanced"
            yield ("train", "sampler"), text
        for task in texts(get("benchmark", "tasks")):
            if named.kind(get, task) == "multilabel":
                text = f"{task} has several labels a sample, which no order balances; write uniform"
                yield ("train", "sampler"), f"{text} (class_weights: balanced does it)"


def _sections(get: Get) -> Iterator[Problem]:
    """Yield where and why tasks, test-only data sets and the sections of `datasets` disagree.

    DVC makes its stages from the sections, Snakemake from the lists.
    """
    given, listed = get("datasets") or {}, []
    trained, tested = ("tasks", releases.TASKS), ("cross", releases.CROSS)
    for (key, official), (place, other) in ((trained, tested), (tested, trained)):
        stated = get("benchmark", key)
        names = texts([*stated] if isinstance(stated, list | dict) else None)
        listed += names
        for name in names:
            where, own = ("benchmark", key), given.get(name)
            if name in other:
                is_for = "trained on" if key == "cross" else "only tested on"
                yield where, f"{name} is {is_for}; name it in benchmark.{place}"
            elif own is None and name in official:
                yield where, f"{name} has no section datasets.{name}; add it"
            elif own is None:
                hint = nearest(name, [*dict.fromkeys([*official, *given])])
                yield where, f"unknown {name!r}{hint}; your own data need a section datasets.{name}"
            elif isinstance(own, dict) and name not in official:
                word = "true" if key == "cross" else "false"
                if str(bool(own.get("test_only"))).lower() != word:
                    yield ("datasets", name), f"test_only must be {word} in benchmark.{key}"
    for name in map(str, given):
        if not re.fullmatch("[a-z][a-z0-9_]*", name):
            yield ("datasets", name), "a name is a-z, then a-z, 0-9 and _"
        elif name not in listed:
            place = "benchmark.cross" if name in releases.CROSS else "benchmark.tasks"
            hint = "" if name in releases.RELEASES else _maybe(name)
            yield ("datasets", name), f"is not in {place}; add it there or leave this out{hint}"


def _slices(get: Get) -> Iterator[Problem]:
    """Yield where and why `slices` speaks of what is not there."""
    slices = get("slices") or {}
    for key in ("attributes", "lists"):
        for task in slices.get(key) or {}:
            if task not in (get("benchmark", "tasks") or []):
                yield ("slices", key, task), "is not in benchmark.tasks; leave it out here"
    for task, file in (slices.get("lists") or {}).items():
        root = get("datasets", task, "root")
        if isinstance(file, str) and file.startswith(SAMPLE) and file != f"{root}.csv":
            text = "is of the built-in sample, whose data this task does not use; name your own"
            yield ("slices", "lists", task), text
    for task, names in (slices.get("attributes") or {}).items():
        known = releases.TASKS.get(task)
        if named.kind(get, task) not in ("multilabel", None):
            text = "has no attributes among its labels; name a list in slices.lists instead"
            yield ("slices", "attributes", task), text
        elif known and isinstance(names, list):
            for name in names:
                if isinstance(name, str) and name not in known.classes:
                    hint = nearest(name, list(known.classes))
                    yield ("slices", "attributes", task), f"unknown {name!r}{hint}"


def _maybe(name: str) -> str:
    close = get_close_matches(name, releases.RELEASES, n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""
