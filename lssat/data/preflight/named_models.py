"""The backbones and weights in params.yaml, from its raw values, valid or not."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lssat import grid
from lssat.params import Train
from lssat.params.base import Get, texts
from lssat.params.grid_rules import parsed
from lssat.tables.project import Project

WORDS = ("scratch", "mae", "timm")  # that train.weights may be, beside the path of a file
RUNS = Project().runs
_DEFAULTS = {  # of keys that older files do not have
    name: field.default for name, field in Train.model_fields.items() if not field.is_required()
}
_LISTS = ("backbones", "baselines", "clip_backbones")


def backbones(get: Get) -> Iterator[tuple[tuple, str]]:
    """Yield each backbone of the grid with its place in params.yaml."""
    for key in _LISTS:
        for number, name in enumerate(texts(get("benchmark", key))):
            yield ("benchmark", key, number), name


class Choice(NamedTuple):
    """The weights that a backbone begins with, in the recipe or in a variant of it."""

    where: tuple  # in params.yaml
    backbone: str
    weights: str
    product: str | None = None  # of `grid.BESIDE`, which runs the variant; None: the grid
    variant: str | None = None


def choices(get: Get) -> Iterator[Choice]:
    """Yield the weights of each backbone: of the recipe, and of each variant that has its own."""
    yield from _chosen(
        ("train", "weights"), get("train", "weights"), [n for _, n in backbones(get)]
    )
    for product in grid.BESIDE:
        names = texts(get("benchmark", product, "backbones"))
        for variant in variants(get, product):
            where = ("variants", variant, "weights")
            yield from _chosen(where, get(*where), names, product, variant)


def _chosen(where: tuple, given: Any, names: list[str], *of: str) -> Iterator[Choice]:
    for name in names:
        if isinstance(given, str):
            yield Choice(where, name, given, *of)
        elif isinstance(given, dict) and isinstance(given.get(name), str):
            yield Choice((*where, name), name, given[name], *of)


def variants(get: Get, product: str) -> list[str]:
    """Return the variants that a product of `benchmark` runs, each once."""
    configs = parsed(get("benchmark", product, "configurations"))
    return list(dict.fromkeys(config.variant for config in configs if config.variant))


def configurations(get: Get) -> list[grid.Configuration]:
    """Return the configurations of the grid and of variants that can be read."""
    names = texts(get("benchmark", "configurations"))
    beside = (texts(get("benchmark", key, "configurations")) for key in grid.BESIDE)
    return parsed([*names, *itertools.chain(*beside)])


def trained(get: Get, choice: Choice) -> bool:
    """Say whether all runs that begin with these weights are trained with their recipe.

    Then the weights are not needed, and may be on another machine (`dvc pull`).
    """
    backbone, recipe = choice.backbone, get("train")
    trained = grid.RUN.format(task="*", backbone=backbone, configuration="*", seed="*")
    records = RUNS.find(RUNS.run(trained).record)
    seeds, baselines = get("benchmark", "seeds"), texts(get("benchmark", "baselines"))
    if not records or not isinstance(recipe, dict) or not isinstance(seeds, list):
        return False
    slugs = texts(get("benchmark", "configurations"))
    slugs = [grid.SUPERVISED] if backbone in baselines else slugs
    tasks = texts(get("benchmark", "clip_tasks" if grid.family(backbone).clips else "tasks"))
    if choice.product is not None:
        configs = parsed(get("benchmark", choice.product, "configurations"))
        slugs = [config.slug for config in configs if config.variant == choice.variant]
        tasks = texts(get("benchmark", choice.product, "tasks"))
        recipe = {**recipe, **get("variants", choice.variant)}
    wanted = {
        RUNS.run(grid.Run(task, backbone, slug, seed).path).root
        for task, slug, seed in itertools.product(tasks, slugs, seeds)
    }
    return wanted <= {file.parent for file in records} and all(
        _recipe(file) == {**_DEFAULTS, **recipe, "lambda_cls": _recipe(file).get("lambda_cls")}
        for file in records
        if file.parent in wanted
    )


def _recipe(file: Path) -> dict[str, Any]:
    try:
        return _DEFAULTS | json.loads(file.read_text(encoding="utf-8"))["params"]["train"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
