"""`train.methods`, and `test_methods` of a data set: the manipulations that there are."""

from collections.abc import Iterator
from typing import Any

from lssat.grid import BESIDE
from lssat.params.base import Get, Problem, nearest, texts
from lssat.params.grid_rules import parsed


def problems(get: Get) -> Iterator[Problem]:
    """Yield what is wrong with methods of the recipe, of variants that are run, and of tests."""
    yield from _of(get, ("train", "methods"), get("train", "methods"), ("benchmark", "tasks"))
    variants = get("variants")
    for key in BESIDE:
        run = {config.variant for config in parsed(get("benchmark", key, "configurations"))}
        for name, changes in variants.items() if isinstance(variants, dict) else ():
            if isinstance(changes, dict) and name in run:
                where = ("variants", name, "methods")
                yield from _of(get, where, changes.get("methods"), ("benchmark", key, "tasks"))
    for name, section in sections.items() if isinstance(sections := get("datasets"), dict) else ():
        tested = texts(section.get("test_methods")) if isinstance(section, dict) else []
        for number, method in enumerate(tested):
            if method not in (there := known(get, name)):
                text = f"{method!r} is not in datasets.{name}.methods{nearest(method, there)}"
                yield ("datasets", name, "test_methods", number), text


def known(get: Get, task: str) -> list[str]:
    """Return the manipulations of a task's training data, as far as params.yaml names them.

    Those of the key `methods` of a release, or of data of one's own the classes that `labels`
    makes the positive one, if they are several.
    """
    section = get("datasets", task)
    if not isinstance(section, dict):
        return []
    labels = section.get("labels")
    if isinstance(labels, dict):
        fakes = [str(name) for name, new in labels.items() if new == section.get("positive")]
        return fakes if len(fakes) > 1 else []
    return texts(section.get("methods"))


def _of(get: Get, where: tuple, methods: Any, tasks: tuple) -> Iterator[Problem]:
    for task in texts(get(*tasks)) if texts(methods) else ():
        there = known(get, task)
        if not there:
            text = f"{task} has no manipulation methods; write null, or train it without"
            yield where, f"{text} this (docs/protocols.md)"
        for name in methods:
            if there and name not in there:
                yield where, f"{name!r} is no method of {task}{nearest(str(name), there)}"
