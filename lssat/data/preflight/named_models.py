"""The backbones and weights in params.yaml, from its raw values, valid or not."""

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lssat import grid
from lssat.params import Train
from lssat.params.base import texts
from lssat.tables.project import Project

WORDS = ("scratch", "mae", "timm")  # that train.weights may be, beside the path of a file
RUNS = Project().runs
_DEFAULTS = {  # of keys that older files do not have
    name: field.default for name, field in Train.model_fields.items() if not field.is_required()
}
_LISTS = ("backbones", "baselines", "clip_backbones")


def backbones(get: Callable[..., Any]) -> Iterator[tuple[tuple, str]]:
    """Yield each backbone of the grid with its place in params.yaml."""
    for key in _LISTS:
        for number, name in enumerate(texts(get("benchmark", key))):
            yield ("benchmark", key, number), name


def choices(get: Callable[..., Any]) -> Iterator[tuple[tuple, str, str]]:
    """Yield for each backbone the place of its weights, its name and the weights."""
    given = get("train", "weights")
    for _, name in backbones(get):
        if isinstance(given, str):
            yield ("train", "weights"), name, given
        elif isinstance(given, dict) and isinstance(given.get(name), str):
            yield ("train", "weights", name), name, given[name]


def configurations(get: Callable[..., Any]) -> list[grid.Configuration]:
    """Return the configurations of the grid and of variants that can be read."""
    names = texts(get("benchmark", "configurations"))
    parsed = []
    beside = (texts(get("benchmark", key, "configurations")) for key in grid.BESIDE)
    for name in itertools.chain(names, *beside):
        try:
            parsed.append(grid.parse(name))
        except ValueError:  # reported where the name stands
            continue
    return parsed


def trained(get: Callable[..., Any], backbone: str) -> bool:
    """Say whether all runs of a backbone are trained with the recipe as it is.

    Then its weights are not needed, and may be on another machine (`dvc pull`).
    """
    recipe = get("train")
    trained = grid.RUN.format(task="*", backbone=backbone, configuration="*", seed="*")
    records = RUNS.find(RUNS.run(trained).record)
    names = (texts(get("benchmark", key)) for key in ("tasks", "configurations"))
    tasks, configured = map(list, names)
    seeds = get("benchmark", "seeds")
    if not records or not isinstance(recipe, dict) or not isinstance(seeds, list):
        return False
    configured = (
        [grid.SUPERVISED] if backbone in texts(get("benchmark", "baselines")) else configured
    )
    tasks = texts(get("benchmark", "clip_tasks")) if grid.family(backbone).clips else tasks
    wanted = {
        RUNS.run(grid.Run(t, backbone, c, s).path).root
        for t in tasks
        for c in configured
        for s in seeds
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
