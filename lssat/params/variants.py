"""What the variants of the recipe say: each must be a recipe that its runs can be trained with."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from lssat import grid
from lssat.params import grid_rules
from lssat.params.base import Get, Problem, nearest
from lssat.params.sections import Train

_LISTS = ("backbones", "baselines", "clip_backbones")


def errors(get: Get) -> Iterator[Any]:
    """Yield pydantic's errors of the changed keys, each with its place in params.yaml."""
    for name, changes in _each(get):
        try:
            Train.model_validate(_recipe(get, changes))
        except ValidationError as error:
            for fault in error.errors():
                if fault["loc"][0] in changes:  # others are said of train itself
                    yield {**fault, "loc": ("variants", name, *fault["loc"])}


def problems(get: Get) -> Iterator[Problem]:
    """Yield what is wrong with their names, their lists, and with each as a recipe of its runs."""
    known = get("variants") or {}
    if not isinstance(known, dict):
        return  # said where the section stands
    for name, changes in known.items():
        if problem := grid.variant_problem(str(name)):
            yield ("variants", name), problem
        elif isinstance(changes, dict) and not changes:
            yield ("variants", name), "changes nothing; name keys of train, or leave it out"
    of_grid = list(grid_rules.problems(get))
    for key in grid.BESIDE:
        run = _run(get, key)
        for name in run:
            if name not in known:
                hint = nearest(name, [*map(str, known)])
                fix = "name it, and what it changes, in the section variants"
                yield ("benchmark", key, "configurations"), f"unknown {name!r}{hint}; {fix}"
        for name, changes in _each(get):
            if name in run:
                as_grid = _as_grid(get, changes, key, run[name])
                for (section, *rest), text in grid_rules.problems(as_grid):
                    if section == "train" and (("train", *rest), text) not in of_grid:
                        yield ("variants", name, *rest), text


def _run(get: Get, key: str) -> dict[str, list[str]]:
    """Map each variant of a product to its configurations, spelt as with the recipe itself."""
    slugs: dict[str, list[str]] = {}
    for config in grid_rules.parsed(get("benchmark", key, "configurations")):
        if config.variant is not None:
            slugs.setdefault(config.variant, []).append(config.shared.slug)
    return slugs


def _each(get: Get) -> Iterator[tuple[str, dict[str, Any]]]:
    known = get("variants")
    for name, changes in known.items() if isinstance(known, dict) else ():
        if isinstance(changes, dict):
            yield name, changes


def _recipe(get: Get, changes: dict[str, Any]) -> dict[str, Any]:
    recipe = get("train")
    return {**(recipe if isinstance(recipe, dict) else {}), **changes}


def _as_grid(get: Get, changes: dict[str, Any], product: str, configurations: list[str]) -> Get:
    """Return a `get` of params.yaml as if a variant were its recipe and its runs the grid."""
    recipe = _recipe(get, changes)
    listed = get("benchmark", product, "backbones") or []
    if isinstance(recipe.get("weights"), dict) and "weights" not in changes:
        recipe["weights"] = {k: v for k, v in recipe["weights"].items() if k in listed}

    def given(*keys: Any) -> Any:
        if keys[0] == "train":
            return recipe.get(keys[1]) if len(keys) == 2 else recipe
        if keys[0] == "benchmark" and len(keys) > 1 and keys[1] in grid.BESIDE:
            return None
        if keys == ("benchmark", "tasks"):
            return get("benchmark", product, "tasks")
        if keys == ("benchmark", "configurations"):
            return configurations
        if keys[0] == "benchmark" and keys[1] in _LISTS:
            return [name for name in get(*keys) or [] if name in listed]
        return get(*keys)

    return given
